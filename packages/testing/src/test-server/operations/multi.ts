import { ErrorCode, OpCode } from '@zookit/protocol';
import {
  readGetChildrenRequest,
  readGetDataRequest,
  readMultiHeader,
  writeErrorResponse,
  writeMultiHeader,
} from '@zookit/protocol/internal';
import type { JuteReader, JuteWriter } from 'jute-ts';
import type { Database, Outcome } from '../database.ts';
import { MalformedRequest, requirePath } from '../malformed.ts';
import { Refusal } from '../refusal.ts';
import { decodeCheck, decodeDelete, decodeSetData } from './change-node.ts';
import { decodeCreateInMulti } from './create.ts';
import type { Body, DecodeWrite, ReadContext, Write } from './operation.ts';
import { childrenBody, dataBody, readable } from './read-node.ts';

/** The type of a result that is an error. */
const errorType = -1;

const decoders: ReadonlyMap<number, DecodeWrite> = new Map<number, DecodeWrite>([
  [OpCode.create, decodeCreateInMulti],
  [OpCode.create2, decodeCreateInMulti],
  [OpCode.createContainer, decodeCreateInMulti],
  [OpCode.createTTL, decodeCreateInMulti],
  [OpCode.delete, decodeDelete],
  [OpCode.setData, decodeSetData],
  [OpCode.check, decodeCheck],
]);

/** multi: for each operation a MultiHeader and its request, then a MultiHeader that says done. */
export function decodeMulti(r: JuteReader, database: Database): Write[] {
  const writes: Write[] = [];
  for (let header = readMultiHeader(r); !header.done; header = readMultiHeader(r)) {
    const decode = database.profile.multiOpcodes.has(header.type) ? decoders.get(header.type) : undefined;
    if (decode === undefined) throw new MalformedRequest(`operation ${header.type} in a multi`);
    writes.push(decode(r, header.type, database));
  }
  return writes;
}

/** One result an operation: theirs, or for a transaction that failed 0, the code, and -2 for all after it. */
export function multiBody(writes: readonly Write[], outcome: Outcome): Body {
  return (w) => {
    writes.forEach((write, i) => {
      if (outcome.applied === null) {
        writeError(w, i < outcome.failed ? 0 : i === outcome.failed ? outcome.code : ErrorCode.RUNTIME_INCONSISTENCY);
        return;
      }
      const applied = outcome.applied[i];
      writeMultiHeader(w, { type: write.resultType, done: false, err: 0 });
      if (applied !== undefined) write.result(applied)?.(w);
    });
    writeEnd(w);
  };
}

/** multiRead: getData and getChildren, each with its own result or error; watches are not set. */
export function multiRead(r: JuteReader, context: ReadContext): Body {
  const results: ((w: JuteWriter) => void)[] = [];
  for (let header = readMultiHeader(r); !header.done; header = readMultiHeader(r)) {
    results.push(readOne(r, header.type, context));
  }
  return (w) => {
    for (const write of results) write(w);
    writeEnd(w);
  };
}

function readOne(r: JuteReader, type: number, context: ReadContext): (w: JuteWriter) => void {
  const request = readRequestOf(r, type);
  try {
    const node = readable(requirePath(request.path), context);
    const body = type === OpCode.getData ? dataBody(node) : childrenBody(node);
    return (w) => {
      writeMultiHeader(w, { type, done: false, err: 0 });
      body?.(w);
    };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return (w) => writeError(w, error.code);
  }
}

function readRequestOf(r: JuteReader, type: number): { path: string | null } {
  if (type === OpCode.getData) return readGetDataRequest(r);
  if (type === OpCode.getChildren) return readGetChildrenRequest(r);
  throw new MalformedRequest(`operation ${type} in a multiRead`);
}

function writeError(w: JuteWriter, err: number): void {
  writeMultiHeader(w, { type: errorType, done: false, err });
  writeErrorResponse(w, { err });
}

function writeEnd(w: JuteWriter): void {
  writeMultiHeader(w, { type: -1, done: true, err: -1 });
}
