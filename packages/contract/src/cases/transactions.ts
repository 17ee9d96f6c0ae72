import { expect } from '@jest/globals';
import {
  BadArgumentsError,
  ConnectionLossError,
  NoNodeError,
  NotEmptyError,
  PathError,
  RequestTooLargeError,
  TimeoutError,
  TransactionError,
} from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import { expectError } from '../expect-error.ts';
import { later } from '../later.ts';
import { outage } from '../outage.ts';
import { WatchLog } from '../watch-log.ts';

export const transactions: CaseGroup = {
  name: 'transactions',
  cases: [
    {
      name: 'all operations are applied, in order, with one result each',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('old'), 'x');
        const results = await zk
          .transaction()
          .check(ctx.at('old'), 0)
          .create(ctx.at('new'), 'y')
          .create(ctx.at('new/below'))
          .set(ctx.at('new'), 'z')
          .delete(ctx.at('old'))
          .commit();
        expect(results).toHaveLength(5);
        expect([results[0], results[4]]).toEqual([undefined, undefined]);
        expect(results[1]).toMatchObject({ path: ctx.at('new') });
        expect(results[2]).toMatchObject({ path: ctx.at('new/below') });
        expect(results[3]).toMatchObject({ version: 1, dataLength: 1 });
        expect(await zk.exists(ctx.at('old'))).toBeNull();
        expect((await zk.get(ctx.at('new'))).data).toEqual(Buffer.from('z'));
        expect((await zk.children(ctx.at('new'))).children).toEqual(['below']);
      },
    },
    {
      name: 'creates answer with the Stat of the new znode',
      needs: ['create2-in-multi'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        const made = await zk.transaction().create(ctx.at('a'), 'x').commit();
        expect(made).toEqual([{ path: ctx.at('a'), stat: await zk.exists(ctx.at('a')) }]);
      },
    },
    {
      name: 'one transaction has one zxid',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.transaction().create(ctx.at('a')).create(ctx.at('b')).set(ctx.base, 'x').commit();
        const stats = await Promise.all([ctx.at('a'), ctx.at('b'), ctx.base].map((path) => zk.exists(path)));
        const zxids = [stats[0]?.czxid, stats[1]?.czxid, stats[2]?.mzxid];
        expect(new Set(zxids).size).toBe(1);
        expect(zxids[0]).toBe(zk.lastZxid);
      },
    },
    {
      name: 'when one fails none is applied, and TransactionError says which it was',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('there'));
        const commit = later(
          zk.transaction().create(ctx.at('a')).create(ctx.at('there')).delete(ctx.at('there')).commit(),
        );
        const error = await expectError(commit, TransactionError, {
          code: 'NODE_EXISTS',
          errno: -110,
          operation: 'create',
          path: ctx.at('there'),
          maybeApplied: false,
        });
        expect(error.results.map((each) => each?.code ?? null)).toEqual([null, 'NODE_EXISTS', 'RUNTIME_INCONSISTENCY']);
        expect(error.results.map((each) => each?.path ?? null)).toEqual([null, ctx.at('there'), ctx.at('there')]);
        expect((await zk.children(ctx.base)).children).toEqual(['there']);
      },
    },
    {
      name: 'each kind of operation can fail, first or last',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('a/b'), null, { parents: true });
        await zk.create(ctx.at('e'), null, { mode: 'ephemeral' });
        const begin = () => zk.transaction();
        for (const [code, add] of [
          ['NO_NODE', (tx) => tx.check(ctx.at('missing'))],
          ['BAD_VERSION', (tx) => tx.check(ctx.at('a'), 7)],
          ['NO_NODE', (tx) => tx.create(ctx.at('missing/child'))],
          ['NO_CHILDREN_FOR_EPHEMERALS', (tx) => tx.create(ctx.at('e/child'))],
          ['NO_NODE', (tx) => tx.set(ctx.at('missing'), 'x')],
          ['BAD_VERSION', (tx) => tx.set(ctx.at('a'), 'x', { version: 7 })],
          ['NO_NODE', (tx) => tx.delete(ctx.at('missing'))],
          ['NOT_EMPTY', (tx) => tx.delete(ctx.at('a'))],
          ['BAD_VERSION', (tx) => tx.delete(ctx.at('a/b'), { version: 7 })],
        ] as [string, (tx: ReturnType<typeof begin>) => typeof tx][]) {
          await expectError(add(begin()).create(ctx.at('no')).commit(), TransactionError, { code });
          await expectError(add(begin().create(ctx.at('no'))).commit(), TransactionError, { code });
        }
        expect(await zk.exists(ctx.at('no'))).toBeNull();
        expect([...(await zk.children(ctx.base)).children].sort()).toEqual(['a', 'e']);
      },
    },
    {
      name: 'the cause of a TransactionError is of the class of what failed',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('a/b'), null, { parents: true });
        const error = await expectError(zk.transaction().delete(ctx.at('a')).commit(), TransactionError);
        expect(error.cause).toBeInstanceOf(NotEmptyError);
        expect(error.results[0]).toBeInstanceOf(NotEmptyError);
      },
    },
    {
      name: 'later operations see what earlier ones have done',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk
          .transaction()
          .create(ctx.at('a'), '0')
          .set(ctx.at('a'), '1', { version: 0 })
          .check(ctx.at('a'), 1)
          .delete(ctx.at('a'), { version: 1 })
          .create(ctx.at('a'), 'again')
          .commit();
        const { data, stat } = await zk.get(ctx.at('a'));
        expect(data).toEqual(Buffer.from('again'));
        expect(stat.version).toBe(0);
      },
    },
    {
      name: 'sequential creates of one transaction get numbers in a row',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('first-'), null, { mode: 'persistent-sequential' });
        const mode = 'ephemeral-sequential';
        const made = await zk
          .transaction()
          .create(ctx.at('n-'), null, { mode })
          .create(ctx.at('n-'), null, { mode })
          .create(`${ctx.base}/`, null, { mode: 'persistent-sequential' })
          .commit();
        expect(made).toMatchObject([
          { path: ctx.at('n-0000000001') },
          { path: ctx.at('n-0000000002') },
          { path: ctx.at('0000000003') },
        ]);
        expect((await zk.exists(ctx.at('n-0000000001')))?.ephemeralOwner).toBe(zk.session?.id);
      },
    },
    {
      name: 'containers and znodes with a ttl may be among the creates',
      needs: ['containers', 'ttl'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        const made = await zk
          .transaction()
          .create(ctx.at('c'), null, { mode: 'container' })
          .create(ctx.at('c/t'), null, { mode: 'persistent-ttl', ttl: 100 })
          .commit();
        expect(made).toMatchObject([{ path: ctx.at('c') }, { path: ctx.at('c/t') }]);
        await ctx.until('both are removed in time', async () => (await zk.exists(ctx.at('c'))) === null);
      },
    },
    {
      name: 'without operations it resolves with an empty list',
      run: async (ctx) => {
        const zk = await ctx.connect();
        expect(await zk.transaction().commit()).toEqual([]);
      },
    },
    {
      name: 'arguments that won’t do make commit() reject, and nothing is sent',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const begin = () => zk.transaction().create(ctx.at('a'));
        await expectError(begin().create('relative').commit(), PathError, { path: 'relative' });
        await expectError(begin().set(`${ctx.base}/`, 'x').commit(), PathError);
        await expectError(begin().delete('').commit(), PathError);
        await expectError(begin().check(ctx.base, 1.5).commit(), BadArgumentsError);
        await expectError(
          begin()
            .set(ctx.base, 5 as unknown as string)
            .commit(),
          BadArgumentsError,
        );
        for (const options of [{ parents: true }, { protected: true }, { mode: 'persistent-ttl' }] as const) {
          await expectError(begin().create(ctx.at('b'), null, options).commit(), BadArgumentsError);
        }
        await zk.sync();
        expect((await zk.children(ctx.base)).children).toEqual([]);
      },
    },
    {
      name: 'it can be committed once',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const transaction = zk.transaction().create(ctx.at('n-'), null, { mode: 'persistent-sequential' });
        await transaction.commit();
        await expectError(transaction.commit(), BadArgumentsError);
        expect((await zk.children(ctx.base)).children).toHaveLength(1);
      },
    },
    {
      name: 'under a chroot, paths go in and come out without it',
      run: async (ctx) => {
        const inside = await ctx.connect({}, ctx.server.connectString + ctx.base);
        const results = await inside
          .transaction()
          .create('/a')
          .create('/a/n-', null, { mode: 'persistent-sequential' })
          .set('/', 'top')
          .commit();
        expect(results).toMatchObject([{ path: '/a' }, { path: '/a/n-0000000000' }, { version: 1 }]);
        const outside = await ctx.connect();
        expect(await outside.exists(ctx.at('a/n-0000000000'))).not.toBeNull();
        const view = outside.namespace(ctx.base);
        const error = await expectError(view.transaction().delete('/a').commit(), TransactionError, { path: '/a' });
        expect(error.message).not.toContain(ctx.base);
      },
    },
    {
      name: 'a watch on each znode that is changed hears of it',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const log = new WatchLog();
        await zk.exists(ctx.at('a'), { watch: log.listener });
        await zk.get(ctx.base, { watch: log.listener });
        const family = new WatchLog();
        await zk.children(ctx.base, { watch: family.listener });
        await other.transaction().create(ctx.at('a')).create(ctx.at('b')).set(ctx.base, 'x').commit();
        await zk.sync();
        expect(log.types).toEqual(['created', 'changed']);
        expect(family.types).toEqual(['children']);
        const failed = new WatchLog();
        await zk.get(ctx.at('a'), { watch: failed.listener });
        await expectError(other.transaction().set(ctx.at('a'), 'x').create(ctx.at('b')).commit(), TransactionError);
        await zk.sync();
        expect(failed.types).toEqual([]);
      },
    },
    ...(['request', 'reply'] as const).map(
      (direction) =>
        ({
          name: `its ${direction} is lost: ConnectionLossError, maybeApplied, not repeated`,
          run: async (ctx) => {
            const proxy = await ctx.proxy();
            const zk = await ctx.through(proxy);
            const cut = proxy.once({ opcode: 'multi', direction, action: 'cut' });
            const commit = later(
              zk.transaction().create(ctx.at('n-'), null, { mode: 'persistent-sequential' }).commit(),
            );
            await expectError(commit, ConnectionLossError, { maybeApplied: true });
            await cut;
            await zk.sync();
            expect((await zk.children(ctx.base)).children).toHaveLength(direction === 'reply' ? 1 : 0);
          },
        }) satisfies CaseGroup['cases'][number],
    ),
    {
      name: 'one of checks only changes nothing, and is sent again when its reply was lost',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const cut = proxy.once({ opcode: 'multi', direction: 'reply', action: 'cut' });
        expect(await zk.transaction().check(ctx.base, 0).check('/').commit()).toEqual([undefined, undefined]);
        await cut;
      },
    },
    {
      name: 'one that waits for the connection and is given up is never sent',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        await outage(proxy, zk, async () => {
          const [giveUp, reason] = [new AbortController(), new Error('enough')];
          const late = later(zk.transaction().create(ctx.at('a')).commit({ timeout: 30 }));
          const aborted = later(zk.transaction().create(ctx.at('b')).commit({ signal: giveUp.signal }));
          giveUp.abort(reason);
          await expectError(late, TimeoutError, { maybeApplied: false });
          await expect(aborted).rejects.toBe(reason);
        });
        await zk.sync();
        expect((await zk.children(ctx.base)).children).toEqual([]);
      },
    },
    {
      name: 'one that is too large is refused here, and the connection stays',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const half = Buffer.alloc(600_000);
        const commit = later(zk.transaction().create(ctx.at('a'), half).create(ctx.at('b'), half).commit());
        await expectError(commit, RequestTooLargeError, { maybeApplied: false });
        expect((await zk.children(ctx.base)).children).toEqual([]);
        expect(zk.state).toBe('connected');
      },
    },
    {
      name: 'a thousand operations',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const transaction = zk.transaction();
        for (let i = 0; i < 1_000; i += 1) transaction.create(ctx.at(`n${i}`), String(i));
        const results = await transaction.commit();
        expect(results.map((result) => (result as { path: string }).path)).toEqual(
          Array.from({ length: 1_000 }, (_, i) => ctx.at(`n${i}`)),
        );
        expect((await zk.exists(ctx.base))?.numChildren).toBe(1_000);
      },
    },
    {
      name: 'errors of the whole transaction name no path of their own',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const error = await expectError(
          zk.transaction().check(ctx.base).set(ctx.at('missing'), 'x').commit(),
          TransactionError,
          { code: 'NO_NODE', path: ctx.at('missing'), operation: 'set' },
        );
        expect(error.cause).toBeInstanceOf(NoNodeError);
        expect(error.message).toContain('2 of 2');
      },
    },
  ],
};
