import { expect } from '@jest/globals';
import { NodeCache, TreeCache } from '@zookit/cache';
import type { CaseGroup } from '../case.ts';
import type { Context } from '../context.ts';

/** Path below the base -> data as text, of what a cache knows. */
function known(ctx: Context, cache: TreeCache): Record<string, string> {
  const entries = [...cache.entries()].map(([path, { data }]) => [path.slice(ctx.base.length), String(data)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const treeCache: CaseGroup = {
  name: 'TreeCache and NodeCache',
  cases: [
    {
      name: 'all is there when start resolves, and what changes later is told',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        await other.create(ctx.at('a'), 'a');
        await other.create(ctx.at('a/b'), 'b');
        await using cache = new TreeCache(zk, ctx.at('a'));
        const told: string[] = [];
        for (const type of ['created', 'changed', 'deleted'] as const) {
          cache.on(type, ({ path }) => told.push(`${type} ${path.slice(ctx.base.length)}`));
        }
        await cache.start();
        expect(known(ctx, cache)).toEqual({ '/a': 'a', '/a/b': 'b' });
        await other.create(ctx.at('a/c'), 'c');
        await other.create(ctx.at('a/c/d'), 'd');
        await other.set(ctx.at('a/b'), 'new');
        await ctx.until('it follows', () => told.length === 5);
        await other.delete(ctx.at('a/c'), { recursive: true });
        await ctx.until('it follows', () => told.length === 7);
        expect(told.slice(0, 2)).toEqual(['created /a', 'created /a/b']);
        expect(told.slice(2, 5).sort()).toEqual(['changed /a/b', 'created /a/c', 'created /a/c/d']);
        expect(told.slice(5)).toEqual(['deleted /a/c/d', 'deleted /a/c']);
        expect(known(ctx, cache)).toEqual({ '/a': 'a', '/a/b': 'new' });
        expect(cache.get(ctx.at('a/b'))?.stat).toEqual(await other.exists(ctx.at('a/b')));
      },
    },
    {
      name: 'a root that is missing is not made; it may come and go',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        await using tree = new TreeCache(zk, ctx.at('a'));
        await using node = new NodeCache(zk, ctx.at('a'));
        await Promise.all([tree.start(), node.start()]);
        for (const data of ['first', 'second']) {
          expect(tree.get()).toBeUndefined();
          await other.create(ctx.at('a'), data);
          await other.create(ctx.at('a/b'), data);
          await ctx.until('both see it', () => tree.get(ctx.at('a/b')) !== undefined && node.get() !== undefined);
          expect(String(node.get()?.data)).toBe(data);
          await other.delete(ctx.at('a'), { recursive: true });
          await ctx.until('both see it go', () => tree.get() === undefined && node.get() === undefined);
        }
        expect(await other.exists(ctx.at('a'))).toBeNull();
      },
    },
    {
      name: 'what changes during an outage is told before resynced: also a znode that is another one at the same version',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const other = await ctx.connect();
        for (const name of ['a', 'a/again', 'a/changed', 'a/gone', 'a/same']) await other.create(ctx.at(name), 'x');
        await using cache = new TreeCache(zk, ctx.at('a'));
        await cache.start();
        const told: string[] = [];
        for (const type of ['created', 'changed', 'deleted'] as const) {
          cache.on(type, ({ path }) => told.push(`${type} ${path.slice(ctx.base.length)}`));
        }
        const stale = new Promise<void>((resolve) => cache.once('stale', resolve));
        const resynced = new Promise<void>((resolve) => cache.once('resynced', resolve));
        await proxy.refuse();
        await proxy.cut();
        await stale;
        await other.delete(ctx.at('a/again'));
        await other.create(ctx.at('a/again'), 'x');
        await other.set(ctx.at('a/changed'), 'y');
        await other.delete(ctx.at('a/gone'));
        await proxy.restore();
        await resynced;
        expect(cache.stale).toBe(false);
        expect(told.sort()).toEqual(['changed /a/changed', 'created /a/again', 'deleted /a/again', 'deleted /a/gone']);
      },
    },
    {
      name: 'one that is closed leaves no watch',
      needs: ['watch-removal', 'handle:watches'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('a/b'), null, { parents: true });
        for (const cache of [new TreeCache(zk, ctx.at('a')), new NodeCache(zk, ctx.at('a/b'))]) {
          await cache.start();
          await cache.close();
        }
        const own = async () => (await ctx.server.watches!()).data.filter(({ path }) => path.startsWith(ctx.base));
        await ctx.until('the server has no watch', async () => (await own()).length === 0);
      },
    },
  ],
};
