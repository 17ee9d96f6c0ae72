import { expect } from '@jest/globals';
import type { CaseGroup } from '../case.ts';
import { later } from '../later.ts';

export const order: CaseGroup = {
  name: 'order',
  cases: [
    {
      name: 'calls are performed in the order in which they were made',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const path = ctx.at('node');
        const results = await Promise.all([
          zk.exists(path),
          zk.create(path, '0'),
          zk.get(path),
          zk.set(path, '1'),
          zk.get(path),
          zk.delete(path),
          zk.exists(path),
        ]);
        expect(results[0]).toBeNull();
        expect(results[2].data).toEqual(Buffer.from('0'));
        expect(results[4].data).toEqual(Buffer.from('1'));
        expect(results[6]).toBeNull();
      },
    },
    {
      name: 'answers come in the order of the calls, errors among them',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('node'), 'x');
        const settled: number[] = [];
        const calls = Array.from({ length: 1_000 }, (_, i): Promise<unknown> => {
          if (i % 5 === 0) return zk.set(ctx.at('node'), String(i));
          if (i % 5 === 1) return zk.get(ctx.at('missing'));
          if (i % 5 === 2) return zk.children(ctx.base);
          return i % 5 === 3 ? zk.exists(ctx.at('missing')) : zk.get(ctx.at('node'));
        });
        const noted = calls.map((call, i) =>
          call.then(
            () => settled.push(i),
            () => settled.push(i),
          ),
        );
        await Promise.all(noted);
        expect(settled).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
      },
    },
    {
      name: 'a read sees every write that was made before it by the same client',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('node'), '-');
        const seen: (string | undefined)[] = [];
        const calls = Array.from({ length: 200 }, (_, i) => {
          const set = zk.set(ctx.at('node'), String(i));
          const get = zk.get(ctx.at('node')).then(({ data }) => seen.push(data?.toString()));
          return [set, get];
        });
        await Promise.all(calls.flat());
        expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => String(i)));
      },
    },
    {
      name: 'calls made before there is a connection wait for it, and keep their order',
      run: async (ctx) => {
        const zk = ctx.client();
        const path = ctx.at('node');
        const calls = later([zk.create(path, '0'), zk.set(path, '1'), zk.get(path)] as const);
        await zk.connect();
        const [, , { data }] = await Promise.all(calls);
        expect(data).toEqual(Buffer.from('1'));
      },
    },
    {
      name: 'more calls than may be on the wire keep their order',
      run: async (ctx) => {
        const zk = await ctx.connect({ maxInFlight: 3 });
        await zk.create(ctx.at('node'), '-');
        const calls = Array.from({ length: 100 }, (_, i) => zk.set(ctx.at('node'), String(i), { version: i }));
        const stats = await Promise.all(calls);
        expect(stats.map(({ version }) => version)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
      },
    },
    {
      name: 'calls by way of several views of one client are in one order',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const view = zk.namespace(ctx.base);
        const calls = Array.from({ length: 100 }, (_, i) => {
          const set = { version: i - 1 };
          if (i === 0) return view.create('/node', '-');
          return i % 2 === 0 ? zk.set(ctx.at('node'), 'even', set) : view.set('/node', 'odd', set);
        });
        await Promise.all(calls);
        expect((await zk.exists(ctx.at('node')))?.version).toBe(99);
      },
    },
    {
      name: 'transactions get growing zxids, and lastZxid follows them',
      run: async (ctx) => {
        const zk = await ctx.connect();
        let last = zk.lastZxid;
        for (let i = 0; i < 10; i += 1) {
          await zk.create(ctx.at(`n${i}`));
          const stat = await zk.exists(ctx.at(`n${i}`));
          expect(stat?.czxid).toBeGreaterThan(last);
          expect(zk.lastZxid).toBe(stat?.czxid);
          last = zk.lastZxid;
        }
      },
    },
  ],
};
