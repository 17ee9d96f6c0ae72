import { OpCode } from '@zookit/protocol';
import { readGetAllChildrenNumberResponse, writeGetAllChildrenNumberRequest } from '@zookit/protocol/internal';
import type { Operation } from './operation.ts';

// getAllChildrenNumber (3.6): path ustring -> totalNumber int, of all that lies below it
export const getAllChildrenNumber: Operation<{ path: string }, number> = {
  name: 'countDescendants',
  opcode: OpCode.getAllChildrenNumber,
  repeatable: true,
  write: writeGetAllChildrenNumberRequest,
  read: (reader) => readGetAllChildrenNumberResponse(reader).totalNumber,
};
