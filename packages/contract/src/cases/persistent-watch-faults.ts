import { expect } from '@jest/globals';
import { UnimplementedError, type Watch, type ZooKeeper } from '@zookit/client';
import type { CaseGroup, ContractCase } from '../case.ts';
import { EventLog } from '../event-log.ts';
import { expire } from '../expire.ts';
import { outage } from '../outage.ts';
import { nextEvent, StateLog } from '../state-log.ts';
import { WatchLog } from '../watch-log.ts';

const modes = [
  { kind: 'a plain one', recursive: false, needs: [] },
  { kind: 'a recursive one', recursive: true, needs: ['persistent-watches'] },
] as const;

/** Something to hear of for either mode, once. */
async function change(zk: ZooKeeper, path: string): Promise<void> {
  await zk.set(path, 'x');
}

const ofEachMode = modes.flatMap(({ kind, recursive, needs }): ContractCase[] => [
  {
    name: `${kind}, after an outage: one "resync" in place of what was missed, then all that follows`,
    needs,
    run: async (ctx) => {
      const proxy = await ctx.proxy();
      const [zk, other] = [await ctx.through(proxy), await ctx.connect()];
      const logs = [1, 2].map(async () => new EventLog(await zk.watch(ctx.base, { recursive })));
      const [log, second] = (await Promise.all(logs)) as [EventLog, EventLog];
      await outage(proxy, zk, () => Promise.all([change(other, ctx.base), other.create(ctx.at('c'))]));
      await ctx.until('it is told', () => log.events.length > 0 && second.events.length > 0);
      await change(other, ctx.base);
      await ctx.until('it is told', () => log.events.length > 1 && second.events.length > 1);
      await zk.sync();
      expect(log.told).toEqual([`resync ${ctx.base}`, `changed ${ctx.base}`]);
      expect(second.told).toEqual(log.told);
    },
  },
  {
    name: `${kind}, after an outage in which nothing happened: "resync" as well`,
    needs,
    run: async (ctx) => {
      const proxy = await ctx.proxy();
      const zk = await ctx.through(proxy);
      const log = new EventLog(await zk.watch(ctx.base, { recursive }));
      for (const count of [1, 2]) {
        await outage(proxy, zk, async () => {});
        await ctx.until('it is told', () => log.events.length === count);
      }
      await zk.sync();
      expect(log.types).toEqual(['resync', 'resync']);
    },
  },
  {
    name: `${kind}: what happens from the "resync" on is told`,
    needs,
    run: async (ctx) => {
      const proxy = await ctx.proxy();
      const [zk, other] = [await ctx.through(proxy), await ctx.connect()];
      const watch = await zk.watch(ctx.base, { recursive });
      const log = new EventLog(watch);
      const changed = new Promise<void>((resolve, reject) => {
        watch.once('event', () => change(other, ctx.base).then(resolve, reject));
      });
      await outage(proxy, zk, async () => {});
      await changed;
      await ctx.until('both are told', () => log.events.length === 2);
      expect(log.types).toEqual(['resync', 'changed']);
    },
  },
  {
    name: `${kind}, in the session after a lost one: "resync", then all that follows`,
    needs,
    run: async (ctx) => {
      const proxy = await ctx.proxy();
      const [zk, other] = [await ctx.through(proxy), await ctx.connect()];
      const log = new EventLog(await zk.watch(ctx.base, { recursive }));
      const renewed = nextEvent(zk, 'renewed');
      const release = await expire(ctx, proxy, zk);
      await change(other, ctx.base);
      release();
      await renewed;
      await ctx.until('it is told', () => log.events.length > 0);
      await change(other, ctx.base);
      await ctx.until('it is told', () => log.events.length > 1);
      expect(log.types).toEqual(['resync', 'changed']);
      expect(log.closed).toBe(0);
    },
  },
  {
    name: `${kind}, closed during an outage, is not set again`,
    needs: [...needs, 'handle:watches'],
    run: async (ctx) => {
      const proxy = await ctx.proxy();
      const [zk, other] = [await ctx.through(proxy), await ctx.connect()];
      const watch = await zk.watch(ctx.base, { recursive });
      const log = new EventLog(watch);
      await outage(proxy, zk, () => watch.close());
      await zk.sync();
      const { data } = await ctx.server.watches!();
      expect(data.filter(({ path }) => path.startsWith(ctx.base))).toEqual([]);
      await change(other, ctx.base);
      await zk.sync();
      expect(log.events).toEqual([]);
    },
  },
  {
    name: `${kind}, asked for during an outage, is set afterwards`,
    needs,
    run: async (ctx) => {
      const proxy = await ctx.proxy();
      const [zk, other] = [await ctx.through(proxy), await ctx.connect()];
      let setting: Promise<Watch> | undefined;
      await outage(proxy, zk, async () => {
        setting = zk.watch(ctx.base, { recursive });
      });
      const log = new EventLog((await setting) as Watch);
      await change(other, ctx.base);
      await ctx.until('it is told', () => log.events.length > 0);
      expect(log.types).toEqual(['changed']);
    },
  },
  {
    name: `${kind} under a chroot and in a namespace: paths without them, and nothing from outside`,
    needs,
    run: async (ctx) => {
      const proxy = await ctx.proxy();
      const [other, root] = [await ctx.connect(), await ctx.connect()];
      await other.create(ctx.at('in'));
      await other.create(ctx.at('in/ns'));
      const inside = await ctx.connect({}, `${proxy.connectString}${ctx.at('in')}`);
      const view = inside.namespace('/ns');
      const [top, below] = [
        new EventLog(await inside.watch('/', { recursive })),
        new EventLog(await view.watch('/', { recursive })),
      ];
      await inside.sync('/');
      await other.set(ctx.at('in/ns'), 'x');
      await ctx.until('it is told', () => below.events.length === 1);
      await root.set(ctx.base, 'x');
      await other.set(ctx.at('in'), 'x');
      await ctx.until('it is told', () => top.types.includes('changed') && top.told.includes('changed /'));
      await outage(proxy, inside, async () => {});
      await ctx.until('they are told', () => top.types.includes('resync') && below.types.includes('resync'));
      await other.create(ctx.at('in/ns/c'));
      await ctx.until('it is told', () => below.events.length === 3);
      await inside.sync('/');
      expect(below.told).toEqual(['changed /', 'resync /', recursive ? 'created /c' : 'children /']);
      expect(top.told).toEqual(
        recursive ? ['changed /ns', 'changed /', 'resync /', 'created /ns/c'] : ['changed /', 'resync /'],
      );
    },
  },
]);

export const persistentWatchFaults: CaseGroup = {
  name: 'persistent watches and what goes wrong',
  cases: [
    ...ofEachMode,
    {
      name: 'one-shot and persistent ones on one path, after an outage: the change once, and a "resync" each',
      needs: ['persistent-watches'],
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const [zk, other] = [await ctx.through(proxy), await ctx.connect()];
        const [data, family] = [new WatchLog(), new WatchLog()];
        await zk.get(ctx.base, { watch: data.listener });
        await zk.children(ctx.base, { watch: family.listener });
        const plain = new EventLog(await zk.watch(ctx.base));
        const deep = new EventLog(await zk.watch(ctx.base, { recursive: true }));
        await outage(proxy, zk, () => other.set(ctx.base, 'x'));
        await ctx.until('they are told', () => plain.events.length === 1 && deep.events.length === 1);
        await zk.sync();
        expect([data.types, family.types]).toEqual([['changed'], []]);
        await other.create(ctx.at('c'));
        await other.set(ctx.base, 'y');
        await zk.sync();
        expect([data.types, family.types]).toEqual([['changed'], ['children']]);
        expect(plain.types).toEqual(['resync', 'children', 'changed']);
        expect(deep.types).toEqual(['resync', 'created', 'changed']);
      },
    },
    {
      name: 'one-shot ones that nobody has used up hear of the next change after an outage, beside persistent ones',
      needs: ['persistent-watches'],
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const [zk, other] = [await ctx.through(proxy), await ctx.connect()];
        const [data, family] = [new WatchLog(), new WatchLog()];
        const deep = new EventLog(await zk.watch(ctx.base, { recursive: true }));
        await zk.get(ctx.base, { watch: data.listener });
        await zk.children(ctx.base, { watch: family.listener });
        await outage(proxy, zk, async () => {});
        await zk.sync();
        expect([data.types, family.types, deep.types]).toEqual([[], [], ['resync']]);
        await other.create(ctx.at('c'));
        await other.set(ctx.base, 'y');
        await zk.sync();
        expect([data.types, family.types]).toEqual([['changed'], ['children']]);
        expect(deep.types).toEqual(['resync', 'created', 'changed']);
      },
    },
    {
      name: 'the reply that sets it is lost: it is set in the end, and tells of a change once',
      needs: ['persistent-watches'],
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const [zk, other] = [await ctx.through(proxy), await ctx.connect()];
        const lost = proxy.once({ opcode: 'addWatch', direction: 'reply', action: 'cut', timeout: 10_000 });
        const log = new EventLog(await zk.watch(ctx.base, { recursive: true }));
        await lost;
        await other.set(ctx.base, 'x');
        await zk.sync();
        expect(log.types).toEqual(['changed']);
      },
    },
    {
      name: 'a recursive one is set, or refused as UnimplementedError; session and calls go on, and asking again costs nothing more',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const [zk, other] = [await ctx.through(proxy), await ctx.connect()];
        const log = new StateLog(zk);
        const id = zk.session?.id;
        await zk.create(ctx.at('e'), null, { mode: 'ephemeral' });
        const ask = async (): Promise<unknown> => zk.watch(ctx.base, { recursive: true }).catch((error) => error);
        const answer = await ask();
        if (answer instanceof Error) expect(answer).toBeInstanceOf(UnimplementedError);
        const again = await ask();
        expect(again instanceof Error).toBe(answer instanceof Error);
        await zk.sync();
        // A server that doesn't know the request ends the connection as well.
        expect(log.events.filter((event) => event === 'suspended').length).toBeLessThanOrEqual(1);
        expect([zk.state, zk.session?.id]).toEqual(['connected', id]);
        expect((await zk.exists(ctx.at('e')))?.ephemeralOwner).toBe(id);
        const plain = new EventLog(await zk.watch(ctx.at('e')));
        await other.set(ctx.at('e'), 'x');
        await ctx.until('the plain one tells', () => plain.events.length === 1);
        expect(plain.types).toEqual(['changed']);
      },
    },
    {
      name: 'the configuration is at /zookeeper/config, wherever the view begins',
      run: async (ctx) => {
        const inside = await ctx.connect({}, ctx.server.connectString + ctx.base);
        const log = new WatchLog();
        await inside.namespace('/deeper').getConfig({ watch: log.listener });
        await inside.close();
        expect(log.events).toEqual([{ type: 'closed', path: '/zookeeper/config' }]);
      },
    },
    {
      name: 'a hundred listeners on one path, one-shot and persistent: each hears, without a warning',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const shots = Array.from({ length: 100 }, () => new WatchLog());
        await Promise.all(shots.map(({ listener }) => zk.get(ctx.base, { watch: listener })));
        const watch = await zk.watch(ctx.base);
        const logs = Array.from({ length: 100 }, () => new EventLog(watch));
        const handles = await Promise.all(Array.from({ length: 100 }, () => zk.watch(ctx.base)));
        logs.push(...handles.map((handle) => new EventLog(handle)));
        await other.set(ctx.base, 'x');
        await ctx.until('all persistent ones are told', () => logs.every(({ events }) => events.length > 0));
        await zk.sync();
        expect(new Set(shots.map(({ types }) => types.join()))).toEqual(new Set(['changed']));
        expect(new Set(logs.map(({ types }) => types.join()))).toEqual(new Set(['changed']));
      },
    },
  ],
};
