import { JuteError } from './errors.ts';
import { type FieldType, leastBytes, type RecordType } from './idl/schema.ts';
import { JuteReader } from './reader.ts';

const rowBytes = 16;

export interface InspectOptions {
  /** Fields, by the names that they are read by, of which only the length is shown. With any, a rest that can't be read isn't shown either. */
  hide?: ReadonlySet<string>;
}

/**
 * Shows bytes to a person: as hexadecimal in groups of four, with offsets and characters; with a record from
 * `parse(…).records`, or a function that reads, a line for each field, with its bytes and its value. Bytes that are not what
 * is read are no error: what can be read is shown, then what is wrong, then the rest. Nothing is held back but what
 * `hide` names: in a log it would show passwords.
 */
export function inspect(
  bytes: Uint8Array,
  as?: RecordType | ((reader: JuteReader) => unknown),
  { hide = new Set() }: InspectOptions = {},
): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!as) return hexRows(buffer, 0).join('\n');
  const reader = new NotingReader(buffer, hide);
  const { lines } = reader;
  let trouble: string | undefined;
  try {
    if (typeof as === 'function') as(reader);
    else {
      lines.push(as.name);
      for (const field of as.fields) walk(reader, field.type, field.name);
    }
    if (reader.remaining > 0) trouble = `${reader.remaining} bytes more`;
  } catch (error) {
    if (!(error instanceof JuteError)) throw error;
    trouble = error.message;
  }
  if (trouble !== undefined) lines.push(`-- ${trouble}`, ...(hide.size > 0 ? [] : hexRows(buffer, reader.offset)));
  return lines.join('\n');
}

/** Reads, and writes a line for each value that was read. */
class NotingReader extends JuteReader {
  readonly lines: string[] = [];
  readonly #bytes: Buffer;
  readonly #hide: ReadonlySet<string>;

  constructor(bytes: Buffer, hide: ReadonlySet<string>) {
    super(bytes);
    this.#bytes = bytes;
    this.#hide = hide;
  }

  override readBoolean(field: string): boolean {
    return this.#noted(field, () => super.readBoolean(field), String);
  }

  override readByte(field: string): number {
    return this.#noted(field, () => super.readByte(field), String);
  }

  override readInt(field: string): number {
    return this.#noted(field, () => super.readInt(field), String);
  }

  override readLong(field: string): bigint {
    const text = (value: bigint): string => `${value} (0x${BigInt.asUintN(64, value).toString(16)})`;
    return this.#noted(field, () => super.readLong(field), text);
  }

  override readFloat(field: string): number {
    return this.#noted(field, () => super.readFloat(field), String);
  }

  override readDouble(field: string): number {
    return this.#noted(field, () => super.readDouble(field), String);
  }

  override readUstring(field: string): string | null {
    return this.#noted(field, () => super.readUstring(field), JSON.stringify);
  }

  override readBuffer(field: string): Buffer | null {
    return this.#noted(
      field,
      () => super.readBuffer(field),
      (value) => (value === null ? 'null' : `${value.length} bytes`),
    );
  }

  override readVector<T>(field: string, read: (r: JuteReader, field: string) => T, minBytes?: number): T[] | null {
    this.#noteCount(field);
    let index = 0;
    return super.readVector(field, () => read(this, `${field}[${index++}]`), minBytes);
  }

  override readUstringVector(field: string): (string | null)[] | null {
    return this.readVector(field, (reader, item) => reader.readUstring(item), 4);
  }

  override readMap<K, V>(
    field: string,
    readKey: (r: JuteReader, field: string) => K,
    readValue: (r: JuteReader, field: string) => V,
    minBytes?: number,
  ): Map<K, V> | null {
    this.#noteCount(field);
    let index = 0;
    return super.readMap(
      field,
      () => readKey(this, `${field}[${index}].key`),
      () => readValue(this, `${field}[${index++}].value`),
      minBytes,
    );
  }

  /** What is read in between, as a boolean is by a byte, is part of it. */
  #noting = false;

  #noted<T>(field: string, read: () => T, text: (value: T) => string): T {
    if (this.#noting) return read();
    const start = this.offset;
    this.#noting = true;
    try {
      const value = read();
      const bytes = this.#bytes.subarray(start, this.offset);
      if (!this.#hide.has(field)) this.lines.push(line(bytes, start, field, text(value)));
      else {
        const length = value === null ? 'null' : `${bytes.length - 4} bytes, not shown`;
        this.lines.push(line(bytes.subarray(0, 4), start, field, length));
      }
      return value;
    } finally {
      this.#noting = false;
    }
  }

  #noteCount(field: string): void {
    const head = this.#bytes.subarray(this.offset, this.offset + 4);
    if (head.length < 4) return;
    const count = head.readInt32BE();
    this.lines.push(line(head, this.offset, field, count === -1 ? 'null' : `${count} items`));
  }
}

function walk(reader: JuteReader, type: FieldType, path: string): void {
  switch (type.kind) {
    case 'record':
      for (const field of type.record.fields) walk(reader, field.type, `${path}.${field.name}`);
      return;
    case 'vector':
      reader.readVector(path, (r, item) => walk(r, type.of, item), leastBytes(type.of));
      return;
    case 'map': {
      const least = leastBytes(type.key) + leastBytes(type.value);
      reader.readMap(
        path,
        (r, key) => walk(r, type.key, key),
        (r, value) => walk(r, type.value, value),
        least,
      );
      return;
    }
    case 'boolean':
      reader.readBoolean(path);
      return;
    case 'byte':
      reader.readByte(path);
      return;
    case 'int':
      reader.readInt(path);
      return;
    case 'long':
      reader.readLong(path);
      return;
    case 'float':
      reader.readFloat(path);
      return;
    case 'double':
      reader.readDouble(path);
      return;
    case 'ustring':
      reader.readUstring(path);
      return;
    case 'buffer':
      reader.readBuffer(path);
      return;
  }
}

function line(bytes: Buffer, offset: number, path: string, value: string): string {
  const shown = hex(bytes.subarray(0, rowBytes)) + (bytes.length > rowBytes ? ' …' : '');
  return `${address(offset)}  ${shown.padEnd(37)}  ${path} = ${value}`;
}

function hexRows(buffer: Buffer, from: number): string[] {
  const rows: string[] = [];
  for (let at = from; at < buffer.length; at += rowBytes) {
    const row = buffer.subarray(at, at + rowBytes);
    const text = row.toString('latin1').replace(/[^ -~]/g, '.');
    rows.push(`${address(at)}  ${hex(row).padEnd(37)}  ${text}`);
  }
  return rows;
}

function hex(bytes: Buffer): string {
  return bytes.toString('hex').replace(/.{8}(?=.)/g, '$& ');
}

function address(offset: number): string {
  return offset.toString(16).padStart(6, '0');
}
