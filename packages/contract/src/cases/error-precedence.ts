import { expect } from '@jest/globals';
import { ACL, Perms, type ZooKeeper, type ZooKeeperError } from '@zookit/client';
import type { CaseGroup, ContractCase } from '../case.ts';

type Call = (zk: ZooKeeper, at: (name: string) => string) => Promise<unknown>;

const nobody = { perms: Perms.ALL, scheme: 'nonsense', id: 'x' };
const ephemeral = { mode: 'ephemeral' } as const;

/** Calls with more than one thing wrong: which of them the server tells. */
const calls: readonly (readonly [string, string, Call])[] = [
  [
    'delete at a wrong version of a znode with children',
    'BAD_VERSION',
    (zk, at) => zk.delete(at('parent'), { version: 9 }),
  ],
  ['delete without permission of a missing znode', 'NO_AUTH', (zk, at) => zk.delete(at('closed/missing'))],
  [
    'delete without permission at a wrong version',
    'NO_AUTH',
    (zk, at) => zk.delete(at('closed/child'), { version: 9 }),
  ],
  ['delete without permission of a znode with children', 'NO_AUTH', (zk, at) => zk.delete(at('closed/parent'))],
  ['set without permission at a wrong version', 'NO_AUTH', (zk, at) => zk.set(at('fixed'), 'x', { version: 9 })],
  ['create of a name that is taken, without permission', 'NO_AUTH', (zk, at) => zk.create(at('closed/child'))],
  ['create below a znode that may not be seen', 'NO_AUTH', (zk, at) => zk.create(at('closed/new'))],
  [
    'create without a parent, with an ACL that won’t do',
    'INVALID_ACL',
    (zk, at) => zk.create(at('no/x'), null, { acl: nobody }),
  ],
  [
    'create of a name that is taken, with an ACL that won’t do',
    'INVALID_ACL',
    (zk, at) => zk.create(at('parent'), null, { acl: nobody }),
  ],
  [
    'create below an ephemeral, with an ACL that won’t do',
    'INVALID_ACL',
    (zk, at) => zk.create(at('e/x'), null, { acl: [] }),
  ],
  [
    'ephemeral create below an ephemeral',
    'NO_CHILDREN_FOR_EPHEMERALS',
    (zk, at) => zk.create(at('e/x'), null, ephemeral),
  ],
  ['setAcl of a missing znode, with an ACL that won’t do', 'INVALID_ACL', (zk, at) => zk.setAcl(at('no'), nobody)],
  [
    'setAcl at a wrong version, with an ACL that won’t do',
    'INVALID_ACL',
    (zk, at) => zk.setAcl(at('parent'), [], { aclVersion: 9 }),
  ],
  [
    'setAcl without permission at a wrong version',
    'NO_AUTH',
    (zk, at) => zk.setAcl(at('fixed'), ACL.OPEN, { aclVersion: 9 }),
  ],
  [
    'children of a znode that is below a closed one, and open itself',
    'OK',
    (zk, at) => zk.children(at('closed/child')),
  ],
  ['set of a znode that is below a closed one, and open itself', 'OK', (zk, at) => zk.set(at('closed/child'), 'x')],
  [
    'a transaction with two things wrong',
    'BAD_VERSION',
    (zk, at) => zk.transaction().check(at('parent'), 9).delete(at('no')).commit(),
  ],
];

async function prepare(zk: ZooKeeper, at: (name: string) => string): Promise<void> {
  await zk.addAuth('digest', 'alice:secret');
  await zk.create(at('parent/child'), null, { parents: true });
  await zk.create(at('e'), null, ephemeral);
  await zk.create(at('fixed'), null, { acl: [ACL.READ, ACL.digest('alice', 'secret')] });
  await zk.create(at('closed/child'), null, { parents: true });
  await zk.create(at('closed/parent/child'), null, { parents: true });
  await zk.setAcl(at('closed'), ACL.CREATOR);
}

export const errorPrecedence: CaseGroup = {
  name: 'which error comes first',
  cases: calls.map(
    ([name, code, call]): ContractCase => ({
      name: `${name}: ${code}`,
      run: async (ctx) => {
        const at = (child: string): string => ctx.at(child);
        await prepare(await ctx.connect(), at);
        const outcome = await call(await ctx.connect(), at).then(
          () => 'OK',
          (error: ZooKeeperError) => error.code,
        );
        expect(outcome).toBe(code);
      },
    }),
  ),
};
