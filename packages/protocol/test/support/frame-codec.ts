import { JuteReader, JuteWriter } from 'jute-ts';
import { bodies, type RecordReader } from '../../src/bodies.ts';
import { type FrameKind, OpCode, Xid } from '../../src/index.ts';
import * as records from '../../src/records.ts';

/** A part of a frame: what writes it, and its value. */
export type Part = [write: Write, value: unknown];

type Write = (writer: JuteWriter, value: unknown) => void;
const functions = records as unknown as Record<string, Write>;

/** The writer of each record by its reader. */
const writers = new Map(
  Object.entries(functions)
    .filter(([name]) => name.startsWith('read'))
    .map(([name, read]) => [read as unknown as RecordReader, functions[`write${name.slice(4)}`] as Write]),
);
const writeBoolean: Write = (writer, value) => writer.writeBoolean(value as boolean);

const read = (record: RecordReader, reader: JuteReader): Part => [writers.get(record) as Write, record(reader)];

/** Reads all of a frame by the records that its kind and its headers call for. Throws JuteError. */
export function decodeFrame(body: Buffer, kind: FrameKind): { parts: Part[]; left: number } {
  const reader = new JuteReader(body);
  const parts = typeof kind === 'string' ? opening(reader, kind) : answer(reader, kind.answerTo);
  return { parts, left: reader.remaining };
}

function opening(reader: JuteReader, kind: Extract<FrameKind, string>): Part[] {
  if (kind === 'request') {
    const header = read(records.readRequestHeader, reader);
    const { type } = header[1] as records.RequestHeader;
    if (type === OpCode.multi || type === OpCode.multiRead) return [header, ...list(reader, 'request')];
    const record = bodies[type]?.request;
    return record ? [header, read(record, reader)] : [header];
  }
  const record = read(kind === 'connect-request' ? records.readConnectRequest : records.readConnectResponse, reader);
  return reader.remaining > 0 ? [record, [writeBoolean, reader.readBoolean('readOnly')]] : [record];
}

function answer(reader: JuteReader, opcode: number): Part[] {
  const header = read(records.readReplyHeader, reader);
  const { xid, err } = header[1] as records.ReplyHeader;
  if (xid === Xid.notification) return [header, read(records.readWatcherEvent, reader)];
  if (err !== 0 || xid === Xid.ping) return [header];
  if (opcode === OpCode.multi || opcode === OpCode.multiRead) return [header, ...list(reader, 'reply')];
  const record = bodies[opcode]?.reply;
  return record ? [header, read(record, reader)] : [header];
}

function list(reader: JuteReader, side: 'request' | 'reply'): Part[] {
  const parts: Part[] = [];
  for (;;) {
    const header = read(records.readMultiHeader, reader);
    parts.push(header);
    const { type, done } = header[1] as records.MultiHeader;
    if (done) return parts;
    const record = type === -1 ? records.readErrorResponse : bodies[type]?.[side];
    if (record) parts.push(read(record, reader));
  }
}

export function encodeFrame(parts: readonly Part[]): Buffer {
  const writer = new JuteWriter();
  for (const [write, value] of parts) write(writer, value);
  return writer.take();
}

/** How much has been made of a frame: items of lists, and bytes of texts and buffers. */
export function extent(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (Buffer.isBuffer(value)) return value.length;
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + 1 + extent(item), 0);
  if (typeof value === 'object' && value !== null) return extent(Object.values(value)) - Object.keys(value).length;
  return 0;
}
