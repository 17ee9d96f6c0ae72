import { inspect, type JuteReader } from 'jute-ts';
import { bodies, type RecordReader } from './bodies.ts';
import { OpCode, Xid } from './opcodes.ts';
import {
  readConnectRequest,
  readConnectResponse,
  readErrorResponse,
  readMultiHeader,
  readReplyHeader,
  readRequestHeader,
  readWatcherEvent,
} from './records.ts';

/** Which frame it is: of the handshake, a request, or the answer to a request of this opcode. */
export type FrameKind = 'connect-request' | 'connect-response' | 'request' | { answerTo: number };

interface Shown {
  title: string;
  read(reader: JuteReader): void;
}

/** What only the two ends should know. */
const secrets: ReadonlySet<string> = new Set([
  'ConnectRequest.passwd',
  'ConnectResponse.passwd',
  'AuthPacket.auth',
  'GetSASLRequest.token',
  'SetSASLResponse.token',
]);

/**
 * Shows a frame (without its length prefix) to a person: its name, then a line for each field with its offset, bytes and
 * value. Passwords, credentials and tokens are left out; data and paths are not. Never throws: bytes that are no such frame
 * are shown as far as they can be read, then what is wrong with them.
 */
export function inspectFrame(body: Uint8Array, kind: FrameKind): string {
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const { title, read } = typeof kind === 'string' ? opening(buffer, kind) : answer(buffer, kind.answerTo);
  const hide = hasSecrets(buffer, kind) ? secrets : undefined;
  return `${title}, ${body.length} bytes\n${inspect(body, read, hide && { hide })}`;
}

function hasSecrets(body: Buffer, kind: FrameKind): boolean {
  if (kind === 'connect-request' || kind === 'connect-response') return true;
  const opcode = kind === 'request' ? (body.length < 8 ? null : body.readInt32BE(4)) : kind.answerTo;
  return opcode === OpCode.auth || opcode === OpCode.sasl;
}

function opening(body: Buffer, kind: Extract<FrameKind, string>): Shown {
  if (kind === 'request') return request(body);
  // A server that makes no sessions answers with a bare header of 16 bytes.
  if (kind === 'connect-response' && body.length === 16) return { title: 'refusal', read: readReplyHeader };
  const readBody = kind === 'connect-request' ? readConnectRequest : readConnectResponse;
  const read = (reader: JuteReader): void => {
    readBody(reader);
    if (reader.remaining > 0) reader.readBoolean('readOnly');
  };
  return { title: kind.replace('-', ' '), read };
}

function request(body: Buffer): Shown {
  if (body.length < 8) return { title: 'request', read: readRequestHeader };
  const opcode = body.readInt32BE(4);
  const read = (reader: JuteReader): void => {
    readRequestHeader(reader);
    if (isList(opcode)) readList(reader, (type) => bodies[type]?.request ?? null);
    else bodies[opcode]?.request?.(reader);
  };
  return { title: `${nameOf(opcode)} request`, read };
}

function answer(body: Buffer, asked: number): Shown {
  const xid = body.length < 4 ? 0 : body.readInt32BE(0);
  const opcode = xid === Xid.ping ? OpCode.ping : asked;
  const read = (reader: JuteReader): void => {
    readReplyHeader(reader);
    if (xid === Xid.notification) readWatcherEvent(reader);
    // An error has no body, and there are servers whose addWatch has none.
    else if (reader.remaining === 0) return;
    else if (isList(opcode)) readList(reader, resultOf);
    else bodies[opcode]?.reply?.(reader);
  };
  return { title: xid === Xid.notification ? 'watch event' : `${nameOf(opcode)} reply`, read };
}

/** The list of a multi: each header, and what it announces. */
function readList(reader: JuteReader, announced: (type: number, err: number) => RecordReader | null): void {
  for (let header = readMultiHeader(reader); !header.done; header = readMultiHeader(reader)) {
    announced(header.type, header.err)?.(reader);
  }
}

function resultOf(type: number, err: number): RecordReader | null {
  if (type === -1) return readErrorResponse;
  return err === 0 ? (bodies[type]?.reply ?? null) : null;
}

function isList(opcode: number): boolean {
  return opcode === OpCode.multi || opcode === OpCode.multiRead;
}

const names: ReadonlyMap<number, string> = new Map(Object.entries(OpCode).map(([name, number]) => [number, name]));

function nameOf(opcode: number): string {
  return names.get(opcode) ?? `opcode ${opcode}`;
}
