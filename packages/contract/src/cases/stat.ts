import { expect } from '@jest/globals';
import type { Stat } from '@zookit/client';
import type { CaseGroup } from '../case.ts';

export const stat: CaseGroup = {
  name: 'stat',
  cases: [
    {
      name: 'a new znode: all zxids are those of its creation, all versions 0',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('node'), 'four');
        const fresh = (await zk.exists(ctx.at('node')))!;
        expect(fresh).toEqual({
          czxid: zk.lastZxid,
          mzxid: fresh.czxid,
          pzxid: fresh.czxid,
          ctime: fresh.ctime,
          mtime: fresh.ctime,
          version: 0,
          cversion: 0,
          aversion: 0,
          ephemeralOwner: 0n,
          dataLength: 4,
          numChildren: 0,
        });
      },
    },
    {
      name: 'times are milliseconds since the epoch, by the server’s clock',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const before = Date.now();
        await zk.create(ctx.at('node'));
        const { ctime } = (await zk.exists(ctx.at('node')))!;
        await ctx.until('a millisecond has passed', () => Date.now() > Number(ctime));
        const changed = await zk.set(ctx.at('node'), 'x');
        const after = Date.now();
        expect(changed.ctime).toBe(ctime);
        expect(Number(ctime)).toBeGreaterThanOrEqual(before);
        expect(changed.mtime).toBeGreaterThan(ctime);
        expect(Number(changed.mtime)).toBeLessThanOrEqual(after);
      },
    },
    {
      name: 'a set moves version, mzxid, mtime and dataLength, and nothing else',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const path = ctx.at('node');
        await zk.create(path, 'four');
        const before = (await zk.exists(path))!;
        const after = await zk.set(path, 'fifteen letters');
        expect(after).toEqual({
          ...before,
          version: 1,
          mzxid: zk.lastZxid,
          mtime: after.mtime,
          dataLength: 15,
        });
        expect(after.mzxid).toBeGreaterThan(before.mzxid);
      },
    },
    {
      name: 'children that come and go move cversion, pzxid and numChildren of the parent, and nothing else',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const parent = async (): Promise<Stat> => (await zk.exists(ctx.base))!;
        const before = await parent();
        await zk.create(ctx.at('a'));
        const one = await parent();
        expect(one).toEqual({ ...before, cversion: before.cversion + 1, pzxid: zk.lastZxid, numChildren: 1 });
        await zk.create(ctx.at('b-'), null, { mode: 'ephemeral-sequential' });
        const two = await parent();
        expect(two).toEqual({ ...before, cversion: before.cversion + 2, pzxid: zk.lastZxid, numChildren: 2 });
        await zk.delete(ctx.at('a'));
        const three = await parent();
        expect(three).toEqual({ ...before, cversion: before.cversion + 3, pzxid: zk.lastZxid, numChildren: 1 });
        expect(three.pzxid).toBeGreaterThan(two.pzxid);
      },
    },
    {
      name: 'what happens to a child’s data, or below it, does not touch the parent',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('a'));
        const before = await zk.exists(ctx.base);
        await zk.set(ctx.at('a'), 'x');
        await zk.create(ctx.at('a/deeper'));
        await zk.delete(ctx.at('a/deeper'));
        expect(await zk.exists(ctx.base)).toEqual(before);
      },
    },
    {
      name: 'an ephemeral that goes with its session counts as a deletion',
      run: async (ctx) => {
        const [zk, witness] = [await ctx.connect(), await ctx.connect()];
        await zk.create(ctx.at('e'), null, { mode: 'ephemeral' });
        const before = (await witness.exists(ctx.base))!;
        await zk.close();
        await witness.sync(ctx.base);
        const after = (await witness.exists(ctx.base))!;
        expect(after).toMatchObject({ cversion: before.cversion + 1, numChildren: 0 });
        expect(after.pzxid).toBeGreaterThan(before.pzxid);
      },
    },
    {
      name: 'an attempt that fails moves nothing',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('a'), 'x');
        const before = [await zk.exists(ctx.base), await zk.exists(ctx.at('a'))];
        await Promise.allSettled([
          zk.create(ctx.at('a')),
          zk.set(ctx.at('a'), 'y', { version: 5 }),
          zk.delete(ctx.at('a'), { version: 5 }),
          zk.delete(ctx.base),
        ]);
        expect([await zk.exists(ctx.base), await zk.exists(ctx.at('a'))]).toEqual(before);
      },
    },
  ],
};
