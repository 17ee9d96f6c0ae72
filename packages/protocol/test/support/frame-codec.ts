import { JuteReader, JuteWriter } from 'jute-ts';
import { bodies, type RecordName } from '../../src/bodies.ts';
import { type FrameKind, OpCode, Xid } from '../../src/index.ts';
import * as records from '../../src/records.ts';

/** A part of a frame: a record and its value, or the boolean that a handshake may end with. */
export type Part = [name: RecordName | 'readOnly', value: unknown];

type Read = (reader: JuteReader) => unknown;
type Write = (writer: JuteWriter, value: unknown) => void;
const functions = records as unknown as Record<string, Read & Write>;

const read = (name: RecordName, reader: JuteReader): Part => [name, (functions[`read${name}`] as Read)(reader)];

/** Reads all of a frame by the records that its kind and its headers call for. Throws JuteError. */
export function decodeFrame(body: Buffer, kind: FrameKind): { parts: Part[]; left: number } {
  const reader = new JuteReader(body);
  const parts = typeof kind === 'string' ? opening(reader, kind) : answer(reader, kind.answerTo);
  return { parts, left: reader.remaining };
}

function opening(reader: JuteReader, kind: Extract<FrameKind, string>): Part[] {
  if (kind === 'request') {
    const header = read('RequestHeader', reader);
    const { type } = header[1] as records.RequestHeader;
    if (type === OpCode.multi || type === OpCode.multiRead) return [header, ...list(reader, 'request')];
    const name = bodies[type]?.request;
    return name ? [header, read(name, reader)] : [header];
  }
  const record = read(kind === 'connect-request' ? 'ConnectRequest' : 'ConnectResponse', reader);
  return reader.remaining > 0 ? [record, ['readOnly', reader.readBoolean('readOnly')]] : [record];
}

function answer(reader: JuteReader, opcode: number): Part[] {
  const header = read('ReplyHeader', reader);
  const { xid, err } = header[1] as records.ReplyHeader;
  if (xid === Xid.notification) return [header, read('WatcherEvent', reader)];
  if (err !== 0 || xid === Xid.ping) return [header];
  if (opcode === OpCode.multi || opcode === OpCode.multiRead) return [header, ...list(reader, 'reply')];
  const name = bodies[opcode]?.reply;
  return name ? [header, read(name, reader)] : [header];
}

function list(reader: JuteReader, side: 'request' | 'reply'): Part[] {
  const parts: Part[] = [];
  for (;;) {
    const header = read('MultiHeader', reader);
    parts.push(header);
    const { type, done } = header[1] as records.MultiHeader;
    if (done) return parts;
    const name = type === -1 ? 'ErrorResponse' : bodies[type]?.[side];
    if (name) parts.push(read(name, reader));
  }
}

export function encodeFrame(parts: readonly Part[]): Buffer {
  const writer = new JuteWriter();
  for (const [name, value] of parts) {
    if (name === 'readOnly') writer.writeBoolean(value as boolean);
    else (functions[`write${name}`] as Write)(writer, value);
  }
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
