import { type ErrorCode, OpCode } from '@zookit/protocol';
import {
  readCheckVersionRequest,
  readCreateRequest,
  readCreateTTLRequest,
  readDeleteRequest,
  readGetChildrenRequest,
  readMultiHeader,
  readSetDataRequest,
} from '@zookit/protocol/internal';
import { JuteError, JuteReader } from 'jute-ts';
import { families } from '../request-families.ts';

/** What an interceptor sees of an operation: of a request, or of a part of a multi. */
export interface ObservedOperation {
  /**
   * What is asked for, whichever request the client uses for it: `create` for create2, createContainer and createTTL too,
   * `getChildren` for getChildren2, `setWatches` for setWatches2; else as `wireType`.
   */
  readonly type: string;
  /** Apache's name of the very request, such as `create2`; `connect` for a handshake; `opcode 77` for one without a name. */
  readonly wireType: string;
  /** The number of `wireType`; -10 for a handshake. */
  readonly opcode: number;
  readonly path: string | null;
}

/** A request as interceptors see it. */
export interface ObservedRequest extends ObservedOperation {
  /** What is in a multi or multiRead; else empty. */
  readonly operations: readonly ObservedOperation[];
  /** The session of the connection; in a handshake the one that is asked for, 0 for a new one. */
  readonly sessionId: bigint;
  readonly member: number;
}

/**
 * What becomes of a request. `drop-request`: not applied, no reply. `drop-reply`: applied, no reply.
 * `disconnect-before`: the connection is cut and nothing is applied. `disconnect-after`: it is applied, then the
 * connection is cut without a reply. `delay`: it, and what comes behind it on its connection, waits so many
 * milliseconds. `error`: not applied, the reply carries the code, a number or its name (`NO_NODE`).
 */
export type Verdict =
  | 'pass'
  | 'drop-request'
  | 'drop-reply'
  | 'disconnect-before'
  | 'disconnect-after'
  | { readonly delay: number }
  | { readonly error: number | Exclude<keyof typeof ErrorCode, 'OK'> };

/**
 * Decides about a request; `undefined` is `pass`. Of a promise the request, and what comes behind it on its connection,
 * waits for the verdict. When it throws, rejects or decides what is no verdict, the request is answered with
 * SYSTEM_ERROR unapplied, and the server's `stop()` rejects with the error.
 */
export type Interceptor = (request: ObservedRequest) => Verdict | undefined | PromiseLike<Verdict | undefined>;

/** Something that happened in the server. */
export interface ServerLogEntry {
  /** Milliseconds, by the server's clock. */
  readonly at: number;
  readonly event:
    | 'connection'
    | 'disconnection'
    | 'session'
    | 'session-resumed'
    | 'session-refused'
    | 'session-expired'
    | 'session-closed'
    | 'request'
    | 'reply'
    | 'watch-event';
  readonly member: number;
  readonly sessionId: bigint;
  /** The `wireType` of the request, for requests and replies. */
  readonly type?: string;
  readonly path?: string | null;
  readonly zxid?: bigint;
  readonly err?: number;
}

const names: ReadonlyMap<number, string> = new Map(Object.entries(OpCode).map(([name, opcode]) => [opcode, name]));

const withoutPath: readonly number[] = [
  OpCode.ping,
  OpCode.auth,
  OpCode.sasl,
  OpCode.setWatches,
  OpCode.setWatches2,
  OpCode.reconfig,
  OpCode.whoAmI,
  OpCode.closeSession,
];

const familyOf: ReadonlyMap<string, string> = new Map(
  Object.entries(families).flatMap(([family, members]) => members.map((name) => [name, family])),
);

/** A handshake has no request type on the wire; this is Apache's internal one. */
const connectOpcode = -10;

export function observeHandshake(sessionId: bigint, member: number): ObservedRequest {
  const type = 'connect';
  return { type, wireType: type, opcode: connectOpcode, path: null, operations: [], sessionId, member };
}

export function operationName(opcode: number): string {
  return names.get(opcode) ?? `opcode ${opcode}`;
}

/** Describes a request from its body, which is left unread and may be malformed. */
export function observe(opcode: number, body: Buffer, sessionId: bigint, member: number): ObservedRequest {
  const r = new JuteReader(body);
  const bare = { ...operation(opcode, null), operations: [], sessionId, member };
  if (!names.has(opcode) || withoutPath.includes(opcode)) return bare;
  try {
    if (opcode === OpCode.multi || opcode === OpCode.multiRead) return { ...bare, operations: operationsOf(r) };
    return { ...bare, path: r.readUstring('path') };
  } catch (error) {
    if (error instanceof JuteError) return bare;
    throw error;
  }
}

function operation(opcode: number, path: string | null): ObservedOperation {
  const wireType = operationName(opcode);
  return { type: familyOf.get(wireType) ?? wireType, wireType, opcode, path };
}

function operationsOf(r: JuteReader): ObservedOperation[] {
  const operations: ObservedOperation[] = [];
  for (let header = readMultiHeader(r); !header.done; header = readMultiHeader(r)) {
    const path = pathOfNext(r, header.type);
    if (path === undefined) return operations;
    operations.push(operation(header.type, path));
  }
  return operations;
}

function pathOfNext(r: JuteReader, opcode: number): string | null | undefined {
  switch (opcode) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
      return readCreateRequest(r).path;
    case OpCode.createTTL:
      return readCreateTTLRequest(r).path;
    case OpCode.delete:
      return readDeleteRequest(r).path;
    case OpCode.setData:
      return readSetDataRequest(r).path;
    case OpCode.check:
      return readCheckVersionRequest(r).path;
    case OpCode.getData:
    case OpCode.getChildren:
      return readGetChildrenRequest(r).path;
    default:
      return undefined;
  }
}
