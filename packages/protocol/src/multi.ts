import type { JuteReader, JuteWriter } from 'jute-ts';
import { zooKeeperError } from './errors.ts';
import { OpCode } from './opcodes.ts';
import {
  type MultiHeader,
  readCreate2Response,
  readCreateResponse,
  readErrorResponse,
  readGetChildrenResponse,
  readGetDataResponse,
  readMultiHeader,
  readSetDataResponse,
  type Stat,
  writeMultiHeader,
} from './records.ts';

// multi, multiRead: for each operation a MultiHeader { its opcode, false, -1 } and its request, then { -1, true, -1 }
// -> for each operation a MultiHeader { opcode, false, 0 } and its response, or { -1, false, code } and an ErrorResponse;
//    then a header that says done

/** One operation of a list: its opcode, and its request without a header. */
export interface MultiOperation {
  readonly type: number;
  write(writer: JuteWriter): void;
}

/** What became of one operation of a list. */
export type MultiResult =
  /** `errno` 0 for those before the one that failed. */
  | { readonly kind: 'error'; readonly errno: number }
  /** `stat` is null where the answer is that of a plain create, whatever was asked for (ZOOKEEPER-4026). */
  | { readonly kind: 'create'; readonly path: string | null; readonly stat: Stat | null }
  | { readonly kind: 'stat'; readonly stat: Stat }
  /** Of delete and check. */
  | { readonly kind: 'nothing' }
  /** `data` is a view of the bytes that were read. */
  | { readonly kind: 'data'; readonly data: Buffer | null; readonly stat: Stat }
  | { readonly kind: 'children'; readonly children: (string | null)[] };

const ERROR_TYPE = -1;
const nothing: MultiResult = { kind: 'nothing' };

export function writeMulti(writer: JuteWriter, operations: readonly MultiOperation[]): void {
  for (const operation of operations) {
    writeMultiHeader(writer, { type: operation.type, done: false, err: -1 });
    operation.write(writer);
  }
  writeMultiHeader(writer, { type: ERROR_TYPE, done: true, err: -1 });
}

/**
 * Reads the results up to the header that says done, whatever its type: zetcd's is 14. Each is read by the type that its own
 * header names. Throws a ProtocolError on a type that has no known form: what follows it can't be found.
 */
export function readMulti(reader: JuteReader): MultiResult[] {
  const results: MultiResult[] = [];
  for (let header = readMultiHeader(reader); !header.done; header = readMultiHeader(reader)) {
    results.push(readResult(reader, header));
  }
  return results;
}

function readResult(reader: JuteReader, { type, err }: MultiHeader): MultiResult {
  if (type === ERROR_TYPE) return { kind: 'error', errno: readErrorResponse(reader).err };
  // ClickHouse Keeper leaves the operation's own type on a read that failed, and sends no ErrorResponse.
  if (err !== 0) return { kind: 'error', errno: err };
  switch (type) {
    case OpCode.create:
      return { kind: 'create', path: readCreateResponse(reader).path, stat: null };
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL: {
      const { path, stat } = readCreate2Response(reader);
      return { kind: 'create', path, stat };
    }
    case OpCode.setData:
      return { kind: 'stat', stat: readSetDataResponse(reader).stat };
    case OpCode.delete:
    case OpCode.check:
      return nothing;
    case OpCode.getData: {
      const { data, stat } = readGetDataResponse(reader);
      return { kind: 'data', data, stat };
    }
    case OpCode.getChildren:
      return { kind: 'children', children: readGetChildrenResponse(reader).children ?? [] };
    default:
      throw zooKeeperError('PROTOCOL', { message: `a result of the unknown type ${type} in a list` });
  }
}
