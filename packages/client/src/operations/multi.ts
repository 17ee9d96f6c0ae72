import { OpCode } from '@zookit/protocol';
import { type MultiOperation, type MultiResult, readMulti, writeMulti } from '@zookit/protocol/internal';
import type { Operation } from './operation.ts';

type Multi = Operation<readonly MultiOperation[], MultiResult[]>;

// multi: a list of operations, see the protocol's multi.ts -> a list of results; one that failed is no error of the reply
export const multi: Multi = {
  name: 'transaction',
  opcode: OpCode.multi,
  repeatable: false,
  write: writeMulti,
  read: readMulti,
};

/** A multi of nothing but checks, which changes nothing. */
export const multiCheck: Multi = { ...multi, repeatable: true };
