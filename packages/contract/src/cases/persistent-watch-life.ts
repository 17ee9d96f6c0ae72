import { expect } from '@jest/globals';
import { PathError } from '@zookit/client';
import type { CaseGroup, ContractCase } from '../case.ts';
import type { Context } from '../context.ts';
import { EventLog, watching } from '../event-log.ts';
import { expectError } from '../expect-error.ts';
import { later } from '../later.ts';

/** How many watches the server has on a path and below. */
async function kept(ctx: Context, path: string): Promise<number> {
  const { data } = await ctx.server.watches!();
  return data.filter((watch) => watch.path === path || watch.path.startsWith(`${path}/`)).length;
}

export const persistentWatchLife: CaseGroup = {
  name: 'the life of a persistent watch',
  cases: [
    ...[false, true].map(
      (recursive): ContractCase => ({
        name: `close() of a ${recursive ? 'recursive' : 'plain'} one takes it from the server; nothing comes afterwards`,
        needs: ['handle:watches', 'watch-removal', ...(recursive ? (['persistent-watches'] as const) : [])],
        run: async (ctx) => {
          const [zk, other] = [await ctx.connect(), await ctx.connect()];
          const before = (await ctx.server.watches!()).child;
          const watch = await zk.watch(ctx.base, { recursive });
          const log = new EventLog(watch);
          expect(await kept(ctx, ctx.base)).toBe(1);
          expect(zk.health().watches).toBeGreaterThanOrEqual(1);
          await watch.close();
          await watch.close();
          expect([watch.closed, log.closed, zk.health().watches]).toEqual([true, 1, 0]);
          await ctx.until('the server has no watch', async () => (await kept(ctx, ctx.base)) === 0);
          await ctx.until('nor a child watch', async () => (await ctx.server.watches!()).child === before);
          await other.set(ctx.base, 'x');
          await other.create(ctx.at('c'));
          await zk.sync();
          expect(log.events).toEqual([]);
        },
      }),
    ),
    {
      name: 'the last of two takes it from the server',
      needs: ['handle:watches', 'watch-removal'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        const [one, two] = [await zk.watch(ctx.base), await zk.watch(ctx.base)];
        await one.close();
        await zk.sync();
        expect(await kept(ctx, ctx.base)).toBe(1);
        await two.close();
        await ctx.until('the server has no watch', async () => (await kept(ctx, ctx.base)) === 0);
      },
    },
    {
      name: 'a signal ends it as close() does; one that is aborted already keeps it from being set',
      needs: ['handle:watches', 'watch-removal'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        const [end, reason] = [new AbortController(), new Error('enough')];
        const watch = await zk.watch(ctx.base, { signal: end.signal });
        end.abort(reason);
        expect(watch.closed).toBe(true);
        await expect(zk.watch(ctx.base, { signal: end.signal })).rejects.toBe(reason);
        await zk.sync();
        await ctx.until('the server has no watch', async () => (await kept(ctx, ctx.base)) === 0);
      },
    },
    {
      name: 'given up while it is being set, it leaves nothing on the server',
      needs: ['handle:watches', 'watch-removal'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        const [end, reason] = [new AbortController(), new Error('enough')];
        const setting = later(zk.watch(ctx.base, { signal: end.signal }));
        end.abort(reason);
        await expect(setting).rejects.toBe(reason);
        await zk.sync();
        await ctx.until('the server has no watch', async () => (await kept(ctx, ctx.base)) === 0);
        expect(zk.health().watches).toBe(0);
      },
    },
    {
      name: 'for await reads its events in order, and ends with it',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const watch = await zk.watch(ctx.base);
        const read: string[] = [];
        const reading = (async () => {
          for await (const { type, path } of watch) read.push(`${type} ${path}`);
        })();
        for (const [count, change] of [
          () => other.set(ctx.base, 'x'),
          () => other.create(ctx.at('c')),
          () => other.set(ctx.base, 'y'),
        ].entries()) {
          await change();
          await ctx.until('it is read', () => read.length > count);
        }
        await watch.close();
        await reading;
        expect(read).toEqual([`changed ${ctx.base}`, `children ${ctx.base}`, `changed ${ctx.base}`]);
      },
    },
    {
      name: 'a reader that lags by more than 1,000 events gets one "resync" for what it missed, and goes on',
      needs: ['persistent-watches'],
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const watch = await zk.watch(ctx.base);
        const reader = watch[Symbol.asyncIterator]();
        const log = new EventLog(watch);
        await Promise.all(Array.from({ length: 1_100 }, () => other.set(ctx.base, 'x')));
        await zk.sync();
        expect(log.events).toHaveLength(1_100);
        const types: string[] = [];
        for (let next = await reader.next(); next.done !== true; next = await reader.next()) {
          const { type } = next.value;
          types.push(type);
          if (type !== 'resync') continue;
          await other.create(ctx.at('c'));
          await zk.sync();
          await watch.close();
        }
        expect(types.filter((type) => type !== 'changed')).toEqual(['resync', 'children']);
        expect(types.indexOf('resync')).toBe(types.length - 2);
        expect(types.length).toBeLessThanOrEqual(1_002);
        expect(types.length).toBeGreaterThan(500);
      },
    },
    {
      name: 'close() of the client ends it',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const watch = await zk.watch(ctx.base);
        const log = new EventLog(watch);
        const reading = (async () => {
          for await (const _ of watch) throw new Error('an event');
        })();
        await zk.close();
        await reading;
        expect([watch.closed, log.closed, log.events]).toEqual([true, 1, []]);
        await watch.close();
      },
    },
    {
      name: 'an event comes before any reply that shows its change, and after zk.watch() has come back',
      needs: ['persistent-watches'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        const heard: string[] = [];
        await Promise.all([
          zk.watch(ctx.base).then((watch) => {
            heard.push('watch');
            watch.on('event', ({ type }) => heard.push(type));
          }),
          zk.set(ctx.base, 'x').then(() => heard.push('set')),
          zk.get(ctx.base).then(({ data }) => heard.push(`read ${data}`)),
        ]);
        expect(heard).toEqual(['watch', 'changed', 'set', 'read x']);
      },
    },
    {
      name: 'events carry the zxid of the change',
      needs: ['persistent-watches', 'event-zxid'],
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const log = await watching(zk, ctx.base, true);
        await other.create(ctx.at('c'));
        const created = other.lastZxid;
        await other.set(ctx.at('c'), 'x');
        await zk.sync();
        expect(log.events).toEqual([
          { type: 'created', path: ctx.at('c'), zxid: created },
          { type: 'changed', path: ctx.at('c'), zxid: other.lastZxid },
        ]);
      },
    },
    {
      name: 'a listener that throws stops nobody else and is reported',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const thrown = new Error('thrown');
        const watch = await zk.watch(ctx.base);
        watch.on('event', () => {
          throw thrown;
        });
        const [same, another] = [new EventLog(watch), await watching(zk, ctx.base)];
        await other.set(ctx.base, 'x');
        await ctx.until('both hear', () => same.events.length === 1 && another.events.length === 1);
        expect(ctx.takeReported()).toEqual([thrown]);
      },
    },
    {
      name: 'a path that can’t be one: PathError, and nothing is set',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await expectError(zk.watch('no/slash'), PathError, { path: 'no/slash' });
        expect(zk.health().watches).toBe(0);
      },
    },
  ],
};
