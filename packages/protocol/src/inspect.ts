import { inspect, JuteError, JuteReader, parse, type RecordType } from 'jute-ts';
import { bodies, type RecordName } from './bodies.ts';
import { idl } from './idl.ts';
import { OpCode, Xid } from './opcodes.ts';
import * as records from './records.ts';

/** Which frame it is: of the handshake, a request, or the answer to a request of this opcode. */
export type FrameKind = 'connect-request' | 'connect-response' | 'request' | { answerTo: number };

/** What only the two ends should know. */
const secrets: ReadonlySet<string> = new Set([
  'ConnectRequest.passwd',
  'ConnectResponse.passwd',
  'AuthPacket.auth',
  'GetSASLRequest.token',
  'SetSASLResponse.token',
]);

const nowhere = { file: '', line: 0, column: 0 };
/** The byte that both records of the handshake may end with. */
const readOnlyByte: RecordType = {
  ...{ name: 'ReadOnly', module: '', at: nowhere },
  fields: [{ name: 'readOnly', type: { kind: 'boolean' }, at: nowhere }],
};

let known: ReadonlyMap<string, RecordType> | null = null;

/** Parsed when it is first asked for: only people who look at frames need it. */
function recordType(name: RecordName): RecordType {
  if (known === null) {
    known = new Map(parse(idl, { file: 'zookeeper.jute' }).records.map((record) => [record.name, record]));
  }
  return known.get(name) as RecordType;
}

/**
 * Shows a frame (without its length prefix) to a person: its name, then a line for each field with its offset, bytes and
 * value. Passwords, credentials and tokens are left out; data and paths are not. Never throws: bytes that are no such frame
 * are shown as far as they can be read, then what is wrong with them.
 */
export function inspectFrame(body: Uint8Array, kind: FrameKind): string {
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const { title, layout } = describe(buffer, kind);
  return `${title}, ${body.length} bytes\n${inspect(body, layout, { hide: secrets })}`;
}

function describe(body: Buffer, kind: FrameKind): { title: string; layout: RecordType[] } {
  if (kind === 'connect-request' || kind === 'connect-response') {
    const name = kind === 'connect-request' ? 'ConnectRequest' : 'ConnectResponse';
    // A server that makes no sessions answers with a bare header of 16 bytes.
    if (kind === 'connect-response' && body.length === 16)
      return { title: 'refusal', layout: [recordType('ReplyHeader')] };
    return { title: kind.replace('-', ' '), layout: withRest(body, [recordType(name)], readOnlyByte) };
  }
  return kind === 'request' ? request(body) : answer(body, kind.answerTo);
}

function request(body: Buffer): { title: string; layout: RecordType[] } {
  const layout = [recordType('RequestHeader')];
  if (body.length < 8) return { title: 'request', layout };
  const opcode = body.readInt32BE(4);
  if (isList(opcode)) layout.push(...list(body.subarray(8), (type) => bodies[type]?.request ?? null));
  else layout.push(...named(bodies[opcode]?.request));
  return { title: `${nameOf(opcode)} request`, layout };
}

function answer(body: Buffer, opcode: number): { title: string; layout: RecordType[] } {
  const layout = [recordType('ReplyHeader')];
  if (body.length < 16) return { title: 'reply', layout };
  const xid = body.readInt32BE(0);
  if (xid === Xid.notification) return { title: 'watch event', layout: [...layout, recordType('WatcherEvent')] };
  const actual = xid === Xid.ping ? OpCode.ping : opcode;
  const title = `${nameOf(actual)} reply`;
  if (isList(actual)) {
    if (body.length > 16) layout.push(...list(body.subarray(16), resultOf));
    return { title, layout };
  }
  const [record] = named(bodies[actual]?.reply);
  return { title, layout: record === undefined ? layout : withRest(body, layout, record) };
}

/** Bodies that may be missing: of an error, of an addWatch, the last byte of a handshake. */
function withRest(body: Buffer, layout: RecordType[], last: RecordType): RecordType[] {
  const reader = new JuteReader(body);
  try {
    for (const { name } of layout) readerOf(name as RecordName)(reader);
  } catch (error) {
    if (!(error instanceof JuteError)) throw error;
    return layout;
  }
  return reader.remaining > 0 ? [...layout, last] : layout;
}

/** The records of a multi: each header, and what it announces, as far as they can be read. */
function list(body: Buffer, announced: (type: number, err: number) => RecordName | null): RecordType[] {
  const layout: RecordType[] = [];
  const reader = new JuteReader(body);
  try {
    for (;;) {
      layout.push(recordType('MultiHeader'));
      const { type, done, err } = records.readMultiHeader(reader);
      if (done) return layout;
      const name = announced(type, err);
      if (name === null) continue;
      layout.push(recordType(name));
      readerOf(name)(reader);
    }
  } catch (error) {
    if (!(error instanceof JuteError)) throw error;
    return layout;
  }
}

function resultOf(type: number, err: number): RecordName | null {
  if (type === -1) return 'ErrorResponse';
  return err === 0 ? (bodies[type]?.reply ?? null) : null;
}

function isList(opcode: number): boolean {
  return opcode === OpCode.multi || opcode === OpCode.multiRead;
}

function named(name: RecordName | null | undefined): RecordType[] {
  return name ? [recordType(name)] : [];
}

function readerOf(name: RecordName): (reader: JuteReader) => unknown {
  // biome-ignore lint/performance/noDynamicNamespaceImportAccess: whoever doesn't look at frames doesn't bundle this file
  return records[`read${name}`];
}

const names: ReadonlyMap<number, string> = new Map(Object.entries(OpCode).map(([name, number]) => [number, name]));

function nameOf(opcode: number): string {
  return names.get(opcode) ?? `opcode ${opcode}`;
}
