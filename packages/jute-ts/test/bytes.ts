/** Builds Jute's bytes one by one, with nothing of the code under test. */
export class Bytes {
  readonly #bytes: number[] = [];

  raw(...bytes: number[]): this {
    for (const byte of bytes) this.#bytes.push(byte & 0xff);
    return this;
  }

  boolean(value: boolean): this {
    return this.raw(value ? 1 : 0);
  }

  int(value: number): this {
    return this.raw(value >> 24, value >> 16, value >> 8, value);
  }

  long(value: bigint): this {
    for (let shift = 56n; shift >= 0n; shift -= 8n) this.raw(Number((value >> shift) & 0xffn));
    return this;
  }

  double(value: number): this {
    return this.raw(...new Uint8Array(new Float64Array([value]).buffer).reverse());
  }

  float(value: number): this {
    return this.raw(...new Uint8Array(new Float32Array([value]).buffer).reverse());
  }

  text(value: string | null): this {
    return this.buffer(value === null ? null : [...new TextEncoder().encode(value)]);
  }

  buffer(value: readonly number[] | null): this {
    return value === null ? this.int(-1) : this.int(value.length).raw(...value);
  }

  done(): Buffer {
    return Buffer.from(this.#bytes);
  }
}

export function bytes(): Bytes {
  return new Bytes();
}
