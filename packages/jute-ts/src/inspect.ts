import { JuteError } from './errors.ts';
import { type FieldType, leastBytes, type RecordType } from './idl/schema.ts';
import { JuteReader } from './reader.ts';

const rowBytes = 16;

export interface InspectOptions {
  /** Fields by `Record.field` of which only the length is shown. When one of them is there, a rest that can't be read isn't shown either. */
  hide?: ReadonlySet<string>;
}

/** What is being shown, and what has been written of it. */
interface Sheet {
  readonly reader: JuteReader;
  readonly buffer: Buffer;
  readonly lines: string[];
  readonly hide: ReadonlySet<string>;
}

/**
 * Shows bytes to a person: as hexadecimal in groups of four, with offsets and characters; with a record from
 * `parse(…).records`, or several that follow one another, a line for each field, with its bytes and its value. Bytes that
 * are not those records are no error: what can be read is shown, then what is wrong, then the rest. Nothing is held back but
 * what `hide` names: in a log it would show passwords.
 */
export function inspect(
  bytes: Uint8Array,
  records?: RecordType | readonly RecordType[],
  { hide = new Set() }: InspectOptions = {},
): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!records) return hexRows(buffer, 0).join('\n');
  const sequence = 'fields' in records ? [records] : records;
  const sheet: Sheet = { reader: new JuteReader(buffer), buffer, lines: [], hide };
  const { reader, lines } = sheet;
  let trouble: string | undefined;
  try {
    for (const record of sequence) {
      lines.push(record.name);
      for (const field of record.fields) {
        if (hide.has(`${record.name}.${field.name}`)) hidden(sheet, field.name);
        else walk(sheet, field.type, field.name);
      }
    }
    if (reader.remaining > 0) trouble = `${reader.remaining} bytes more`;
  } catch (error) {
    if (!(error instanceof JuteError)) throw error;
    trouble = error.message;
  }
  if (trouble !== undefined) {
    lines.push(`-- ${trouble}`);
    const secret = sequence.some((record) => record.fields.some((field) => hide.has(`${record.name}.${field.name}`)));
    if (!secret) lines.push(...hexRows(buffer, reader.offset));
  }
  return lines.join('\n');
}

/** A buffer or text whose content is nobody's business. */
function hidden({ reader, buffer, lines }: Sheet, path: string): void {
  const start = reader.offset;
  const value = reader.readBuffer(path);
  const text = value === null ? 'null' : `${value.length} bytes, not shown`;
  lines.push(line(buffer.subarray(start, start + 4), start, path, text));
}

function walk(sheet: Sheet, type: FieldType, path: string): void {
  const { reader, buffer, lines } = sheet;
  if (type.kind === 'record') {
    for (const field of type.record.fields) walk(sheet, field.type, `${path}.${field.name}`);
    return;
  }
  const start = reader.offset;
  if (type.kind !== 'vector' && type.kind !== 'map') {
    const value = valueText(reader, type.kind, path);
    lines.push(line(buffer.subarray(start, reader.offset), start, path, value));
    return;
  }
  const head = buffer.subarray(start, start + 4);
  if (head.length === 4) {
    const count = head.readInt32BE();
    lines.push(line(head, start, path, count === -1 ? 'null' : `${count} items`));
  }
  let index = 0;
  if (type.kind === 'vector') {
    const item = (): void => walk(sheet, type.of, `${path}[${index++}]`);
    reader.readVector(path, item, leastBytes(type.of));
  } else {
    const key = (): void => walk(sheet, type.key, `${path}[${index}].key`);
    const value = (): void => walk(sheet, type.value, `${path}[${index++}].value`);
    reader.readMap(path, key, value, leastBytes(type.key) + leastBytes(type.value));
  }
}

function valueText(reader: JuteReader, kind: Exclude<FieldType['kind'], 'record' | 'vector' | 'map'>, path: string) {
  switch (kind) {
    case 'boolean':
      return String(reader.readBoolean(path));
    case 'byte':
      return String(reader.readByte(path));
    case 'int':
      return String(reader.readInt(path));
    case 'float':
      return String(reader.readFloat(path));
    case 'double':
      return String(reader.readDouble(path));
    case 'long': {
      const value = reader.readLong(path);
      return `${value} (0x${BigInt.asUintN(64, value).toString(16)})`;
    }
    case 'ustring':
      return JSON.stringify(reader.readUstring(path));
    case 'buffer': {
      const value = reader.readBuffer(path);
      return value === null ? 'null' : `${value.length} bytes`;
    }
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
