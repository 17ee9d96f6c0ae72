import { expect } from '@jest/globals';
import type { WatchEvent, WatchListener, ZooKeeper } from '@zookit/client';
import type { CaseGroup, ContractCase } from '../case.ts';
import { outage } from '../outage.ts';
import { WatchLog } from '../watch-log.ts';

interface Scenario {
  name: string;
  present: boolean;
  watch(zk: ZooKeeper, path: string, watch: WatchListener): Promise<unknown>;
  /** By another client, while the first one is cut off. */
  meanwhile(zk: ZooKeeper, path: string): Promise<unknown>;
  hears: WatchEvent['type'] | null;
  /** What the watch hears of when nothing has happened meanwhile, or nothing that counts. */
  later?(zk: ZooKeeper, path: string): Promise<unknown>;
  hearsLater?: WatchEvent['type'];
}

const get: Scenario['watch'] = (zk, path, watch) => zk.get(path, { watch });
const exists: Scenario['watch'] = (zk, path, watch) => zk.exists(path, { watch });
const children: Scenario['watch'] = (zk, path, watch) => zk.children(path, { watch });
const nothing = async (): Promise<void> => {};

const scenarios: readonly Scenario[] = [
  {
    name: 'get: its data was set',
    present: true,
    watch: get,
    meanwhile: (zk, path) => zk.set(path, 'x'),
    hears: 'changed',
  },
  {
    name: 'get: its data was set many times',
    present: true,
    watch: get,
    meanwhile: async (zk, path) => {
      for (let i = 0; i < 5; i += 1) await zk.set(path, String(i));
    },
    hears: 'changed',
  },
  {
    name: 'get: it was deleted',
    present: true,
    watch: get,
    meanwhile: (zk, path) => zk.delete(path),
    hears: 'deleted',
  },
  {
    name: 'get: it was deleted and created again',
    present: true,
    watch: get,
    meanwhile: async (zk, path) => {
      await zk.delete(path);
      await zk.create(path);
    },
    hears: 'changed',
  },
  {
    name: 'get: a child was created, which it does not wait for',
    present: true,
    watch: get,
    meanwhile: (zk, path) => zk.create(`${path}/child`),
    hears: null,
    later: (zk, path) => zk.set(path, 'x'),
    hearsLater: 'changed',
  },
  {
    name: 'get: nothing has happened',
    present: true,
    watch: get,
    meanwhile: nothing,
    hears: null,
    later: (zk, path) => zk.delete(path),
    hearsLater: 'deleted',
  },
  {
    name: 'exists on a znode that is there: its data was set',
    present: true,
    watch: exists,
    meanwhile: (zk, path) => zk.set(path, 'x'),
    hears: 'changed',
  },
  {
    name: 'exists on a znode that is there: it was deleted',
    present: true,
    watch: exists,
    meanwhile: (zk, path) => zk.delete(path),
    hears: 'deleted',
  },
  {
    name: 'exists on a missing znode: it was created',
    present: false,
    watch: exists,
    meanwhile: (zk, path) => zk.create(path),
    hears: 'created',
  },
  {
    name: 'exists on a missing znode: it was created and deleted again',
    present: false,
    watch: exists,
    meanwhile: async (zk, path) => {
      await zk.create(path);
      await zk.delete(path);
    },
    hears: null,
    later: (zk, path) => zk.create(path),
    hearsLater: 'created',
  },
  {
    name: 'exists on a missing znode: nothing has happened',
    present: false,
    watch: exists,
    meanwhile: nothing,
    hears: null,
    later: (zk, path) => zk.create(path),
    hearsLater: 'created',
  },
  {
    name: 'children: one was created',
    present: true,
    watch: children,
    meanwhile: (zk, path) => zk.create(`${path}/child`),
    hears: 'children',
  },
  {
    name: 'children: one was created and deleted again',
    present: true,
    watch: children,
    meanwhile: async (zk, path) => {
      await zk.create(`${path}/child`);
      await zk.delete(`${path}/child`);
    },
    hears: 'children',
  },
  {
    name: 'children: the znode itself was deleted',
    present: true,
    watch: children,
    meanwhile: (zk, path) => zk.delete(path),
    hears: 'deleted',
  },
  {
    name: 'children: the znode’s data was set, which it does not wait for',
    present: true,
    watch: children,
    meanwhile: (zk, path) => zk.set(path, 'x'),
    hears: null,
    later: (zk, path) => zk.create(`${path}/child`),
    hearsLater: 'children',
  },
  {
    name: 'children: nothing has happened',
    present: true,
    watch: children,
    meanwhile: nothing,
    hears: null,
    later: (zk, path) => zk.create(`${path}/child`),
    hearsLater: 'children',
  },
];

const ofEachKind = scenarios.map(
  ({ name, present, watch, meanwhile, hears, later, hearsLater }): ContractCase => ({
    name: `${name}: ${hears === null ? 'no event, and the watch stands' : `"${hears}", once`}`,
    run: async (ctx) => {
      const proxy = await ctx.proxy();
      const [zk, other] = [await ctx.through(proxy), await ctx.connect()];
      const path = ctx.at('node');
      if (present) await other.create(path);
      const log = new WatchLog();
      await watch(zk, path, log.listener);
      const id = zk.session?.id;
      await outage(proxy, zk, () => meanwhile(other, path));
      await zk.sync();
      expect(zk.session?.id).toBe(id);
      expect(log.types).toEqual(hears === null ? [] : [hears]);
      if (later !== undefined) await later(other, path);
      await zk.sync();
      expect(log.types).toEqual([hears, hearsLater].filter((type) => type !== null && type !== undefined));
      expect(log.events.every((event) => event.path === path)).toBe(true);
    },
  }),
);

export const watchReconnect: CaseGroup = {
  name: 'watches over a reconnect',
  cases: [
    ...ofEachKind,
    {
      name: 'the event of what was missed comes before the answer to a read that waited for the connection',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const [zk, other] = [await ctx.through(proxy), await ctx.connect()];
        await zk.create(ctx.at('node'), 'before');
        const heard: string[] = [];
        await zk.get(ctx.at('node'), { watch: () => heard.push('event') });
        let reading: Promise<unknown> = Promise.resolve();
        await outage(proxy, zk, async () => {
          await other.set(ctx.at('node'), 'after');
          reading = zk.get(ctx.at('node')).then(({ data }) => heard.push(`read ${data}`));
        });
        await reading;
        expect(heard).toEqual(['event', 'read after']);
      },
    },
    {
      name: 'several functions on one path each hear of what was missed, once',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const [zk, other] = [await ctx.through(proxy), await ctx.connect()];
        await zk.create(ctx.at('node'));
        const logs = [new WatchLog(), new WatchLog(), new WatchLog()];
        await zk.get(ctx.at('node'), { watch: logs[0]!.listener });
        await zk.exists(ctx.at('node'), { watch: logs[1]!.listener });
        await zk.children(ctx.at('node'), { watch: logs[2]!.listener });
        await outage(proxy, zk, () => other.delete(ctx.at('node')));
        await zk.sync();
        expect(logs.map(({ types }) => types)).toEqual([['deleted'], ['deleted'], ['deleted']]);
      },
    },
    {
      name: 'a watch survives one cut after the other',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const [zk, other] = [await ctx.through(proxy), await ctx.connect()];
        const log = new WatchLog();
        await zk.exists(ctx.at('node'), { watch: log.listener });
        for (let i = 0; i < 3; i += 1) await outage(proxy, zk, nothing);
        await other.create(ctx.at('node'));
        await zk.sync();
        expect(log.types).toEqual(['created']);
      },
    },
    {
      name: 'a watch survives a restart of the server',
      needs: ['handle:restart'],
      timeout: 30_000,
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('node'));
        const [log, untouched] = [new WatchLog(), new WatchLog()];
        await zk.get(ctx.at('node'), { watch: log.listener });
        await zk.children(ctx.at('node'), { watch: untouched.listener });
        const id = zk.session?.id;
        const back = new Promise<void>((resolve) => zk.once('reconnected', resolve));
        await ctx.server.restart!();
        await back;
        await zk.set(ctx.at('node'), 'x');
        expect(zk.session?.id).toBe(id);
        expect([log.types, untouched.types]).toEqual([['changed'], []]);
        await zk.create(ctx.at('node/child'));
        expect(untouched.types).toEqual(['children']);
      },
    },
    {
      name: 'a watch whose read was cut off is set once by the read’s repetition',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const [zk, other] = [await ctx.through(proxy), await ctx.connect()];
        await zk.create(ctx.at('node'));
        for (const direction of ['request', 'reply'] as const) {
          const log = new WatchLog();
          const cut = proxy.once({ opcode: 'getData', direction, action: 'cut' });
          await zk.get(ctx.at('node'), { watch: log.listener });
          await cut;
          await other.set(ctx.at('node'), 'x');
          await other.set(ctx.at('node'), 'y');
          await zk.sync();
          expect(log.types).toEqual(['changed']);
        }
      },
    },
    {
      name: '10,000 watches on paths of 160 bytes: one reconnect, and all of them stand',
      timeout: 30_000,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const [zk, other] = [await ctx.through(proxy), await ctx.connect()];
        const heard = new Map<string, number>();
        const watch = ({ path, type }: WatchEvent): void => {
          if (type !== 'closed') heard.set(path, (heard.get(path) ?? 0) + 1);
        };
        const paths = Array.from({ length: 10_000 }, (_, i) => `${ctx.base}/${String(i)}`.padEnd(160, 'x'));
        await Promise.all(paths.map((path) => zk.exists(path, { watch })));
        const requests: number[] = [];
        const tap = (frame: Buffer): boolean => {
          requests.push(frame.length);
          return false;
        };
        proxy.once({ opcode: 'setWatches*', direction: 'request', action: 'drop', match: tap }).catch(() => {});
        let suspensions = 0;
        zk.on('suspended', () => {
          suspensions += 1;
        });
        await outage(proxy, zk, () => Promise.all(paths.slice(0, 100).map((path) => other.create(path))));
        await zk.sync();
        expect(heard.size).toBe(100);
        await Promise.all(paths.slice(100).map((path) => other.create(path)));
        await zk.sync();
        expect(suspensions).toBe(1);
        // One of 1.6 MB would make the server hang up, over and over (ZOOKEEPER-706).
        expect(requests.length).toBeGreaterThan(10);
        expect(Math.max(...requests)).toBeLessThanOrEqual(132 * 1_024);
        expect(heard.size).toBe(10_000);
        expect(Math.max(...heard.values())).toBe(1);
      },
    },
    {
      name: 'the server has the same watches as before',
      needs: ['handle:watches'],
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const log = new WatchLog();
        for (let i = 0; i < 10; i += 1) await zk.exists(ctx.at(`n${i}`), { watch: log.listener });
        await zk.get(ctx.base, { watch: log.listener });
        await zk.children(ctx.base, { watch: log.listener });
        const own = async () => {
          const { data, child } = await ctx.server.watches!();
          const paths = data.filter(({ sessionId }) => sessionId === zk.session?.id).map(({ path }) => path);
          return { paths: paths.sort(), child };
        };
        const before = await own();
        expect(before.paths).toHaveLength(11);
        await outage(proxy, zk, nothing);
        await zk.sync();
        expect(await own()).toEqual(before);
        expect(log.events).toEqual([]);
      },
    },
  ],
};
