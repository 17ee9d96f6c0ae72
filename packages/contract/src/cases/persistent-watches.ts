import { expect } from '@jest/globals';
import type { WatchListener, ZooKeeper } from '@zookit/client';
import type { CaseGroup, ContractCase } from '../case.ts';
import type { Context } from '../context.ts';
import { EventLog, watching } from '../event-log.ts';
import type { Feature } from '../feature.ts';
import { WatchLog } from '../watch-log.ts';

/** Makes changes one by one, each once the one before has been heard of: that is all that one-shot watches can follow. */
async function hearEach(
  ctx: Context,
  log: EventLog,
  changes: readonly (readonly [change: () => Promise<unknown>, told: string])[],
): Promise<void> {
  for (const [change, told] of changes) {
    const before = log.events.length;
    await change();
    await ctx.until(told, () => log.events.length > before);
    expect(log.told.slice(before)).toEqual([told]);
  }
}

interface OneShot {
  what: string;
  set(zk: ZooKeeper, path: string, watch: WatchListener, watchSignal?: AbortSignal): Promise<unknown>;
  hears: 'changed' | 'children';
}

const oneShots: readonly OneShot[] = [
  {
    what: 'get',
    set: (zk, path, watch, watchSignal) => zk.get(path, watchSignal === undefined ? { watch } : { watch, watchSignal }),
    hears: 'changed',
  },
  {
    what: 'exists',
    set: (zk, path, watch, watchSignal) =>
      zk.exists(path, watchSignal === undefined ? { watch } : { watch, watchSignal }),
    hears: 'changed',
  },
  {
    what: 'children',
    set: (zk, path, watch, watchSignal) =>
      zk.children(path, watchSignal === undefined ? { watch } : { watch, watchSignal }),
    hears: 'children',
  },
];

/** One path with a one-shot watch and a persistent one: neither must lose anything by the other (ZOOKEEPER-4466). */
const besideOneShots = oneShots.flatMap(({ what, set, hears }): ContractCase[] =>
  [false, true].flatMap((recursive): ContractCase[] => {
    const kind = recursive ? 'recursive' : 'persistent';
    const needs: readonly Feature[] = recursive ? ['persistent-watches'] : [];
    const told = (path: string): string[] =>
      recursive
        ? [`changed ${path}`, `created ${path}/c`, `deleted ${path}/c`]
        : [`changed ${path}`, `children ${path}`, `children ${path}`];
    /** Each change twice: the persistent watch tells of all of them, the one-shot one of its first. */
    const changeAndHear = async (ctx: Context, other: ZooKeeper, path: string, log: EventLog): Promise<void> => {
      const [set, create, remove] = told(path) as [string, string, string];
      for (const round of [1, 2]) {
        await hearEach(ctx, log, [
          [() => other.set(path, String(round)), set],
          [() => other.create(`${path}/c`), create],
          [() => other.delete(`${path}/c`), remove],
        ]);
      }
    };
    return [
      ...[true, false].map(
        (persistentFirst): ContractCase => ({
          name: `${what} ${persistentFirst ? 'on top of a' : 'below a'} ${kind} watch: both hear`,
          needs,
          run: async (ctx) => {
            const [zk, other] = [await ctx.connect(), await ctx.connect()];
            const shot = new WatchLog();
            if (!persistentFirst) await set(zk, ctx.base, shot.listener);
            const log = await watching(zk, ctx.base, recursive);
            if (persistentFirst) await set(zk, ctx.base, shot.listener);
            await changeAndHear(ctx, other, ctx.base, log);
            await zk.sync();
            expect(shot.types).toEqual([hears]);
          },
        }),
      ),
      {
        name: `${what} beside a ${kind} watch: the one-shot one taken back, the other hears`,
        needs: [...needs, 'watch-removal'],
        run: async (ctx) => {
          const [zk, other] = [await ctx.connect(), await ctx.connect()];
          const [shot, takeBack] = [new WatchLog(), new AbortController()];
          await set(zk, ctx.base, shot.listener, takeBack.signal);
          const log = await watching(zk, ctx.base, recursive);
          takeBack.abort();
          await zk.sync();
          await changeAndHear(ctx, other, ctx.base, log);
          await zk.sync();
          expect(shot.events).toEqual([]);
        },
      },
      {
        name: `${what} beside a ${kind} watch: the ${kind} one closed, the other hears`,
        needs: [...needs, 'watch-removal'],
        run: async (ctx) => {
          const [zk, other] = [await ctx.connect(), await ctx.connect()];
          const watch = await zk.watch(ctx.base, { recursive });
          const [log, shot] = [new EventLog(watch), new WatchLog()];
          await set(zk, ctx.base, shot.listener);
          await watch.close();
          for (const round of [1, 2]) await other.set(ctx.base, String(round));
          for (const name of ['c', 'd']) await other.create(ctx.at(name));
          await zk.sync();
          expect(log.events).toEqual([]);
          expect(shot.types).toEqual([hears]);
        },
      },
    ];
  }),
);

export const persistentWatches: CaseGroup = {
  name: 'persistent watches',
  cases: [
    {
      name: 'data and children of the znode, again and again, its end and its return',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const path = ctx.at('node');
        await other.create(path);
        const log = await watching(zk, path);
        await hearEach(ctx, log, [
          [() => other.set(path, '1'), `changed ${path}`],
          [() => other.set(path, '2'), `changed ${path}`],
          [() => other.create(`${path}/c`), `children ${path}`],
          [() => other.delete(`${path}/c`), `children ${path}`],
          [() => other.delete(path), `deleted ${path}`],
          [() => other.create(path), `created ${path}`],
          [() => other.set(path, '3'), `changed ${path}`],
          [() => other.delete(path), `deleted ${path}`],
        ]);
      },
    },
    {
      name: 'on a znode that is missing: its creation, and all that follows',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const path = ctx.at('node');
        const log = await watching(zk, path);
        await hearEach(ctx, log, [
          [() => other.create(path), `created ${path}`],
          [() => other.create(`${path}/c`), `children ${path}`],
          [() => other.set(path, 'x'), `changed ${path}`],
        ]);
      },
    },
    {
      name: 'in quick succession, nothing is left out',
      needs: ['persistent-watches'],
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const log = await watching(zk, ctx.base);
        await Promise.all(Array.from({ length: 300 }, (_, i) => other.set(ctx.base, String(i))));
        await zk.sync();
        expect(log.told).toEqual(Array.from({ length: 300 }, () => `changed ${ctx.base}`));
      },
    },
    {
      name: 'recursive: the znode and all below it, without the children events of each',
      needs: ['persistent-watches'],
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const [path, neighbour] = [ctx.at('node'), ctx.at('node2')];
        const log = await watching(zk, path, true);
        await other.create(path);
        await other.create(neighbour);
        await other.create(`${path}/a`);
        await other.create(`${path}/a/b`, 'x');
        await other.set(`${path}/a/b`, 'y');
        await other.set(neighbour, 'y');
        await other.set(path, 'y');
        await other.delete(path, { recursive: true });
        await zk.sync();
        expect(log.told).toEqual([
          `created ${path}`,
          `created ${path}/a`,
          `created ${path}/a/b`,
          `changed ${path}/a/b`,
          `changed ${path}`,
          `deleted ${path}/a/b`,
          `deleted ${path}/a`,
          `deleted ${path}`,
        ]);
      },
    },
    {
      name: 'recursive: no children events, also when a one-shot watch below brings them',
      needs: ['persistent-watches'],
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        await other.create(ctx.at('node'));
        const log = await watching(zk, ctx.base, true);
        const shot = new WatchLog();
        await zk.children(ctx.at('node'), { watch: shot.listener });
        await other.create(ctx.at('node/c'));
        await zk.sync();
        expect(log.told).toEqual([`created ${ctx.at('node/c')}`]);
        expect(shot.events).toMatchObject([{ type: 'children', path: ctx.at('node') }]);
      },
    },
    {
      name: 'two on one path each hear of everything; one that is closed leaves the other alone',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const one = await zk.watch(ctx.base);
        const [first, second] = [new EventLog(one), await watching(zk, ctx.base)];
        await hearEach(ctx, second, [[() => other.set(ctx.base, 'x'), `changed ${ctx.base}`]]);
        await one.close();
        await hearEach(ctx, second, [
          [() => other.set(ctx.base, 'y'), `changed ${ctx.base}`],
          [() => other.create(ctx.at('c')), `children ${ctx.base}`],
        ]);
        expect(first.told).toEqual([`changed ${ctx.base}`]);
      },
    },
    ...[true, false].map(
      (closeRecursive): ContractCase => ({
        name: `a recursive one and a plain one on one path: each hears its own, the ${closeRecursive ? 'plain' : 'recursive'} one also when the other is closed`,
        needs: ['persistent-watches'],
        run: async (ctx) => {
          const [zk, other] = [await ctx.connect(), await ctx.connect()];
          const path = ctx.base;
          const watches = [await zk.watch(path), await zk.watch(path, { recursive: true })] as const;
          const [plain, deep] = [new EventLog(watches[0]), new EventLog(watches[1])];
          const change = async (): Promise<void> => {
            await other.set(path, 'x');
            await other.create(ctx.at('c'));
            await other.create(ctx.at('c/d'));
            await other.delete(ctx.at('c/d'));
            await other.delete(ctx.at('c'));
            await zk.sync();
          };
          const plainly = [`changed ${path}`, `children ${path}`, `children ${path}`];
          const deeply = [
            `changed ${path}`,
            ...['created c', 'created c/d', 'deleted c/d', 'deleted c'].map((each) => each.replace(' ', ` ${path}/`)),
          ];
          await change();
          expect([plain.told, deep.told]).toEqual([plainly, deeply]);
          await watches[closeRecursive ? 1 : 0].close();
          await change();
          expect(plain.told).toEqual(closeRecursive ? [...plainly, ...plainly] : plainly);
          expect(deep.told).toEqual(closeRecursive ? deeply : [...deeply, ...deeply]);
        },
      }),
    ),
    {
      name: 'a recursive one above and others below: each hears, once',
      needs: ['persistent-watches'],
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const path = ctx.at('a');
        await other.create(path);
        const above = await watching(zk, ctx.base, true);
        const below = await watching(zk, path, true);
        const plain = await watching(zk, path);
        const shot = new WatchLog();
        await zk.get(path, { watch: shot.listener });
        await other.set(path, 'x');
        await other.set(path, 'y');
        await zk.sync();
        for (const log of [above, below, plain]) expect(log.told).toEqual([`changed ${path}`, `changed ${path}`]);
        expect(shot.types).toEqual(['changed']);
      },
    },
    ...besideOneShots,
  ],
};
