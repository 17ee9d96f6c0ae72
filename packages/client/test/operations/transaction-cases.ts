import { describe, expect, it } from '@jest/globals';
import { ACL, BadArgumentsError, PathError, TransactionError } from '../../src/index.ts';
import { type GetTarget, rejection, useClients } from './target.ts';

export function transactionCases(target: GetTarget): void {
  const clients = useClients(target);

  describe('transaction', () => {
    it('applies all operations, and tells what became of each, in order', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await zk.create(`${path}/old`);
      const [checked, created, set, deleted, ...rest] = await zk
        .transaction()
        .check(path, 0)
        .create(`${path}/a`, 'one', { acl: ACL.READ })
        .set(path, 'two', { version: 0 })
        .delete(`${path}/old`)
        .commit();
      expect(rest).toEqual([]);
      expect(checked).toBeUndefined();
      expect(deleted).toBeUndefined();
      const a = await zk.get(`${path}/a`);
      expect(a.data?.toString()).toBe('one');
      // The Stat is that of the moment: the set comes later.
      expect(created).toEqual({ path: `${path}/a`, stat: a.stat });
      expect((await zk.getAcl(`${path}/a`)).acl).toEqual(ACL.READ);
      const { data, stat } = await zk.get(path);
      expect(data?.toString()).toBe('two');
      expect(set).toMatchObject({ version: 1, mzxid: stat.mzxid });
      expect(stat.mzxid).toBe(a.stat.czxid);
      expect((await zk.children(path)).children).toEqual(['a']);
    });

    it('creates every kind of znode', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      const results = await zk
        .transaction()
        .create(`${path}/s-`, 'x', { mode: 'persistent-sequential' })
        .create(`${path}/s-`, 'x', { mode: 'ephemeral-sequential' })
        .create(`${path}/e`, null, { mode: 'ephemeral' })
        .create(`${path}/c`, null, { mode: 'container' })
        .create(`${path}/t`, null, { mode: 'persistent-ttl', ttl: 60_000 })
        .create(`${path}/t-`, null, { mode: 'persistent-sequential-ttl', ttl: 60_000 })
        .commit();
      expect(results.map((result) => (result as { path: string }).path)).toEqual([
        `${path}/s-0000000000`,
        `${path}/s-0000000001`,
        `${path}/e`,
        `${path}/c`,
        `${path}/t`,
        `${path}/t-0000000005`,
      ]);
      const owners = await Promise.all(
        results.map(async (result) => (await zk.exists((result as { path: string }).path))?.ephemeralOwner),
      );
      const mine = zk.session?.id;
      expect(owners).toEqual([0n, mine, mine, 0n, 0n, 0n]);
    });

    it('is undone when an operation fails, and says which one', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await zk.create(`${path}/there`);
      const error = await rejection(
        zk
          .transaction()
          .create(`${path}/a`)
          .create(`${path}/there`)
          .delete(`${path}/there`)
          .set(`${path}/there`, 'x')
          .commit(),
      );
      expect(error).toBeInstanceOf(TransactionError);
      expect(error).toMatchObject({
        code: 'NODE_EXISTS',
        errno: -110,
        path: `${path}/there`,
        operation: 'create',
        maybeApplied: false,
      });
      const { results, message } = error as TransactionError;
      expect(results.map((result) => result?.code)).toEqual([
        undefined,
        'NODE_EXISTS',
        'RUNTIME_INCONSISTENCY',
        'RUNTIME_INCONSISTENCY',
      ]);
      expect(results[0]).toBeNull();
      expect(results[1]).toMatchObject({ name: 'NodeExistsError', path: `${path}/there`, operation: 'create' });
      expect(results[2]).toMatchObject({ path: `${path}/there`, operation: 'delete' });
      expect(message).toContain('operation 2 of 4');
      expect((await zk.children(path)).children).toEqual(['there']);
    });

    it.each([
      ['check', 'BAD_VERSION'],
      ['set', 'BAD_VERSION'],
      ['delete', 'BAD_VERSION'],
    ] as const)('does not apply a %s at another version', async (operation, code) => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await zk.create(`${path}/n`, 'kept');
      const transaction = zk.transaction().create(`${path}/a`);
      if (operation === 'check') transaction.check(`${path}/n`, 3);
      if (operation === 'set') transaction.set(`${path}/n`, 'lost', { version: 3 });
      if (operation === 'delete') transaction.delete(`${path}/n`, { version: 3 });
      expect(await rejection(transaction.commit())).toMatchObject({ code, operation, path: `${path}/n` });
      expect((await zk.get(`${path}/n`)).data?.toString()).toBe('kept');
      expect((await zk.children(path)).children).toEqual(['n']);
    });

    it('checks by version -1 that a znode is there at all', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      expect(await zk.transaction().check(path, -1).check(path).check(path, 0).commit()).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
      expect(await rejection(zk.transaction().check(`${path}/missing`, -1).commit())).toMatchObject({
        name: 'TransactionError',
        code: 'NO_NODE',
        path: `${path}/missing`,
      });
    });

    it('is nothing without operations', async () => {
      const zk = await clients.open();
      expect(await zk.transaction().commit()).toEqual([]);
    });

    it('applies and strips chroot and namespace', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      const inside = (await clients.open({}, path)).namespace('/ns');
      await inside.ensurePath('/');
      const results = await inside
        .transaction()
        .create('/a')
        .create('/a/s-', 'x', { mode: 'persistent-sequential' })
        .create('/', 'x', { mode: 'persistent-sequential' })
        .commit();
      expect(results).toMatchObject([{ path: '/a' }, { path: '/a/s-0000000000' }, { path: '/0000000001' }]);
      expect((await zk.children(`${path}/ns`)).children.sort()).toEqual(['0000000001', 'a']);
      expect(await rejection(inside.transaction().check('/a').delete('/b').commit())).toMatchObject({
        code: 'NO_NODE',
        path: '/b',
        operation: 'delete',
      });
    });

    it('is committed once', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      const transaction = zk.transaction().create(`${path}/s-`, null, { mode: 'persistent-sequential' });
      const [first, second] = await Promise.allSettled([transaction.commit(), transaction.commit()]);
      expect(first.status).toBe('fulfilled');
      expect((second as PromiseRejectedResult).reason).toBeInstanceOf(BadArgumentsError);
      expect((await zk.children(path)).children).toHaveLength(1);
    });

    it('rejects arguments that will not do at the commit, and sends nothing', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      const begun = () => zk.transaction().create(`${path}/a`);
      const bad: [unknown, Promise<unknown>][] = [
        [PathError, begun().check('relative').commit()],
        [PathError, begun().delete('/a/').commit()],
        [PathError, begun().set('/a//b', 'x').commit()],
        [PathError, begun().create('/a/../b').commit()],
        [
          BadArgumentsError,
          begun()
            .check(path, 2 ** 31)
            .commit(),
        ],
        [
          BadArgumentsError,
          begun()
            .set(path, 5 as never)
            .commit(),
        ],
        [BadArgumentsError, begun().set(path, 'x', { version: 0.5 }).commit()],
        [BadArgumentsError, begun().create(`${path}/b`, null, { mode: 'persistent-ttl' }).commit()],
        [
          BadArgumentsError,
          begun()
            .create(`${path}/b`, null, { parents: true } as never)
            .commit(),
        ],
        [
          BadArgumentsError,
          begun()
            .create(`${path}/b`, null, { protected: true } as never)
            .commit(),
        ],
        [BadArgumentsError, begun().commit({ timeout: -1 })],
      ];
      for (const [type, promise] of bad) expect(await rejection(promise)).toBeInstanceOf(type as never);
      expect((await zk.children(path)).children).toEqual([]);
    });

    it('carries data of every kind', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await zk
        .transaction()
        .create(`${path}/null`, null)
        .create(`${path}/none`)
        .create(`${path}/empty`, '')
        .create(`${path}/text`, 'ü')
        .create(`${path}/bytes`, new Uint8Array([0, 255]))
        .set(path, null)
        .commit();
      const data = async (name: string): Promise<Buffer | null> => (await zk.get(`${path}/${name}`)).data;
      expect(await data('null')).toBeNull();
      expect(await data('none')).toBeNull();
      expect(await data('empty')).toEqual(Buffer.alloc(0));
      expect((await data('text'))?.toString()).toBe('ü');
      expect(await data('bytes')).toEqual(Buffer.from([0, 255]));
    });
  });
}
