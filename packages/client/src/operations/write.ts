import { OpCode, type Stat } from '@zookit/protocol';
import { readSetDataResponse, writeDeleteRequest, writeSetDataRequest } from '@zookit/protocol/internal';
import type { Operation } from './operation.ts';

// setData: path ustring, data buffer, version int (-1 any) -> stat Stat
export const setData: Operation<{ path: string; data: Uint8Array | null; version: number }, Stat> = {
  name: 'set',
  opcode: OpCode.setData,
  repeatable: false,
  write: writeSetDataRequest,
  read: (reader) => readSetDataResponse(reader).stat,
};

// delete: path ustring, version int (-1 any) -> nothing
export const deleteNode: Operation<{ path: string; version: number }, void> = {
  name: 'delete',
  opcode: OpCode.delete,
  repeatable: false,
  write: writeDeleteRequest,
  read: () => {},
};
