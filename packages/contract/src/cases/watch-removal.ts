import { expect } from '@jest/globals';
import type { WatchListener, ZooKeeper } from '@zookit/client';
import type { CaseGroup, ContractCase } from '../case.ts';
import type { Context } from '../context.ts';
import { later } from '../later.ts';
import { outage } from '../outage.ts';
import { WatchLog } from '../watch-log.ts';

interface Kind {
  what: string;
  table: 'data' | 'child';
  set(zk: ZooKeeper, path: string, watch: WatchListener, watchSignal?: AbortSignal): Promise<unknown>;
  /** Whether the znode has to be there. */
  present: boolean;
  change(zk: ZooKeeper, path: string): Promise<unknown>;
}

function options(watch: WatchListener, watchSignal?: AbortSignal) {
  return watchSignal === undefined ? { watch } : { watch, watchSignal };
}

const kinds: readonly Kind[] = [
  {
    what: 'get',
    table: 'data',
    set: (zk, path, watch, signal) => zk.get(path, options(watch, signal)),
    present: true,
    change: (zk, path) => zk.set(path, 'x'),
  },
  {
    what: 'exists on a znode that is there',
    table: 'data',
    set: (zk, path, watch, signal) => zk.exists(path, options(watch, signal)),
    present: true,
    change: (zk, path) => zk.set(path, 'x'),
  },
  {
    what: 'exists on a missing znode',
    table: 'data',
    set: (zk, path, watch, signal) => zk.exists(path, options(watch, signal)),
    present: false,
    change: (zk, path) => zk.create(path),
  },
  {
    what: 'children',
    table: 'child',
    set: (zk, path, watch, signal) => zk.children(path, options(watch, signal)),
    present: true,
    change: (zk, path) => zk.create(`${path}/child`),
  },
];

/** How many watches of a kind the server has on a path; of child watches, on all paths. */
async function kept(ctx: Context, table: 'data' | 'child', path: string): Promise<number> {
  const watches = await ctx.server.watches!();
  return table === 'child' ? watches.child : watches.data.filter((watch) => watch.path === path).length;
}

const ofEachKind = kinds.flatMap(({ what, table, set, present, change }): ContractCase[] => {
  const prepare = async (ctx: Context) => {
    const [zk, other] = [await ctx.connect(), await ctx.connect()];
    const path = ctx.at('node');
    if (present) await zk.create(path);
    return { zk, other, path };
  };
  return [
    {
      name: `${what}: watchSignal takes the watch back, here and on the server`,
      needs: ['watch-removal', 'handle:watches'],
      run: async (ctx) => {
        const { zk, other, path } = await prepare(ctx);
        const before = await kept(ctx, table, path);
        const [log, takeBack] = [new WatchLog(), new AbortController()];
        await set(zk, path, log.listener, takeBack.signal);
        expect(await kept(ctx, table, path)).toBe(before + 1);
        takeBack.abort();
        await ctx.until('the server has no watch', async () => (await kept(ctx, table, path)) === before);
        await change(other, path);
        await zk.sync();
        expect(log.events).toEqual([]);
      },
    },
    {
      name: `${what}: of two watches on a path one is taken back, and the other hears of the change`,
      needs: ['watch-removal'],
      run: async (ctx) => {
        const { zk, other, path } = await prepare(ctx);
        const [gone, stays, takeBack] = [new WatchLog(), new WatchLog(), new AbortController()];
        await set(zk, path, gone.listener, takeBack.signal);
        await set(zk, path, stays.listener);
        takeBack.abort();
        await zk.sync();
        await change(other, path);
        await zk.sync();
        expect([gone.events.length, stays.events.length]).toEqual([0, 1]);
      },
    },
    {
      name: `${what}: taken back while the read is on the wire`,
      needs: ['watch-removal', 'handle:watches'],
      run: async (ctx) => {
        const { zk, other, path } = await prepare(ctx);
        const before = await kept(ctx, table, path);
        const [log, takeBack] = [new WatchLog(), new AbortController()];
        const reading = set(zk, path, log.listener, takeBack.signal);
        takeBack.abort();
        await reading;
        await zk.sync();
        await ctx.until('the server has no watch', async () => (await kept(ctx, table, path)) === before);
        await change(other, path);
        await zk.sync();
        expect(log.events).toEqual([]);
      },
    },
    {
      name: `${what}: taken back and set again at once, it is set`,
      needs: ['watch-removal'],
      run: async (ctx) => {
        const { zk, other, path } = await prepare(ctx);
        const [log, takeBack] = [new WatchLog(), new AbortController()];
        await set(zk, path, log.listener, takeBack.signal);
        takeBack.abort();
        await set(zk, path, log.listener);
        await zk.sync();
        await change(other, path);
        await zk.sync();
        expect(log.events).toHaveLength(1);
      },
    },
  ];
});

export const watchRemoval: CaseGroup = {
  name: 'taking watches back',
  cases: [
    ...ofEachKind,
    {
      name: 'a data watch that is taken back leaves the child watch of the same path alone',
      needs: ['watch-removal'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        const [data, family, takeBack] = [new WatchLog(), new WatchLog(), new AbortController()];
        await zk.get(ctx.base, { watch: data.listener, watchSignal: takeBack.signal });
        await zk.children(ctx.base, { watch: family.listener });
        takeBack.abort();
        await zk.sync();
        await zk.set(ctx.base, 'x');
        await zk.create(ctx.at('child'));
        expect([data.types, family.types]).toEqual([[], ['children']]);
      },
    },
    {
      name: 'one signal takes back many watches, without a warning',
      needs: ['watch-removal', 'handle:watches'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        const [log, takeBack] = [new WatchLog(), new AbortController()];
        const own = async () =>
          (await ctx.server.watches!()).data.filter(({ path }) => path.startsWith(ctx.base)).length;
        const paths = Array.from({ length: 200 }, (_, i) => ctx.at(`n${i}`));
        const watch = { watch: log.listener, watchSignal: takeBack.signal };
        await Promise.all(paths.map((path) => zk.exists(path, watch)));
        expect(await own()).toBe(200);
        takeBack.abort();
        await ctx.until('the server has no watch', async () => (await own()) === 0);
        await Promise.all(paths.map((path) => zk.create(path)));
        await zk.sync();
        expect(log.events).toEqual([]);
      },
    },
    {
      name: 'a signal that is aborted already: the read rejects with its reason, and sets nothing',
      needs: ['handle:watches'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        const [log, reason] = [new WatchLog(), new Error('no more')];
        const read = later(zk.get(ctx.base, { watch: log.listener, watchSignal: AbortSignal.abort(reason) }));
        await expect(read).rejects.toBe(reason);
        await zk.sync();
        expect(await kept(ctx, 'data', ctx.base)).toBe(0);
      },
    },
    {
      name: 'after the event there is nothing left to take back',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const [log, takeBack] = [new WatchLog(), new AbortController()];
        await zk.get(ctx.base, { watch: log.listener, watchSignal: takeBack.signal });
        await zk.set(ctx.base, 'x');
        const again = new WatchLog();
        await zk.get(ctx.base, { watch: again.listener });
        takeBack.abort();
        await zk.sync();
        await zk.set(ctx.base, 'y');
        expect([log.types, again.types]).toEqual([['changed'], ['changed']]);
      },
    },
    {
      name: 'taken back during an outage, it is not set again',
      needs: ['handle:watches'],
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const [log, takeBack] = [new WatchLog(), new AbortController()];
        await zk.get(ctx.base, { watch: log.listener, watchSignal: takeBack.signal });
        await outage(proxy, zk, async () => takeBack.abort());
        await zk.sync();
        expect(await kept(ctx, 'data', ctx.base)).toBe(0);
        await zk.set(ctx.base, 'x');
        expect(log.events).toEqual([]);
      },
    },
    {
      name: 'a read that is given up while it is on the wire leaves no watch on the server',
      needs: ['watch-removal', 'handle:watches'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        const [log, giveUp] = [new WatchLog(), new AbortController()];
        const read = later(zk.get(ctx.base, { watch: log.listener, signal: giveUp.signal }));
        giveUp.abort(new Error('enough'));
        await expect(read).rejects.toThrow('enough');
        await zk.sync();
        await ctx.until('the server has no watch', async () => (await kept(ctx, 'data', ctx.base)) === 0);
        await zk.set(ctx.base, 'x');
        expect(log.events).toEqual([]);
      },
    },
  ],
};
