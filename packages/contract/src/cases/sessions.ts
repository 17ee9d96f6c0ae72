import { expect } from '@jest/globals';
import type { CaseGroup } from '../case.ts';
import { outage } from '../outage.ts';
import { StateLog } from '../state-log.ts';

export const sessions: CaseGroup = {
  name: 'sessions',
  cases: [
    {
      name: 'the server negotiates the timeout: 2 ticks at least, 20 at most, else as asked for',
      run: async (ctx) => {
        const { tickTime } = ctx.server;
        for (const [asked, granted] of [
          [1, 2 * tickTime],
          [2 * tickTime - 1, 2 * tickTime],
          [2 * tickTime + 1, 2 * tickTime + 1],
          [7_777, 7_777],
          [20 * tickTime + 1, 20 * tickTime],
          [0x7fffffff, 20 * tickTime],
        ] as const) {
          const zk = await ctx.connect({ sessionTimeout: asked });
          expect(zk.session?.timeout).toBe(granted);
          await zk.close();
        }
      },
    },
    {
      name: 'each has an id and a password of its own',
      run: async (ctx) => {
        const clients = await Promise.all([1, 2, 3].map(() => ctx.connect()));
        const [first, second, third] = clients.map(({ session }) => session!);
        expect(new Set([first!.id, second!.id, third!.id, 0n]).size).toBe(4);
        for (const { password } of [first!, second!, third!]) {
          expect(password).toHaveLength(16);
          expect(password.equals(Buffer.alloc(16))).toBe(false);
        }
        expect(first!.password.equals(second!.password)).toBe(false);
      },
    },
    {
      name: 'the client tells where it stands: connecting, connected, closed',
      run: async (ctx) => {
        const zk = ctx.client();
        const log = new StateLog(zk);
        expect([zk.state, zk.session, zk.server]).toEqual(['connecting', null, null]);
        await zk.connect();
        expect(zk.state).toBe('connected');
        expect(zk.server).toEqual({ host: ctx.server.host, address: ctx.server.host, port: ctx.server.port });
        await zk.close();
        expect([zk.state, zk.session, zk.server]).toEqual(['closed', null, null]);
        expect(log.events).toEqual(['connected', 'closed']);
        expect(log.states).toEqual(['connecting -> connected', 'connected -> closed']);
      },
    },
    {
      name: 'a client that does nothing keeps its session for longer than the timeout',
      waits: true,
      run: async (ctx) => {
        const zk = await ctx.connect({ sessionTimeout: 1 });
        const { id, timeout, deadline } = zk.session!;
        const log = new StateLog(zk);
        await zk.create(ctx.at('e'), null, { mode: 'ephemeral' });
        await ctx.until('the deadline has moved on by more than a timeout', () => {
          return (zk.session?.deadline ?? 0) > deadline + 1.5 * timeout;
        });
        expect((await zk.exists(ctx.at('e')))?.ephemeralOwner).toBe(id);
        expect(log.events).toEqual([]);
      },
    },
    {
      name: 'it is kept by a client that does nothing, however early leaseMargin would have it lost',
      waits: true,
      run: async (ctx) => {
        const zk = await ctx.connect({ sessionTimeout: 2_000, leaseMargin: 1_500 });
        const { deadline, timeout } = zk.session!;
        const log = new StateLog(zk);
        await ctx.until('the deadline has moved on by more than a timeout', () => {
          return (zk.session?.deadline ?? 0) > deadline + 1.5 * timeout;
        });
        expect(log.events).toEqual([]);
      },
    },
    {
      name: 'deadline and remaining() say how long it lasts without a word from the server',
      run: async (ctx) => {
        const zk = await ctx.connect({ sessionTimeout: 5_000 });
        const before = performance.now();
        await zk.sync();
        const { deadline, timeout } = zk.session!;
        const after = performance.now();
        expect(deadline).toBeGreaterThanOrEqual(before + timeout);
        expect(deadline).toBeLessThanOrEqual(after + timeout);
        const left = zk.session!.remaining();
        expect(left).toBeLessThanOrEqual(timeout);
        expect(left).toBeGreaterThan(0);
      },
    },
    {
      name: 'it survives the loss of its connection: the same id, the same password, its ephemerals in place',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const [zk, witness] = [await ctx.through(proxy), await ctx.connect()];
        const log = new StateLog(zk);
        const { path } = await zk.create(ctx.at('e'), null, { mode: 'ephemeral' });
        const { id, password, signal } = zk.session!;
        const czxid = (await witness.exists(path))?.czxid;
        await outage(proxy, zk, async () => expect(zk.state).toBe('suspended'));
        expect(zk.session?.id).toBe(id);
        expect(zk.session?.password).toEqual(password);
        expect(signal.aborted).toBe(false);
        expect(log.events).toEqual(['suspended', 'reconnected']);
        expect(log.states).toEqual(['connected -> suspended', 'suspended -> connected']);
        expect(await witness.exists(path)).toMatchObject({ czxid, ephemeralOwner: id });
        await zk.set(path, 'still mine');
      },
    },
    {
      name: 'it survives many cuts in a row',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const { id } = zk.session!;
        await zk.create(ctx.at('e'), null, { mode: 'ephemeral' });
        for (let i = 0; i < 10; i += 1) {
          await outage(proxy, zk, async () => {});
          await zk.set(ctx.at('e'), String(i));
        }
        expect(zk.session?.id).toBe(id);
        expect((await zk.get(ctx.at('e'))).stat).toMatchObject({ version: 10, ephemeralOwner: id });
      },
    },
    {
      name: 'it survives a restart of the server',
      needs: ['handle:restart'],
      timeout: 30_000,
      run: async (ctx) => {
        const zk = await ctx.connect();
        const log = new StateLog(zk);
        const { id } = zk.session!;
        await zk.create(ctx.at('e'), 'x', { mode: 'ephemeral' });
        await ctx.server.restart!();
        await ctx.until('the client is back', () => log.events.includes('reconnected'));
        const { data, stat } = await zk.get(ctx.at('e'));
        expect(data).toEqual(Buffer.from('x'));
        expect(stat.ephemeralOwner).toBe(id);
        expect(log.events).toEqual(['suspended', 'reconnected']);
      },
    },
    {
      name: 'a server that falls silent is given up after two thirds of the timeout; the session lives on',
      waits: true,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy, { sessionTimeout: 3_000, leaseMargin: 100 });
        const { id } = zk.session!;
        await zk.sync();
        const answered = performance.now();
        const suspended = new Promise<number>((resolve) => zk.once('suspended', () => resolve(performance.now())));
        await proxy.blackhole();
        const after = (await suspended) - answered;
        expect(after).toBeGreaterThan(1_800);
        expect(after).toBeLessThan(2_800);
        await proxy.restore();
        await ctx.until('the client is back, or has another session', () => zk.state === 'connected');
        expect(zk.session?.id).toBe(id);
      },
    },
    {
      name: 'when its client closes, the session is gone from the server, and so are its ephemerals',
      needs: ['handle:sessions'],
      run: async (ctx) => {
        const [zk, witness] = [await ctx.connect(), await ctx.connect()];
        const { id } = zk.session!;
        await Promise.all([1, 2, 3].map((i) => zk.create(ctx.at(`e${i}`), null, { mode: 'ephemeral' })));
        expect(await ctx.server.sessions!()).toContain(id);
        await zk.close();
        expect(await ctx.server.sessions!()).not.toContain(id);
        await witness.sync();
        expect((await witness.children(ctx.base)).children).toEqual([]);
      },
    },
  ],
};
