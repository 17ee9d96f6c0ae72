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

export function frame(...body: Buffer[]): Buffer {
  const content = Buffer.concat(body);
  return Buffer.concat([int(content.length), content]);
}

export const PASSWORD: Buffer = Buffer.from('0123456789abcdef');

export interface Grant {
  version?: number;
  timeout?: number;
  id?: bigint;
  password?: Uint8Array | null;
  /** null: the byte is left out, as servers up to 3.3 do. */
  readOnly?: boolean | null;
}

export function connectResponseBody(grant: Grant = {}): Buffer {
  const { version = 0, timeout = 30_000, id = 0x1234n, password = PASSWORD, readOnly = false } = grant;
  const body = [int(version), int(timeout), long(id), bytes(password)];
  return Buffer.concat(readOnly === null ? body : [...body, bool(readOnly)]);
}

export function connectResponse(grant: Grant = {}): Buffer {
  return frame(connectResponseBody(grant));
}

export function reply(xid: number, zxid: bigint, err: number, ...body: Buffer[]): Buffer {
  return frame(int(xid), long(zxid), int(err), ...body);
}

export function pong(zxid = 0n): Buffer {
  return reply(-2, zxid, 0);
}

export function event(type: number, path: string, zxid = -1n): Buffer {
  return reply(-1, zxid, 0, int(type), int(3), bytes(path));
}

export interface SentRequest {
  xid: number;
  type: number;
  body: Buffer;
}

/** What a client has written, cut into frame bodies; a rest that is no whole frame throws. */
export function framesOf(written: Buffer): Buffer[] {
  const bodies: Buffer[] = [];
  let at = 0;
  while (at < written.length) {
    const length = written.readInt32BE(at);
    if (length < 0 || at + 4 + length > written.length) throw new Error(`half a frame at ${at} of ${written.length}`);
    bodies.push(written.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return bodies;
}

export function requestOf(body: Buffer): SentRequest {
  return { xid: body.readInt32BE(0), type: body.readInt32BE(4), body: body.subarray(8) };
}
