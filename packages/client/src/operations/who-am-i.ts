import { OpCode } from '@zookit/protocol';
import { readWhoAmIResponse } from '@zookit/protocol/internal';
import type { Operation } from './operation.ts';

/** One identity that a connection has. */
export interface Identity {
  scheme: string;
  /** Without the hash, where the scheme is digest. */
  id: string;
}

// whoAmI (3.7): nothing -> clientInfo vector<scheme ustring, user ustring>
export const whoAmI: Operation<undefined, Identity[]> = {
  name: 'whoAmI',
  opcode: OpCode.whoAmI,
  repeatable: true,
  write: () => {},
  read: (reader) =>
    (readWhoAmIResponse(reader).clientInfo ?? []).map(({ authScheme, user }) => ({
      scheme: authScheme ?? '',
      id: user ?? '',
    })),
};
