import { OpCode } from '@zookit/protocol';
import { readGetEphemeralsResponse, writeGetEphemeralsRequest } from '@zookit/protocol/internal';
import type { Operation } from './operation.ts';

// getEphemerals (3.6): prefixPath ustring (of characters, not of parts; "/" all) -> ephemerals vector<ustring>, this session's
export const getEphemerals: Operation<{ prefixPath: string }, string[]> = {
  name: 'ephemerals',
  opcode: OpCode.getEphemerals,
  repeatable: true,
  write: writeGetEphemeralsRequest,
  read: (reader) => (readGetEphemeralsResponse(reader).ephemerals ?? []) as string[],
};
