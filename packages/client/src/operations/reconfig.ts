import { OpCode, type Stat } from '@zookit/protocol';
import { type ReconfigRequest, readGetDataResponse, writeReconfigRequest } from '@zookit/protocol/internal';
import { keepable } from '../data.ts';
import type { Operation } from './operation.ts';

// reconfig (3.5): joiningServers, leavingServers, newMembers ustring (null when unused), curConfigId long (-1 any)
// -> data buffer (the new configuration), stat Stat
export const reconfig: Operation<ReconfigRequest, { data: Buffer | null; stat: Stat }> = {
  name: 'reconfig',
  opcode: OpCode.reconfig,
  repeatable: false,
  write: writeReconfigRequest,
  read: (reader) => {
    const { data, stat } = readGetDataResponse(reader);
    return { data: keepable(data), stat };
  },
};
