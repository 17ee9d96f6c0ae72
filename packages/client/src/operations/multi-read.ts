import { errorFromReply, OpCode, type Stat, type ZooKeeperError, zooKeeperError } from '@zookit/protocol';
import {
  type MultiResult,
  readMulti,
  writeGetChildrenRequest,
  writeGetDataRequest,
  writeMulti,
} from '@zookit/protocol/internal';
import { keepable } from '../data.ts';
import type { Operation } from './operation.ts';

/** One read of several. */
export interface Read {
  readonly name: 'get' | 'children';
  /** As the caller wrote it. */
  readonly path: string;
  readonly serverPath: string;
}

/** What a read of several tells, or why it tells nothing. */
export type ReadOutcome = { data: Buffer | null; stat: Stat } | { children: string[] } | ZooKeeperError;

// multiRead (3.6): a list of getData and getChildren, see the protocol's multi.ts -> a list of results, each for itself
export const multiRead: Operation<readonly Read[], ReadOutcome[]> = {
  name: 'multiRead',
  opcode: OpCode.multiRead,
  repeatable: true,
  write: (writer, reads) =>
    writeMulti(
      writer,
      reads.map(({ name, serverPath }) => {
        const request = { path: serverPath, watch: false };
        return name === 'get'
          ? { type: OpCode.getData, write: (into) => writeGetDataRequest(into, request) }
          : { type: OpCode.getChildren, write: (into) => writeGetChildrenRequest(into, request) };
      }),
    ),
  read: (reader, reads) => {
    const results = readMulti(reader);
    return reads.map((read, index) => outcomeOf(read, results[index]));
  },
};

function outcomeOf({ name, path }: Read, result: MultiResult | undefined): ReadOutcome {
  if (result?.kind === 'error') return errorFromReply(result.errno, { operation: name, path });
  if (result?.kind === 'data' && name === 'get') return { data: keepable(result.data), stat: result.stat };
  if (result?.kind === 'children' && name === 'children') return { children: result.children as string[] };
  return zooKeeperError('PROTOCOL', {
    operation: name,
    path,
    message: `the server answered with ${result === undefined ? 'nothing' : `a result of kind ${result.kind}`}`,
  });
}
