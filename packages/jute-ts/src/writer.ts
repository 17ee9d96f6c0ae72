// As in the reader: one BigInt over two 32-bit halves.
const long = new BigInt64Array(1);
const halves = new Int32Array(long.buffer);
const low = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1;
const high = 1 - low;

// Up to this length a string is written a character at a time: cheaper than one call into the runtime, if it is ASCII.
const shortString = 24;

// Up to this many bytes, take() copies: Node has small buffers from a pool, and new storage costs more than the copy.
const copied = 4096;

// What a writer that was once given something big goes on with.
const keptCapacity = 32 * 1024;

/** Writes Jute's binary form into a buffer of its own, which doubles when it is full. */
export class JuteWriter {
  readonly #initialCapacity: number;
  #buffer: Buffer;
  #length = 0;

  constructor(initialCapacity = 1024) {
    this.#initialCapacity = Math.max(initialCapacity, 64);
    this.#buffer = Buffer.allocUnsafeSlow(this.#initialCapacity);
  }

  get length(): number {
    return this.#length;
  }

  writeBoolean(v: boolean): void {
    this.writeByte(v ? 1 : 0);
  }

  writeByte(v: number): void {
    const at = this.#room(1);
    this.#buffer[at] = v;
  }

  writeInt(v: number): void {
    this.#int(this.#room(4), v);
  }

  writeLong(v: bigint): void {
    const at = this.#room(8);
    long[0] = v;
    this.#int(at, halves[high] as number);
    this.#int(at + 4, halves[low] as number);
  }

  writeFloat(v: number): void {
    const at = this.#room(4);
    this.#buffer.writeFloatBE(v, at);
  }

  writeDouble(v: number): void {
    const at = this.#room(8);
    this.#buffer.writeDoubleBE(v, at);
  }

  writeUstring(v: string | null): void {
    if (v === null) {
      this.writeInt(-1);
      return;
    }
    const length = v.length;
    if (length <= shortString) {
      const at = this.#room(4 + length);
      if (this.#ascii(at + 4, v)) {
        this.#int(at, length);
        return;
      }
      this.#length = at;
    }
    // UTF-8 takes at most three bytes for each UTF-16 unit; only a long text is worth counting first.
    const most = length > 1024 ? Buffer.byteLength(v) : length * 3;
    const at = this.#room(4 + most);
    const written = this.#buffer.write(v, at + 4, most, 'utf8');
    this.#int(at, written);
    this.#length = at + 4 + written;
  }

  writeBuffer(v: Uint8Array | null): void {
    if (v === null) {
      this.writeInt(-1);
      return;
    }
    const at = this.#room(4 + v.length);
    this.#int(at, v.length);
    this.#buffer.set(v, at + 4);
  }

  writeVector<T>(v: readonly T[] | null, write: (w: JuteWriter, v: T) => void): void {
    if (v === null) {
      this.writeInt(-1);
      return;
    }
    this.writeInt(v.length);
    for (const item of v) write(this, item);
  }

  writeUstringVector(v: readonly (string | null)[] | null): void {
    if (v === null) {
      this.writeInt(-1);
      return;
    }
    this.writeInt(v.length);
    for (const item of v) this.writeUstring(item);
  }

  writeMap<K, V>(
    v: ReadonlyMap<K, V> | null,
    writeKey: (w: JuteWriter, v: K) => void,
    writeValue: (w: JuteWriter, v: V) => void,
  ): void {
    if (v === null) {
      this.writeInt(-1);
      return;
    }
    this.writeInt(v.size);
    for (const [key, value] of v) {
      writeKey(this, key);
      writeValue(this, value);
    }
  }

  /** Fills in an int that was written before its value was known, such as the length of a frame. */
  patchInt(offset: number, value: number): void {
    if (!(offset >= 0 && offset + 4 <= this.#length))
      throw new RangeError(`no int at byte ${offset} of ${this.#length}`);
    this.#int(offset, value);
  }

  /** Takes back what was written after the first `length` bytes. */
  truncate(length: number): void {
    if (!(length >= 0 && length <= this.#length)) throw new RangeError(`cannot cut ${this.#length} bytes to ${length}`);
    this.#length = length;
  }

  /** Hands over what is written, for good, and starts empty. */
  take(): Buffer {
    const storage = this.#buffer;
    const written = storage.subarray(0, this.#length);
    const kept = Math.max(this.#initialCapacity, keptCapacity);
    const copy = written.length <= copied;
    if (!copy || storage.length > kept) this.#buffer = Buffer.allocUnsafeSlow(Math.min(storage.length, kept));
    this.#length = 0;
    return copy ? Buffer.from(written) : written;
  }

  /** A view of what is written; the next write or take() may change it. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #ascii(at: number, text: string): boolean {
    const buffer = this.#buffer;
    for (let i = 0; i < text.length; i += 1) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return false;
      buffer[at + i] = unit;
    }
    return true;
  }

  #int(at: number, v: number): void {
    const buffer = this.#buffer;
    buffer[at] = v >> 24;
    buffer[at + 1] = v >> 16;
    buffer[at + 2] = v >> 8;
    buffer[at + 3] = v;
  }

  #room(size: number): number {
    const at = this.#length;
    const needed = at + size;
    if (needed > this.#buffer.length) this.#grow(needed);
    this.#length = needed;
    return at;
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}
