import { expect } from '@jest/globals';
import { ConnectionLossError, SessionExpiredError, type WatchEvent } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import { expectError } from '../expect-error.ts';
import { expire } from '../expire.ts';
import { later } from '../later.ts';
import { nextEvent, StateLog } from '../state-log.ts';
import { WatchLog } from '../watch-log.ts';

export const sessionExpiry: CaseGroup = {
  name: 'session expiry',
  cases: [
    {
      name: 'lost, then a new session: other id, ephemerals gone, events and states in order',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const log = new StateLog(zk);
        const old = zk.session!;
        await zk.create(ctx.at('e'), null, { mode: 'ephemeral' });
        const release = await expire(ctx, proxy, zk);
        expect(log.events).toEqual(['suspended']);
        const renewed = nextEvent(zk, 'renewed');
        release();
        await renewed;
        expect(log.events).toEqual(['suspended', 'lost', 'renewed']);
        expect(log.states).toEqual([
          'connected -> suspended',
          'suspended -> lost',
          'lost -> connecting',
          'connecting -> connected',
        ]);
        expect(zk.session?.id).not.toBe(old.id);
        expect(await zk.exists(ctx.at('e'))).toBeNull();
        await zk.create(ctx.at('e'), null, { mode: 'ephemeral' });
        expect((await zk.exists(ctx.at('e')))?.ephemeralOwner).toBe(zk.session?.id);
      },
    },
    {
      name: 'the session’s signal aborts with SessionExpiredError, before any listener hears of it',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const { signal } = zk.session!;
        const heard: string[] = [];
        signal.addEventListener('abort', () => heard.push('signal'));
        zk.on('state', (state) => heard.push(state));
        zk.on('lost', () => heard.push(`lost, aborted: ${signal.aborted}`));
        const lost = nextEvent(zk, 'lost');
        const release = await expire(ctx, proxy, zk);
        release();
        await lost;
        expect(heard.slice(0, 4)).toEqual(['suspended', 'signal', 'lost', 'lost, aborted: true']);
        expect(signal.reason).toBeInstanceOf(SessionExpiredError);
        await ctx.until('there is a new session', () => zk.session !== null);
        expect(zk.session?.signal.aborted).toBe(false);
      },
    },
    {
      name: 'writes that wait reject with SessionExpiredError: certainly not applied',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        await zk.create(ctx.at('node'), 'before');
        const release = await expire(ctx, proxy, zk);
        const writes = later([
          zk.set(ctx.at('node'), 'after'),
          zk.create(ctx.at('other')),
          zk.create(ctx.at('e'), null, { mode: 'ephemeral' }),
          zk.delete(ctx.at('node')),
        ]);
        release();
        for (const write of writes) await expectError(write, SessionExpiredError, { maybeApplied: false });
        expect((await zk.children(ctx.base)).children).toEqual(['node']);
        expect((await zk.get(ctx.at('node'))).data).toEqual(Buffer.from('before'));
      },
    },
    {
      name: 'reads that wait are answered in the new session',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        await zk.create(ctx.at('e'), null, { mode: 'ephemeral' });
        const release = await expire(ctx, proxy, zk);
        const reads = later([zk.exists(ctx.base), zk.children(ctx.base), zk.get(ctx.base), zk.sync()] as const);
        const gone = later(zk.exists(ctx.at('e')));
        release();
        const [stat, { children }, { data }] = await Promise.all(reads);
        expect(stat).not.toBeNull();
        expect(children).toEqual([]);
        expect(data).toBeNull();
        expect(await gone).toBeNull();
      },
    },
    {
      name: 'a read that waits sets its watch in the new session',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const log = new WatchLog();
        const release = await expire(ctx, proxy, zk);
        const read = later(zk.get(ctx.base, { watch: log.listener }));
        release();
        await read;
        await zk.set(ctx.base, 'x');
        expect(log.types).toEqual(['changed']);
      },
    },
    {
      name: 'watches end with "session-lost", once, and are not set again',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const log = new WatchLog();
        await zk.get(ctx.base, { watch: log.listener });
        await zk.children(ctx.base, { watch: log.listener });
        await zk.exists(ctx.at('missing'), { watch: log.listener });
        const renewed = nextEvent(zk, 'renewed');
        const release = await expire(ctx, proxy, zk);
        release();
        await renewed;
        expect(log.types).toEqual(['session-lost', 'session-lost', 'session-lost']);
        expect(log.events.map(({ path }) => path).sort()).toEqual([ctx.base, ctx.base, ctx.at('missing')]);
        await zk.set(ctx.base, 'x');
        await zk.create(ctx.at('missing'));
        await zk.sync();
        expect(log.events).toHaveLength(3);
      },
    },
    {
      name: 'a listener that hears "session-lost" may read again: it is answered in the next session',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const types: WatchEvent['type'][] = [];
        let again: Promise<unknown> | undefined;
        await zk.get(ctx.base, {
          watch: ({ type }) => {
            types.push(type);
            again = zk.get(ctx.base, { watch: (event) => types.push(event.type), timeout: 5_000 });
          },
        });
        const release = await expire(ctx, proxy, zk);
        release();
        await ctx.until('the listener is called', () => again !== undefined);
        await again;
        await zk.set(ctx.base, 'x');
        await zk.sync();
        expect(types).toEqual(['session-lost', 'changed']);
      },
    },
    {
      name: 'a listener of "lost" may write: it is done in the next session',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        let again: Promise<unknown> | undefined;
        zk.on('lost', () => {
          again = zk.create(ctx.at('e'), null, { mode: 'ephemeral', timeout: 5_000 });
        });
        const release = await expire(ctx, proxy, zk);
        release();
        await ctx.until('the listener is called', () => again !== undefined);
        await again;
        expect((await zk.exists(ctx.at('e')))?.ephemeralOwner).toBe(zk.session?.id);
      },
    },
    {
      name: 'without renewSession the client stays lost, and every call is a SessionExpiredError',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy, { renewSession: false });
        const log = new StateLog(zk);
        const watch = new WatchLog();
        await zk.get(ctx.base, { watch: watch.listener });
        const release = await expire(ctx, proxy, zk);
        const waiting = later([zk.get(ctx.base), zk.set(ctx.base, 'x')]);
        const lost = nextEvent(zk, 'lost');
        release();
        await lost;
        for (const call of waiting) await expectError(call, SessionExpiredError);
        expect([zk.state, zk.session]).toEqual(['lost', null]);
        await expectError(zk.get(ctx.base), SessionExpiredError, { path: ctx.base });
        await expectError(zk.set(ctx.base, 'x'), SessionExpiredError, { maybeApplied: false });
        expect(watch.types).toEqual(['session-lost']);
        await zk.close();
        expect(log.events).toEqual(['suspended', 'lost', 'closed']);
      },
    },
    {
      name: 'ephemerals of a silent session go with it: not before its deadline, and soon after',
      waits: true,
      run: async (ctx) => {
        const witness = await ctx.connect();
        const zk = await ctx.connect({ sessionTimeout: 1_500 });
        await zk.create(ctx.at('e'), null, { mode: 'ephemeral' });
        let gone = 0;
        await witness.exists(ctx.at('e'), {
          watch: ({ type }) => {
            if (type === 'deleted') gone = performance.now();
          },
        });
        const { deadline } = zk.session!;
        await zk.close({ detach: true });
        await ctx.until('the ephemeral is gone', () => gone > 0);
        expect(gone).toBeGreaterThanOrEqual(deadline);
        expect(gone).toBeLessThan(deadline + 3 * ctx.server.tickTime);
      },
    },
    {
      name: 'a client that hears nothing declares the session lost before the server can end it',
      waits: true,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const witness = await ctx.connect();
        const zk = await ctx.through(proxy, { sessionTimeout: 2_000, leaseMargin: 300 });
        const log = new StateLog(zk);
        await zk.create(ctx.at('e'), null, { mode: 'ephemeral' });
        const order: string[] = [];
        zk.session!.signal.addEventListener('abort', () => order.push('signal'));
        await witness.exists(ctx.at('e'), {
          watch: ({ type }) => {
            if (type === 'deleted') order.push('gone');
          },
        });
        const { deadline } = zk.session!;
        const lost = nextEvent(zk, 'lost');
        await proxy.blackhole();
        await lost;
        const at = performance.now();
        await ctx.until('the ephemeral is gone', () => order.includes('gone'));
        expect(order).toEqual(['signal', 'gone']);
        // A ping may have been answered after the deadline was read; half a second is a lot more than the way back.
        expect(at).toBeLessThan(deadline + 2_000 / 3 + 500);
        const renewed = nextEvent(zk, 'renewed');
        await proxy.restore();
        await renewed;
        expect(log.events).toEqual(['suspended', 'lost', 'renewed']);
      },
    },
    {
      name: 'a session that is lost here but lives on there is closed before the next one is used',
      waits: true,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const witness = await ctx.connect();
        // Lost after 1 s, while the server keeps it for 10.
        const zk = await ctx.through(proxy, { sessionTimeout: 10_000, leaseMargin: 8_000 });
        await zk.create(ctx.at('e'), null, { mode: 'ephemeral' });
        const { id } = zk.session!;
        const lost = nextEvent(zk, 'lost');
        await proxy.blackhole();
        await lost;
        expect((await witness.exists(ctx.at('e')))?.ephemeralOwner).toBe(id);
        const renewed = nextEvent(zk, 'renewed');
        await proxy.restore();
        await renewed;
        expect(await zk.exists(ctx.at('e'))).toBeNull();
        await zk.create(ctx.at('e'), null, { mode: 'ephemeral' });
      },
    },
    {
      name: 'lost without being suspended first: watches, reads and writes come out the same',
      waits: true,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        // Lost after 1 s, long before the silence is noticed.
        const zk = await ctx.through(proxy, { sessionTimeout: 10_000, leaseMargin: 9_000 });
        const log = new StateLog(zk);
        await zk.create(ctx.at('node'), 'before');
        const types: WatchEvent['type'][] = [];
        let again: Promise<unknown> | undefined;
        await zk.get(ctx.at('node'), {
          watch: ({ type }) => {
            types.push(type);
            again = zk.get(ctx.base, { watch: (event) => types.push(event.type), timeout: 8_000 });
          },
        });
        await proxy.blackhole();
        const calls = later([zk.get(ctx.at('node')), zk.set(ctx.at('node'), 'after')] as const);
        await expectError(calls[1], SessionExpiredError, { maybeApplied: true });
        await proxy.restore();
        expect((await calls[0]).data).toEqual(Buffer.from('before'));
        await again;
        await zk.set(ctx.base, 'x');
        await zk.sync();
        expect(types).toEqual(['session-lost', 'changed']);
        expect(log.events).toEqual(['lost', 'renewed']);
      },
    },
    {
      name: 'a write that was on the wire when the server fell silent may have been applied',
      waits: true,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy, { sessionTimeout: 2_000, leaseMargin: 100 });
        await zk.create(ctx.at('node'), 'before');
        await proxy.blackhole();
        const [set, read] = later([zk.set(ctx.at('node'), 'after'), zk.get(ctx.at('node'))] as const);
        await expectError(set, ConnectionLossError, { maybeApplied: true });
        await ctx.until('the session is lost', () => zk.session === null);
        await proxy.restore();
        expect((await read).data).toEqual(Buffer.from('before'));
      },
    },
  ],
};
