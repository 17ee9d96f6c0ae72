import { OpCode, type Stat } from '@zookit/protocol';
import {
  readGetACLResponse,
  readSetACLResponse,
  type ACL as WireAcl,
  writeGetACLRequest,
  writeSetACLRequest,
} from '@zookit/protocol/internal';
import { type ACL, fromWire } from '../acl.ts';
import type { Operation } from './operation.ts';

// getACL: path ustring -> acl vector<ACL>, stat Stat; needs READ or ADMIN, and hides digests from those without ADMIN
export const getAcl: Operation<{ path: string }, { acl: ACL[]; stat: Stat }> = {
  name: 'getAcl',
  opcode: OpCode.getACL,
  repeatable: true,
  write: writeGetACLRequest,
  read: (reader) => {
    const { acl, stat } = readGetACLResponse(reader);
    return { acl: fromWire(acl), stat };
  },
};

// setACL: path ustring, acl vector<ACL>, version int (of the ACL; -1 any) -> stat Stat
export const setAcl: Operation<{ path: string; acl: WireAcl[]; version: number }, Stat> = {
  name: 'setAcl',
  opcode: OpCode.setACL,
  repeatable: false,
  write: writeSetACLRequest,
  read: (reader) => readSetACLResponse(reader).stat,
};
