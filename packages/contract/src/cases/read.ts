import { expect } from '@jest/globals';
import { BadArgumentsError, NoNodeError } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import { expectError } from '../expect-error.ts';

export const read: CaseGroup = {
  name: 'get, exists, children',
  cases: [
    {
      name: 'get and exists tell the same Stat',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('node'), 'x');
        const { stat } = await zk.get(ctx.at('node'));
        expect(await zk.exists(ctx.at('node'))).toEqual(stat);
        expect((await zk.children(ctx.at('node'))).stat).toEqual(stat);
      },
    },
    {
      name: 'a missing znode: NoNodeError from get and children, null from exists',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const path = ctx.at('missing');
        await expectError(zk.get(path), NoNodeError, { code: 'NO_NODE', errno: -101, operation: 'get', path });
        await expectError(zk.children(path), NoNodeError, { code: 'NO_NODE', operation: 'children', path });
        expect(await zk.exists(path)).toBeNull();
        await expectError(zk.get(`${path}/deeper`), NoNodeError);
        expect(await zk.exists(`${path}/deeper`)).toBeNull();
      },
    },
    {
      name: 'children are names, without the path and without their own children',
      run: async (ctx) => {
        const zk = await ctx.connect();
        for (const name of ['b', 'a', 'a/deeper', 'c']) await zk.create(ctx.at(name));
        const { children, stat } = await zk.children(ctx.base);
        expect([...children].sort()).toEqual(['a', 'b', 'c']);
        expect(stat.numChildren).toBe(3);
        expect((await zk.children(ctx.at('c'))).children).toEqual([]);
      },
    },
    {
      name: 'the root has children, no data to speak of, and a Stat',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const { children, stat } = await zk.children('/');
        expect(children).toContain('zookeeper');
        expect(children).toContain(ctx.base.slice(1));
        expect(stat.numChildren).toBe(children.length);
        expect(await zk.exists('/')).toMatchObject({ czxid: 0n, ephemeralOwner: 0n });
        expect((await zk.get('/')).data).toEqual(Buffer.alloc(0));
      },
    },
    {
      name: 'a znode without children lists none, one with 5,000 lists them all',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const names = Array.from({ length: 5_000 }, (_, i) => `child-${i}`);
        await Promise.all(names.map((name) => zk.create(ctx.at(name), null, { mode: 'ephemeral' })));
        const { children } = await zk.children(ctx.base);
        expect([...children].sort()).toEqual([...names].sort());
      },
    },
    {
      name: 'a watch that is no function is refused before anything is sent',
      run: async (ctx) => {
        const zk = await ctx.connect();
        for (const watch of [true, {}, 'x'] as unknown as (() => void)[]) {
          await expectError(zk.get(ctx.base, { watch }), BadArgumentsError);
          await expectError(zk.exists(ctx.base, { watch }), BadArgumentsError);
          await expectError(zk.children(ctx.base, { watch }), BadArgumentsError);
        }
      },
    },
  ],
};
