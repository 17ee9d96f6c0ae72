import { OpCode } from '@zookit/protocol';
import { writeSyncRequest } from '@zookit/protocol/internal';
import type { Operation } from './operation.ts';

// sync: path ustring -> path ustring; the answer means that this server has seen all that the leader had
export const sync: Operation<{ path: string }, void> = {
  name: 'sync',
  opcode: OpCode.sync,
  repeatable: true,
  write: writeSyncRequest,
  read: () => {},
};
