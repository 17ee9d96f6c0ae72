// The protocol's bytes put together by hand, field after field, with nothing of the code under test.

export function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function long(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt.asIntN(64, value));
  return bytes;
}

export function bool(value: boolean): Buffer {
  return Buffer.from([value ? 1 : 0]);
}

export function bytes(value: Uint8Array | string | null): Buffer {
  if (value === null) return int(-1);
  const content = Buffer.from(value as string);
  return Buffer.concat([int(content.length), content]);
}

export function vector(...items: Buffer[]): Buffer {
  return Buffer.concat([int(items.length), ...items]);
}

export function frame(...body: Buffer[]): Buffer {
  const content = Buffer.concat(body);
  return Buffer.concat([int(content.length), content]);
}

export function stat(zxid = 1n, version = 0): Buffer {
  return Buffer.concat([
    ...[long(zxid), long(zxid), long(0n), long(0n)],
    ...[int(version), int(0), int(0), long(0n), int(0), int(0), long(zxid)],
  ]);
}

export const PASSWORD: Buffer = Buffer.from('0123456789abcdef');

export function reply(xid: number, zxid: bigint, err: number, ...body: Buffer[]): Buffer {
  return frame(int(xid), long(zxid), int(err), ...body);
}

export function event(type: number, path: string, zxid = -1n): Buffer {
  return reply(-1, zxid, 0, int(type), int(3), bytes(path));
}

/** Reads what a client has written. */
export class Cursor {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  int(): number {
    this.#at += 4;
    return this.#buffer.readInt32BE(this.#at - 4);
  }

  long(): bigint {
    this.#at += 8;
    return this.#buffer.readBigInt64BE(this.#at - 8);
  }

  bool(): boolean {
    this.#at += 1;
    return this.#buffer[this.#at - 1] === 1;
  }

  bytes(): Buffer | null {
    const length = this.int();
    if (length < 0) return null;
    this.#at += length;
    return this.#buffer.subarray(this.#at - length, this.#at);
  }

  text(): string | null {
    return this.bytes()?.toString() ?? null;
  }

  texts(): string[] {
    return Array.from({ length: this.int() }, () => this.text() as string);
  }

  get left(): number {
    return this.#buffer.length - this.#at;
  }
}
