import { expect } from '@jest/globals';
import { BadArgumentsError, type Data } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import { expectError } from '../expect-error.ts';

export const data: CaseGroup = {
  name: 'data',
  cases: [
    {
      name: 'null stays null, empty stays empty, in create and in set',
      run: async (ctx) => {
        const zk = await ctx.connect();
        for (const [given, expected] of [
          [null, null],
          [undefined, null],
          ['', Buffer.alloc(0)],
          [new Uint8Array(0), Buffer.alloc(0)],
        ] as const) {
          const path = ctx.at('node');
          await zk.create(path, given);
          expect((await zk.get(path)).data).toEqual(expected);
          await zk.set(path, 'between');
          await zk.set(path, given ?? null);
          const { data: read, stat } = await zk.get(path);
          expect(read).toEqual(expected);
          expect(stat.dataLength).toBe(0);
          await zk.delete(path);
        }
      },
    },
    {
      name: 'every byte comes back as it was',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
        await zk.create(ctx.at('node'), bytes);
        const { data: read, stat } = await zk.get(ctx.at('node'));
        expect(Buffer.isBuffer(read)).toBe(true);
        expect(read).toEqual(bytes);
        expect(stat.dataLength).toBe(256);
      },
    },
    {
      name: 'text is stored as UTF-8',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const text = 'Grüße, 日本, \u{1F600}\u0000';
        await zk.create(ctx.at('node'), text);
        const { data: read, stat } = await zk.get(ctx.at('node'));
        expect(read?.toString()).toBe(text);
        expect(stat.dataLength).toBe(Buffer.byteLength(text));
      },
    },
    {
      name: 'of a view of a larger array only the view is stored',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const bytes = Uint8Array.from([0, 1, 2, 3, 4, 5]);
        await zk.create(ctx.at('node'), bytes.subarray(2, 4));
        expect((await zk.get(ctx.at('node'))).data).toEqual(Buffer.from([2, 3]));
        await zk.set(ctx.at('node'), Buffer.from(bytes.buffer, 4, 2));
        expect((await zk.get(ctx.at('node'))).data).toEqual(Buffer.from([4, 5]));
      },
    },
    {
      name: 'what a read gave stays as it was when more is read, and may be changed by its owner',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('a'), Buffer.alloc(100, 1));
        await zk.create(ctx.at('b'), Buffer.alloc(100, 2));
        const first = (await zk.get(ctx.at('a'))).data!;
        const rest = await Promise.all(Array.from({ length: 200 }, () => zk.get(ctx.at('b'))));
        expect(first).toEqual(Buffer.alloc(100, 1));
        first.fill(9);
        for (const { data: read } of rest) expect(read).toEqual(Buffer.alloc(100, 2));
        expect((await zk.get(ctx.at('a'))).data).toEqual(Buffer.alloc(100, 1));
      },
    },
    {
      name: 'anything else than bytes, text and null is refused before anything is sent',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('node'), 'kept');
        for (const odd of [1, true, {}, ['a'], new Date(), 1n] as unknown as Data[]) {
          await expectError(zk.create(ctx.at('other'), odd), BadArgumentsError, { operation: 'create' });
          await expectError(zk.set(ctx.at('node'), odd), BadArgumentsError, { operation: 'set' });
        }
        expect(await zk.exists(ctx.at('other'))).toBeNull();
        expect((await zk.get(ctx.at('node'))).stat.version).toBe(0);
      },
    },
  ],
};
