import { expect } from '@jest/globals';
import { type CreateMode, NoChildrenForEphemeralsError, NodeExistsError, NoNodeError } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import { expectError } from '../expect-error.ts';

export const create: CaseGroup = {
  name: 'create',
  cases: [
    {
      name: 'a persistent znode is there with its data, and outlives the session',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const { path } = await zk.create(ctx.at('node'), 'hello');
        expect(path).toBe(ctx.at('node'));
        await zk.close();
        const other = await ctx.connect();
        const { data, stat } = await other.get(path);
        expect(data).toEqual(Buffer.from('hello'));
        expect(stat.ephemeralOwner).toBe(0n);
      },
    },
    {
      name: 'the answer has the Stat of the new znode',
      needs: ['create2'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        const { path, stat } = await zk.create(ctx.at('node'), 'hello');
        expect(stat).toEqual(await zk.exists(path));
        expect(stat).toMatchObject({ version: 0, cversion: 0, aversion: 0, dataLength: 5, numChildren: 0 });
        expect(stat?.czxid).toBe(zk.lastZxid);
        expect([stat?.mzxid, stat?.pzxid]).toEqual([stat?.czxid, stat?.czxid]);
      },
    },
    {
      name: 'a sequential name ends in ten digits that count the children ever created',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const make = async (name: string, mode: CreateMode) => (await zk.create(ctx.at(name), null, { mode })).path;
        expect(await make('a-', 'persistent-sequential')).toBe(ctx.at('a-0000000000'));
        expect(await make('b-', 'ephemeral-sequential')).toBe(ctx.at('b-0000000001'));
        expect(await make('plain', 'persistent')).toBe(ctx.at('plain'));
        expect(await make('a-', 'persistent-sequential')).toBe(ctx.at('a-0000000003'));
      },
    },
    {
      name: 'deleting children frees no sequence number',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const first = await zk.create(ctx.at('n-'), null, { mode: 'persistent-sequential' });
        await zk.delete(first.path);
        const second = await zk.create(ctx.at('n-'), null, { mode: 'persistent-sequential' });
        expect(second.path).toBe(ctx.at('n-0000000001'));
      },
    },
    {
      name: 'a sequential path may end in a slash: the number is the whole name',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const { path } = await zk.create(`${ctx.base}/`, null, { mode: 'persistent-sequential' });
        expect(path).toBe(ctx.at('0000000000'));
      },
    },
    {
      name: 'sequential creates made at once get numbers in the order of the calls',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const made = await Promise.all(
          Array.from({ length: 50 }, () => zk.create(ctx.at('n-'), null, { mode: 'ephemeral-sequential' })),
        );
        const expected = Array.from({ length: 50 }, (_, i) => ctx.at(`n-${String(i).padStart(10, '0')}`));
        expect(made.map(({ path }) => path)).toEqual(expected);
      },
    },
    {
      name: 'an ephemeral znode names its session as owner, and goes with it',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const witness = await ctx.connect();
        for (const mode of ['ephemeral', 'ephemeral-sequential'] as const) {
          const { path } = await zk.create(ctx.at(`${mode}-`), 'x', { mode });
          expect((await witness.exists(path))?.ephemeralOwner).toBe(zk.session?.id);
        }
        await zk.close();
        await witness.sync(ctx.base);
        expect((await witness.children(ctx.base)).children).toEqual([]);
      },
    },
    {
      name: 'an ephemeral znode takes no children: NoChildrenForEphemeralsError',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('e'), null, { mode: 'ephemeral' });
        await expectError(zk.create(ctx.at('e/child')), NoChildrenForEphemeralsError, {
          code: 'NO_CHILDREN_FOR_EPHEMERALS',
          errno: -108,
          operation: 'create',
          path: ctx.at('e/child'),
        });
        await expectError(zk.create(ctx.at('e/x/y'), null, { parents: true }), NoChildrenForEphemeralsError);
      },
    },
    {
      name: 'a name that is taken: NodeExistsError, whatever the mode of either',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('p'));
        await zk.create(ctx.at('e'), null, { mode: 'ephemeral' });
        for (const name of ['p', 'e']) {
          for (const mode of ['persistent', 'ephemeral'] as const) {
            const properties = { code: 'NODE_EXISTS', errno: -110, path: ctx.at(name) };
            await expectError(zk.create(ctx.at(name), null, { mode }), NodeExistsError, properties);
          }
        }
        await expectError(zk.create('/'), NodeExistsError, { path: '/' });
      },
    },
    {
      name: 'a parent that is missing: NoNodeError',
      run: async (ctx) => {
        const zk = await ctx.connect();
        for (const mode of ['persistent', 'persistent-sequential', 'ephemeral', 'ephemeral-sequential'] as const) {
          const path = ctx.at('missing/child');
          await expectError(zk.create(path, null, { mode }), NoNodeError, { code: 'NO_NODE', errno: -101, path });
        }
      },
    },
    {
      name: 'parents: true makes what is missing above, persistent and without data',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const { path } = await zk.create(ctx.at('a/b/c'), 'leaf', { parents: true, mode: 'ephemeral' });
        expect(path).toBe(ctx.at('a/b/c'));
        for (const parent of ['a', 'a/b']) {
          const { data, stat } = await zk.get(ctx.at(parent));
          expect(data).toBeNull();
          expect(stat.ephemeralOwner).toBe(0n);
        }
        await zk.close();
        const witness = await ctx.connect();
        expect(await witness.exists(ctx.at('a/b'))).not.toBeNull();
        expect(await witness.exists(ctx.at('a/b/c'))).toBeNull();
      },
    },
    {
      name: 'parents: true leaves a parent that exists alone',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('a'), 'kept');
        await zk.create(ctx.at('a/b/c'), null, { parents: true });
        const { data, stat } = await zk.get(ctx.at('a'));
        expect(data).toEqual(Buffer.from('kept'));
        expect(stat.version).toBe(0);
      },
    },
    {
      name: 'parents made by many creates at once',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const other = await ctx.connect();
        const made = await Promise.all(
          Array.from({ length: 20 }, (_, i) =>
            (i % 2 === 0 ? zk : other).create(ctx.at(`x/y/z/n${i}`), null, { parents: true }),
          ),
        );
        expect(made).toHaveLength(20);
        expect((await zk.children(ctx.at('x/y/z'))).children).toHaveLength(20);
      },
    },
  ],
};
