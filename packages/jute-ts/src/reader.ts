import { isAscii } from 'node:buffer';
import { JuteError } from './errors.ts';

// One BigInt made from two 32-bit halves: on Node 20 a third of the time of Buffer.readBigInt64BE, and, unlike a
// DataView, nothing to make anew for each chunk from the socket.
const long = new BigInt64Array(1);
const halves = new Int32Array(long.buffer);
const low = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1;
const high = 1 - low;

// The last two longs that were made, each kept by its halves: in a Stat most repeat one another, and reads repeat them.
let high0 = 0;
let low0 = 0;
let long0 = 0n;
let high1 = 0;
let low1 = 0;
let long1 = 0n;

function longOf(h: number, l: number): bigint {
  if (h === high0 && l === low0) return long0;
  if (h === high1 && l === low1) return long1;
  if (h === 0 && l === 0) return 0n;
  halves[high] = h;
  halves[low] = l;
  high1 = high0;
  low1 = low0;
  long1 = long0;
  high0 = h;
  low0 = l;
  long0 = long[0] as bigint;
  return long0;
}

// Up to this length a string is put together in JavaScript: cheaper than one call into the runtime.
const shortString = 16;

// Names of a list are decoded in pieces of about this many bytes. A name may share the memory of its piece, so this is
// also what one kept name can hold on to.
const namesPiece = 4096;
const lengths = new Int32Array(namesPiece / 4);
const fewNames = 2;

/**
 * Reads Jute's binary form from a part of a buffer. Every length is checked against what is left before anything is
 * made of it; what fails throws a {@link JuteError} with the given field.
 */
export class JuteReader {
  #buffer: Buffer;
  #start = 0;
  #offset = 0;
  #end = 0;

  constructor(buffer: Buffer = Buffer.alloc(0), offset = 0, end: number = buffer.length) {
    this.#buffer = buffer;
    this.reset(buffer, offset, end);
  }

  /** Turns to other bytes, so that one reader serves a whole connection. */
  reset(buffer: Buffer, offset = 0, end: number = buffer.length): this {
    if (!(offset >= 0 && offset <= end && end <= buffer.length)) {
      throw new RangeError(`no part of a buffer of ${buffer.length} bytes: ${offset} to ${end}`);
    }
    this.#buffer = buffer;
    this.#start = offset;
    this.#offset = offset;
    this.#end = end;
    return this;
  }

  /** The position in the buffer. */
  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  readBoolean(field: string): boolean {
    return this.readByte(field) !== 0;
  }

  /** Signed, as in Java. */
  readByte(field: string): number {
    const at = this.#take(1, field);
    return ((this.#buffer[at] as number) << 24) >> 24;
  }

  readInt(field: string): number {
    return intAt(this.#buffer, this.#take(4, field));
  }

  readLong(field: string): bigint {
    const at = this.#take(8, field);
    return longOf(intAt(this.#buffer, at), intAt(this.#buffer, at + 4));
  }

  readFloat(field: string): number {
    return this.#buffer.readFloatBE(this.#take(4, field));
  }

  readDouble(field: string): number {
    return this.#buffer.readDoubleBE(this.#take(8, field));
  }

  /** Invalid UTF-8 becomes U+FFFD. */
  readUstring(field: string): string | null {
    const length = this.#length(field, 1);
    if (length < 0) return null;
    const at = this.#offset;
    this.#offset = at + length;
    return this.#string(at, at + length);
  }

  /** A view of the bytes, not a copy: it keeps the whole buffer alive, and changes with it. */
  readBuffer(field: string): Buffer | null {
    const length = this.#length(field, 1);
    if (length < 0) return null;
    const at = this.#offset;
    this.#offset = at + length;
    return this.#buffer.subarray(at, at + length);
  }

  /** @param minBytes the least that one item takes, at least 1; a count that cannot fit is refused unread */
  readVector<T>(field: string, read: (r: JuteReader, field: string) => T, minBytes = 1): T[] | null {
    const count = this.#length(field, Math.max(minBytes, 1));
    if (count < 0) return null;
    const items: T[] = [];
    for (let i = 0; i < count; i += 1) items.push(read(this, field));
    return items;
  }

  /** The same as readVector with readUstring, made for thousands of short names: they are decoded many at a time. */
  readUstringVector(field: string): (string | null)[] | null {
    const count = this.#length(field, 4);
    if (count < 0) return null;
    const items: (string | null)[] = [];
    if (count <= fewNames) {
      for (let i = 0; i < count; i += 1) items.push(this.readUstring(field));
      return items;
    }
    while (items.length < count) this.#readNames(field, count - items.length, items);
    return items;
  }

  readMap<K, V>(
    field: string,
    readKey: (r: JuteReader, field: string) => K,
    readValue: (r: JuteReader, field: string) => V,
    minBytes = 1,
  ): Map<K, V> | null {
    const count = this.#length(field, Math.max(minBytes, 1));
    if (count < 0) return null;
    const map = new Map<K, V>();
    for (let i = 0; i < count; i += 1) {
      const key = readKey(this, field);
      map.set(key, readValue(this, field));
    }
    return map;
  }

  // Some of the strings of a vector: as many as make up one piece, at least one.
  #readNames(field: string, most: number, into: (string | null)[]): void {
    const from = this.#offset;
    let count = 0;
    while (count < most && this.#offset - from < namesPiece) {
      const length = this.#length(field, 1);
      if (length > 0) this.#offset += length;
      lengths[count] = length;
      count += 1;
    }
    // Lengths below 128 are ASCII bytes too, so one look tells whether bytes and characters are the same thing here.
    const plain = isAscii(this.#buffer.subarray(from, this.#offset));
    const piece = plain ? this.#buffer.toString('latin1', from, this.#offset) : '';
    let at = 0;
    for (let i = 0; i < count; i += 1) {
      const length = lengths[i] as number;
      at += 4;
      if (length < 0) {
        into.push(null);
        continue;
      }
      into.push(plain ? piece.substring(at, at + length) : this.#string(from + at, from + at + length));
      at += length;
    }
  }

  #string(at: number, end: number): string {
    const buffer = this.#buffer;
    if (end - at > shortString) return buffer.toString('utf8', at, end);
    let text = '';
    let i = at;
    for (; i + 4 <= end; i += 4) {
      const a = buffer[i] as number;
      const b = buffer[i + 1] as number;
      const c = buffer[i + 2] as number;
      const d = buffer[i + 3] as number;
      if ((a | b | c | d) > 0x7f) return buffer.toString('utf8', at, end);
      text += String.fromCharCode(a, b, c, d);
    }
    for (; i < end; i += 1) {
      const a = buffer[i] as number;
      if (a > 0x7f) return buffer.toString('utf8', at, end);
      text += String.fromCharCode(a);
    }
    return text;
  }

  #take(size: number, field: string): number {
    const at = this.#offset;
    if (at + size > this.#end) throw this.#short(size, field);
    this.#offset = at + size;
    return at;
  }

  // A length or count of elements of at least `minBytes`; -1 is null, anything below is no length.
  #length(field: string, minBytes: number): number {
    const at = this.#offset;
    if (at + 4 > this.#end) throw this.#short(4, field);
    const length = intAt(this.#buffer, at);
    if (length < -1 || length * minBytes > this.#end - at - 4) throw this.#badLength(length, minBytes, field);
    this.#offset = at + 4;
    return length;
  }

  #short(size: number, field: string): JuteError {
    return new JuteError(field, this.#offset - this.#start, `${size} bytes needed, ${this.remaining} left`);
  }

  #badLength(length: number, minBytes: number, field: string): JuteError {
    const each = minBytes > 1 ? ` of at least ${minBytes} bytes each` : '';
    const problem = length < 0 ? `length ${length}` : `length ${length}${each}, ${this.remaining - 4} bytes left`;
    return new JuteError(field, this.#offset - this.#start, problem);
  }
}

function intAt(buffer: Buffer, at: number): number {
  return (
    ((buffer[at] as number) << 24) |
    ((buffer[at + 1] as number) << 16) |
    ((buffer[at + 2] as number) << 8) |
    (buffer[at + 3] as number)
  );
}
