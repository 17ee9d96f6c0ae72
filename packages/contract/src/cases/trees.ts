import { expect } from '@jest/globals';
import { BadArgumentsError, BadVersionError, NoNodeError, PathError, type ZooKeeper } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import { expectError } from '../expect-error.ts';
import { later } from '../later.ts';
import { StateLog } from '../state-log.ts';

const TREE = ['a', 'a/b', 'a/b/c', 'a/d', 'e'];

async function grow(zk: ZooKeeper, base: string, names: readonly string[] = TREE): Promise<void> {
  for (const name of names) await zk.create(`${base}/${name}`);
}

async function collect(paths: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const path of paths) all.push(path);
  return all;
}

/** What takes more than one request, or as many as there are znodes. */
export const trees: CaseGroup = {
  name: 'whole trees',
  cases: [
    {
      name: 'ensurePath makes what is missing, and leaves alone what is there',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('a'), 'kept');
        await zk.ensurePath(ctx.at('a/b/c'));
        await zk.ensurePath(ctx.at('a/b/c'));
        expect((await zk.get(ctx.at('a'))).data).toEqual(Buffer.from('kept'));
        expect((await zk.get(ctx.at('a/b/c'))).data).toBeNull();
        await expectError(zk.ensurePath('relative'), PathError);
      },
    },
    {
      name: 'ensurePath is sent again when a reply was lost',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const cut = proxy.once({ opcode: 'create*', direction: 'reply', action: 'cut' });
        await zk.ensurePath(ctx.at('a/b'));
        await cut;
        expect(await zk.exists(ctx.at('a/b'))).not.toBeNull();
      },
    },
    {
      name: 'delete with recursive takes all that is below along',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await grow(zk, ctx.base);
        await zk.delete(ctx.at('a'), { recursive: true });
        expect((await zk.children(ctx.base)).children).toEqual(['e']);
        await zk.delete(ctx.at('e'), { recursive: true });
        await expectError(zk.delete(ctx.at('e'), { recursive: true }), NoNodeError, { path: ctx.at('e') });
        await expectError(zk.delete('/', { recursive: true }), BadArgumentsError);
      },
    },
    {
      name: 'delete with recursive and a version looks at the version first',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await grow(zk, ctx.base);
        const at = (version: number) => zk.delete(ctx.at('a'), { recursive: true, version });
        await expectError(at(5), BadVersionError, { path: ctx.at('a') });
        expect((await zk.children(ctx.at('a'))).children).toHaveLength(2);
        await at(0);
        expect(await zk.exists(ctx.at('a'))).toBeNull();
      },
    },
    {
      name: 'walk goes through all of it, parents before children',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await grow(zk, ctx.base);
        const expected = [ctx.base, ...TREE.map((name) => ctx.at(name))];
        expect(await collect(zk.walk(ctx.base))).toEqual(expected);
        expect(await collect(zk.namespace(ctx.at('a')).walk())).toEqual(['/', '/b', '/b/c', '/d']);
        await expectError(collect(zk.walk(ctx.at('missing'))), NoNodeError, { path: ctx.at('missing') });
      },
    },
    {
      name: 'countDescendants counts all of it, but for the znode itself',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await grow(zk, ctx.base);
        expect(await zk.countDescendants(ctx.base)).toBe(5);
        expect(await zk.countDescendants(ctx.at('a'))).toBe(3);
        expect(await zk.countDescendants(ctx.at('e'))).toBe(0);
        await zk.create(ctx.at('a2'));
        expect(await zk.countDescendants(ctx.at('a'))).toBe(3);
        await expectError(zk.countDescendants(ctx.at('missing')), NoNodeError, { path: ctx.at('missing') });
      },
    },
    {
      name: 'countDescendants is one request',
      needs: ['count-descendants'],
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        await grow(zk, ctx.base);
        const log = new StateLog(zk);
        const seen = proxy.once({ opcode: 'getAllChildrenNumber', direction: 'request', action: 'hold' });
        const counting = later(zk.countDescendants(ctx.base));
        const { release } = await seen;
        release();
        expect(await counting).toBe(5);
        // A server that doesn't know it hangs up.
        expect(log.events).toEqual([]);
      },
    },
    {
      name: 'a tree of a thousand znodes is made, counted, walked and deleted',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const names = Array.from({ length: 1_000 }, (_, i) => `t/${i % 10}/${i % 100}/${i}`);
        await Promise.all(names.map((name) => zk.create(ctx.at(name), null, { parents: true })));
        expect(await zk.countDescendants(ctx.at('t'))).toBe(1_110);
        expect(await collect(zk.walk(ctx.at('t')))).toHaveLength(1_111);
        await zk.delete(ctx.at('t'), { recursive: true });
        expect((await zk.children(ctx.base)).children).toEqual([]);
      },
    },
  ],
};
