import { expect } from '@jest/globals';
import { BadArgumentsError, BadVersionError, NoNodeError, NotEmptyError } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import { expectError } from '../expect-error.ts';

export const write: CaseGroup = {
  name: 'set and delete',
  cases: [
    {
      name: 'set replaces the data and answers with the new Stat',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('node'), 'old');
        const stat = await zk.set(ctx.at('node'), 'newer');
        expect(stat).toMatchObject({ version: 1, dataLength: 5, mzxid: zk.lastZxid });
        expect(await zk.get(ctx.at('node'))).toEqual({ data: Buffer.from('newer'), stat });
      },
    },
    {
      name: 'set at the right version goes through, at any other it is a BadVersionError',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const path = ctx.at('node');
        await zk.create(path, 'v0');
        expect((await zk.set(path, 'v1', { version: 0 })).version).toBe(1);
        for (const version of [0, 2, 7, -2, -0x80000000, 0x7fffffff]) {
          await expectError(zk.set(path, 'no', { version }), BadVersionError, {
            code: 'BAD_VERSION',
            errno: -103,
            operation: 'set',
            path,
          });
        }
        expect((await zk.set(path, 'v2', { version: -1 })).version).toBe(2);
        expect((await zk.get(path)).data).toEqual(Buffer.from('v2'));
      },
    },
    {
      name: 'set on a missing znode: NoNodeError',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const path = ctx.at('missing');
        await expectError(zk.set(path, 'x'), NoNodeError, { code: 'NO_NODE', operation: 'set', path });
        await expectError(zk.set(path, 'x', { version: 3 }), NoNodeError);
        expect(await zk.exists(path)).toBeNull();
      },
    },
    {
      name: 'the same data once more is a change like any other',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('node'), 'same');
        expect((await zk.set(ctx.at('node'), 'same')).version).toBe(1);
      },
    },
    {
      name: 'of two clients that set at one version, one succeeds',
      run: async (ctx) => {
        const [one, two] = [await ctx.connect(), await ctx.connect()];
        await one.create(ctx.at('node'), 'x');
        const outcomes = await Promise.allSettled([one, two].map((zk) => zk.set(ctx.at('node'), 'y', { version: 0 })));
        expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
        const lost = outcomes.find(({ status }) => status === 'rejected');
        expect(lost).toMatchObject({ reason: { code: 'BAD_VERSION' } });
      },
    },
    {
      name: 'delete removes the znode, and resolves with nothing',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('node'));
        expect(await zk.delete(ctx.at('node'))).toBeUndefined();
        expect(await zk.exists(ctx.at('node'))).toBeNull();
      },
    },
    {
      name: 'delete at the right version goes through, at any other it is a BadVersionError',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const path = ctx.at('node');
        await zk.create(path);
        await zk.set(path, 'v1');
        for (const version of [0, 2, -2]) {
          await expectError(zk.delete(path, { version }), BadVersionError, { operation: 'delete', path });
        }
        await zk.delete(path, { version: 1 });
        expect(await zk.exists(path)).toBeNull();
        await zk.create(path);
        await zk.delete(path, { version: -1 });
        expect(await zk.exists(path)).toBeNull();
      },
    },
    {
      name: 'delete of a missing znode: NoNodeError',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const path = ctx.at('missing');
        await expectError(zk.delete(path), NoNodeError, { code: 'NO_NODE', operation: 'delete', path });
      },
    },
    {
      name: 'delete of a znode with children: NotEmptyError',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const path = ctx.at('parent');
        await zk.create(path);
        await zk.create(`${path}/child`);
        await expectError(zk.delete(path), NotEmptyError, {
          code: 'NOT_EMPTY',
          errno: -111,
          operation: 'delete',
          path,
        });
        await zk.delete(`${path}/child`);
        await zk.delete(path);
        expect(await zk.exists(path)).toBeNull();
      },
    },
    {
      name: 'the root can’t be deleted',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await expectError(zk.delete('/'), BadArgumentsError, { code: 'BAD_ARGUMENTS', path: '/' });
      },
    },
    {
      name: 'a znode that was deleted and made again starts anew',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const path = ctx.at('node');
        await zk.create(path, 'first');
        const before = await zk.set(path, 'second');
        await zk.delete(path);
        await zk.create(path, 'third');
        const after = await zk.exists(path);
        expect(after).toMatchObject({ version: 0, cversion: 0 });
        expect(after?.czxid).toBeGreaterThan(before.czxid);
      },
    },
    {
      name: 'a version that is no 32-bit integer is refused before anything is sent',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('node'), 'x');
        for (const version of [1.5, Number.NaN, 2 ** 31, -(2 ** 31) - 1, '1', null] as number[]) {
          await expectError(zk.set(ctx.at('node'), 'y', { version }), BadArgumentsError, { operation: 'set' });
          await expectError(zk.delete(ctx.at('node'), { version }), BadArgumentsError, { operation: 'delete' });
        }
        expect((await zk.exists(ctx.at('node')))?.version).toBe(0);
      },
    },
  ],
};
