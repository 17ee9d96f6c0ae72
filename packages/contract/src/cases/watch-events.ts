import { expect } from '@jest/globals';
import type { WatchEvent, WatchListener, ZooKeeper } from '@zookit/client';
import type { CaseGroup, ContractCase } from '../case.ts';
import type { Context } from '../context.ts';
import { WatchLog } from '../watch-log.ts';

type Setter = (zk: ZooKeeper, path: string, watch: WatchListener) => Promise<unknown>;

const setters = {
  get: (zk, path, watch) => zk.get(path, { watch }),
  exists: (zk, path, watch) => zk.exists(path, { watch }),
  children: (zk, path, watch) => zk.children(path, { watch }),
} satisfies Record<string, Setter>;

interface Change {
  does: string;
  /** Done twice: a one-shot watch hears of the first time only. */
  first(zk: ZooKeeper, path: string): Promise<unknown>;
  second(zk: ZooKeeper, path: string): Promise<unknown>;
}

const changes = {
  create: {
    does: 'it is created',
    first: (zk, path) => zk.create(path),
    second: async (zk, path) => {
      await zk.delete(path);
      await zk.create(path);
    },
  },
  set: {
    does: 'its data is set',
    first: (zk, path) => zk.set(path, 'x'),
    second: (zk, path) => zk.set(path, 'x'),
  },
  delete: {
    does: 'it is deleted',
    first: (zk, path) => zk.delete(path),
    second: async (zk, path) => {
      await zk.create(path);
      await zk.delete(path);
    },
  },
  createChild: {
    does: 'a child is created',
    first: (zk, path) => zk.create(`${path}/one`),
    second: (zk, path) => zk.create(`${path}/two`),
  },
  deleteChild: {
    does: 'a child is deleted',
    first: (zk, path) => zk.delete(`${path}/old`),
    second: (zk, path) => zk.delete(`${path}/older`),
  },
  setChild: {
    does: 'a child’s data is set',
    first: (zk, path) => zk.set(`${path}/old`, 'x'),
    second: (zk, path) => zk.set(`${path}/old`, 'y'),
  },
  createGrandchild: {
    does: 'a grandchild is created',
    first: (zk, path) => zk.create(`${path}/old/one`),
    second: (zk, path) => zk.create(`${path}/old/two`),
  },
} satisfies Record<string, Change>;

type State = 'missing' | 'bare' | 'with children';

/** What one kind of watch hears of each change; null: nothing. */
const table: readonly (readonly [keyof typeof setters, State, keyof typeof changes, WatchEvent['type'] | null])[] = [
  ['get', 'bare', 'set', 'changed'],
  ['get', 'bare', 'delete', 'deleted'],
  ['get', 'bare', 'createChild', null],
  ['get', 'with children', 'deleteChild', null],
  ['exists', 'missing', 'create', 'created'],
  ['exists', 'bare', 'set', 'changed'],
  ['exists', 'bare', 'delete', 'deleted'],
  ['exists', 'bare', 'createChild', null],
  ['exists', 'with children', 'deleteChild', null],
  ['children', 'bare', 'createChild', 'children'],
  ['children', 'with children', 'deleteChild', 'children'],
  ['children', 'bare', 'delete', 'deleted'],
  ['children', 'bare', 'set', null],
  ['children', 'with children', 'setChild', null],
  ['children', 'with children', 'createGrandchild', null],
];

async function prepare(ctx: Context, zk: ZooKeeper, state: State): Promise<string> {
  const path = ctx.at('node');
  if (state !== 'missing') await zk.create(path);
  if (state === 'with children') for (const child of ['old', 'older']) await zk.create(`${path}/${child}`);
  return path;
}

const oneOfEach = table.map(([setter, state, change, heard]): ContractCase => {
  const { does, first, second } = changes[change] as Change;
  return {
    name: `${setter} on a znode that is ${state}: when ${does}, ${heard === null ? 'nothing' : `"${heard}", once`}`,
    run: async (ctx) => {
      const [zk, other] = [await ctx.connect(), await ctx.connect()];
      const path = await prepare(ctx, zk, state);
      const log = new WatchLog();
      await setters[setter](zk, path, log.listener);
      await first(other, path);
      await zk.sync(path);
      const expected = heard === null ? [] : [{ type: heard, path }];
      expect(log.events).toMatchObject(expected);
      expect(log.events).toHaveLength(expected.length);
      await second(other, path);
      await zk.sync(path);
      expect(log.events).toHaveLength(expected.length);
    },
  };
});

export const watchEvents: CaseGroup = {
  name: 'watches',
  cases: [
    ...oneOfEach,
    {
      name: 'get and children of a missing znode set no watch',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const log = new WatchLog();
        for (const setter of ['get', 'children'] as const) {
          await expect(setters[setter](zk, ctx.at('node'), log.listener)).rejects.toMatchObject({ code: 'NO_NODE' });
        }
        await zk.create(ctx.at('node'));
        await zk.create(ctx.at('node/child'));
        await zk.sync();
        expect(log.events).toEqual([]);
      },
    },
    {
      name: 'a client’s own changes count as well',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const log = new WatchLog();
        await zk.exists(ctx.at('node'), { watch: log.listener });
        await zk.create(ctx.at('node'));
        await zk.get(ctx.at('node'), { watch: log.listener });
        await zk.set(ctx.at('node'), 'x');
        await zk.get(ctx.at('node'), { watch: log.listener });
        await zk.delete(ctx.at('node'));
        expect(log.types).toEqual(['created', 'changed', 'deleted']);
      },
    },
    {
      name: 'every client that watches hears of it',
      run: async (ctx) => {
        const clients = await Promise.all([1, 2, 3].map(() => ctx.connect()));
        const logs = clients.map(() => new WatchLog());
        await Promise.all(clients.map((zk, i) => zk.exists(ctx.at('node'), { watch: logs[i]!.listener })));
        await clients[0]!.create(ctx.at('node'));
        await Promise.all(clients.map((zk) => zk.sync()));
        expect(logs.map(({ types }) => types)).toEqual([['created'], ['created'], ['created']]);
      },
    },
    {
      name: 'several functions on one path each hear of it, once',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        await zk.create(ctx.at('node'));
        const logs = [new WatchLog(), new WatchLog(), new WatchLog(), new WatchLog()];
        await zk.get(ctx.at('node'), { watch: logs[0]!.listener });
        await zk.get(ctx.at('node'), { watch: logs[1]!.listener });
        await zk.exists(ctx.at('node'), { watch: logs[2]!.listener });
        await zk.children(ctx.at('node'), { watch: logs[3]!.listener });
        await other.delete(ctx.at('node'));
        await zk.sync();
        expect(logs.map(({ types }) => types)).toEqual([['deleted'], ['deleted'], ['deleted'], ['deleted']]);
      },
    },
    {
      name: 'the same function on the same path and kind is one watch',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        await zk.create(ctx.at('node'));
        const log = new WatchLog();
        await Promise.all([1, 2, 3].map(() => zk.get(ctx.at('node'), { watch: log.listener })));
        await zk.exists(ctx.at('node'), { watch: log.listener });
        await other.set(ctx.at('node'), 'x');
        await zk.sync();
        expect(log.types).toEqual(['changed']);
        const family = new WatchLog();
        await Promise.all([1, 2].map(() => zk.children(ctx.at('node'), { watch: family.listener })));
        await other.create(ctx.at('node/child'));
        await zk.sync();
        expect(family.types).toEqual(['children']);
      },
    },
    {
      name: 'the same function on data and children of a znode hears of both, and of its deletion once',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const path = ctx.at('node');
        await zk.create(path);
        const log = new WatchLog();
        const watchBoth = async () => {
          await zk.get(path, { watch: log.listener });
          await zk.children(path, { watch: log.listener });
        };
        await watchBoth();
        await other.set(path, 'x');
        await other.create(`${path}/child`);
        await zk.sync();
        expect(log.types).toEqual(['changed', 'children']);
        await other.delete(`${path}/child`);
        await watchBoth();
        await other.delete(path);
        await zk.sync();
        expect(log.types).toEqual(['changed', 'children', 'deleted']);
      },
    },
    {
      name: 'the same function on several paths is several watches',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const log = new WatchLog();
        for (const name of ['a', 'b', 'c']) await zk.exists(ctx.at(name), { watch: log.listener });
        for (const name of ['c', 'a', 'b']) await other.create(ctx.at(name));
        await zk.sync();
        expect(log.events.map(({ path }) => path)).toEqual(['c', 'a', 'b'].map((name) => ctx.at(name)));
      },
    },
    {
      name: 'a watch set again by its listener hears of the next change',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const path = ctx.at('node');
        await zk.create(path, '0');
        const seen: (string | undefined)[] = [];
        const look = async (event?: WatchEvent): Promise<void> => {
          if (event?.type === 'closed') return;
          const { data } = await zk.get(path, { watch: look });
          seen.push(data?.toString());
        };
        await look();
        for (let i = 1; i <= 20; i += 1) {
          await other.set(path, String(i));
          await ctx.until(`${i} is seen`, () => seen.at(-1) === String(i));
        }
        expect(seen).toEqual(Array.from({ length: 21 }, (_, i) => String(i)));
      },
    },
    {
      name: 'of changes in quick succession the last one is seen, whatever was skipped',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const path = ctx.at('node');
        await zk.create(path, '0');
        const seen: number[] = [];
        const look = async (event?: WatchEvent): Promise<void> => {
          if (event?.type === 'closed') return;
          const { data } = await zk.get(path, { watch: look });
          seen.push(Number(data));
        };
        await look();
        await Promise.all(Array.from({ length: 300 }, (_, i) => other.set(path, String(i + 1))));
        await ctx.until('the last change is seen', () => seen.at(-1) === 300);
        expect(seen).toEqual([...seen].sort((a, b) => a - b));
      },
    },
    {
      name: 'ephemerals that go with their session are deletions to whoever watches',
      run: async (ctx) => {
        const [owner, zk] = [await ctx.connect(), await ctx.connect()];
        await owner.create(ctx.at('e'), null, { mode: 'ephemeral' });
        const [own, family] = [new WatchLog(), new WatchLog()];
        await zk.exists(ctx.at('e'), { watch: own.listener });
        await zk.children(ctx.base, { watch: family.listener });
        await owner.close();
        await zk.sync();
        expect(own.events).toMatchObject([{ type: 'deleted', path: ctx.at('e') }]);
        expect(family.events).toMatchObject([{ type: 'children', path: ctx.base }]);
      },
    },
    {
      name: 'events carry the zxid of the change',
      needs: ['event-zxid'],
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const log = new WatchLog();
        await zk.exists(ctx.at('node'), { watch: log.listener });
        await zk.children(ctx.base, { watch: log.listener });
        await other.create(ctx.at('node'));
        const created = other.lastZxid;
        await zk.get(ctx.at('node'), { watch: log.listener });
        await other.set(ctx.at('node'), 'x');
        const changed = other.lastZxid;
        await zk.sync();
        expect(log.events).toEqual([
          { type: 'created', path: ctx.at('node'), zxid: created },
          { type: 'children', path: ctx.base, zxid: created },
          { type: 'changed', path: ctx.at('node'), zxid: changed },
        ]);
      },
    },
    {
      name: 'a listener that throws, or rejects, stops nobody else and is reported',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        await zk.create(ctx.at('node'));
        const [before, after] = [new WatchLog(), new WatchLog()];
        const [thrown, rejected] = [new Error('thrown'), new Error('rejected')];
        await zk.get(ctx.at('node'), { watch: before.listener });
        await zk.get(ctx.at('node'), {
          watch: () => {
            throw thrown;
          },
        });
        await zk.get(ctx.at('node'), { watch: () => Promise.reject(rejected) as never });
        await zk.get(ctx.at('node'), { watch: after.listener });
        await other.set(ctx.at('node'), 'x');
        await zk.sync();
        expect([before.types, after.types]).toEqual([['changed'], ['changed']]);
        const reported = ctx.takeReported();
        expect(reported).toHaveLength(2);
        expect(new Set(reported)).toEqual(new Set([thrown, rejected]));
        expect(zk.state).toBe('connected');
      },
    },
    {
      name: 'close() ends each watch with "closed", once',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const log = new WatchLog();
        await zk.get(ctx.base, { watch: log.listener });
        await zk.exists(ctx.at('missing'), { watch: log.listener });
        await zk.children(ctx.base, { watch: log.listener });
        await zk.close();
        expect(log.types).toEqual(['closed', 'closed', 'closed']);
        expect(log.events.map(({ path }) => path).sort()).toEqual([ctx.base, ctx.base, ctx.at('missing')]);
      },
    },
  ],
};
