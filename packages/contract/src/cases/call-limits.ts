import { expect } from '@jest/globals';
import { BadArgumentsError, BusyError, TimeoutError } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import { expectError } from '../expect-error.ts';
import { later } from '../later.ts';
import { outage } from '../outage.ts';
import { WatchLog } from '../watch-log.ts';

export const callLimits: CaseGroup = {
  name: 'timeouts and aborts of calls',
  cases: [
    {
      name: 'a call on the wire that is not answered in time: TimeoutError; its late answer is dropped, and the connection goes on',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const { id } = zk.session!;
        const held = proxy.once({ opcode: 'getData', direction: 'reply', action: 'hold' });
        const call = later(zk.get(ctx.base, { timeout: 50 }));
        const behind = later(zk.exists(ctx.base));
        const { release } = await held;
        const error = await expectError(call, TimeoutError, { code: 'TIMEOUT', operation: 'get', path: ctx.base });
        expect(error.maybeApplied).toBeUndefined();
        release();
        expect(await behind).not.toBeNull();
        expect(await zk.exists(ctx.at('missing'))).toBeNull();
        expect(zk.session?.id).toBe(id);
      },
    },
    {
      name: 'a write on the wire that is not answered in time may be applied, and says so',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const held = proxy.once({ opcode: 'setData', direction: 'reply', action: 'hold' });
        const call = later(zk.set(ctx.base, 'x', { timeout: 50 }));
        const { release } = await held;
        await expectError(call, TimeoutError, { operation: 'set', path: ctx.base, maybeApplied: true });
        release();
        expect((await zk.get(ctx.base)).data).toEqual(Buffer.from('x'));
      },
    },
    {
      name: 'a call that waits for the connection and runs out of time is never sent',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        await outage(proxy, zk, async () => {
          const calls = later([
            zk.set(ctx.base, 'x', { timeout: 30 }),
            zk.create(ctx.at('node'), null, { timeout: 30 }),
            zk.create(ctx.at('n-'), null, { timeout: 30, protected: true, mode: 'persistent-sequential' }),
            zk.create(ctx.at('a/b'), null, { timeout: 30, parents: true }),
          ]);
          for (const call of calls) await expectError(call, TimeoutError, { maybeApplied: false });
        });
        await zk.sync();
        expect((await zk.get(ctx.base)).stat).toMatchObject({ version: 0, cversion: 0 });
      },
    },
    {
      name: 'a timeout of 0 is over at once',
      run: async (ctx) => {
        const zk = ctx.client({ connectTimeout: 0 });
        await expectError(zk.get(ctx.base, { timeout: 0 }), TimeoutError, { operation: 'get' });
        await expectError(zk.sync(ctx.base, { timeout: 0 }), TimeoutError, { operation: 'sync' });
      },
    },
    {
      name: 'a call that is answered in time is not touched by its timeout',
      run: async (ctx) => {
        const zk = await ctx.connect();
        expect(await zk.exists(ctx.base, { timeout: 5_000 })).not.toBeNull();
        expect((await zk.set(ctx.base, 'x', { timeout: 5_000 })).version).toBe(1);
      },
    },
    {
      name: 'a timeout that is none is refused before anything is sent',
      run: async (ctx) => {
        const zk = await ctx.connect();
        for (const timeout of [-1, Number.NaN, '5', null] as unknown as number[]) {
          await expectError(zk.get(ctx.base, { timeout }), BadArgumentsError);
          await expectError(zk.set(ctx.base, 'x', { timeout }), BadArgumentsError);
          await expectError(zk.create(ctx.at('n'), 'x', { timeout }), BadArgumentsError);
          await expectError(zk.create(ctx.at('n'), 'x', { timeout, protected: true }), BadArgumentsError);
          await expectError(zk.sync('/', { timeout }), BadArgumentsError);
        }
        expect((await zk.exists(ctx.base))?.version).toBe(0);
        expect((await zk.children(ctx.base)).children).toEqual([]);
      },
    },
    {
      name: 'an aborted call on the wire rejects at once with the signal’s reason; a write may be applied',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const held = proxy.once({ opcode: 'setData', direction: 'reply', action: 'hold' });
        const [giveUp, reason] = [new AbortController(), new Error('enough')];
        const call = later(zk.set(ctx.base, 'x', { signal: giveUp.signal }));
        const { release } = await held;
        giveUp.abort(reason);
        await expect(call).rejects.toBe(reason);
        release();
        expect((await zk.get(ctx.base)).data).toEqual(Buffer.from('x'));
      },
    },
    {
      name: 'an aborted call that waits for the connection is never sent',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        await outage(proxy, zk, async () => {
          const [giveUp, reason] = [new AbortController(), new Error('enough')];
          const { signal } = giveUp;
          const calls = later([
            zk.set(ctx.base, 'x', { signal }),
            zk.create(ctx.at('node'), null, { signal }),
            zk.create(ctx.at('n-'), null, { signal, protected: true, mode: 'persistent-sequential' }),
            zk.get(ctx.base, { signal }),
          ]);
          giveUp.abort(reason);
          for (const call of calls) await expect(call).rejects.toBe(reason);
        });
        await zk.sync();
        expect((await zk.get(ctx.base)).stat).toMatchObject({ version: 0, cversion: 0 });
      },
    },
    {
      name: 'a signal that is aborted already: the call rejects with its reason, and nothing is sent',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const reason = new Error('never');
        const signal = AbortSignal.abort(reason);
        for (const call of [
          zk.get(ctx.base, { signal }),
          zk.set(ctx.base, 'x', { signal }),
          zk.create(ctx.at('n'), null, { signal }),
          zk.create(ctx.at('n'), null, { signal, protected: true }),
          zk.delete(ctx.base, { signal }),
          zk.delete(ctx.base, { signal, guaranteed: true }),
          zk.sync('/', { signal }),
        ]) {
          await expect(call).rejects.toBe(reason);
        }
        await zk.sync();
        expect(await zk.exists(ctx.base)).toMatchObject({ version: 0, cversion: 0 });
      },
    },
    {
      name: 'a signal without a reason of its own: an AbortError',
      run: async (ctx) => {
        const zk = ctx.client({ connectTimeout: 0 });
        const giveUp = new AbortController();
        const call = later(zk.get(ctx.base, { signal: giveUp.signal }));
        giveUp.abort();
        await expect(call).rejects.toMatchObject({ name: 'AbortError' });
      },
    },
    {
      name: 'one signal for a thousand calls, answered and not, brings no warning',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const giveUp = new AbortController();
        const { signal } = giveUp;
        await Promise.all(Array.from({ length: 1_000 }, () => zk.exists(ctx.base, { signal })));
        await outage(proxy, zk, async () => {
          const calls = later(Array.from({ length: 1_000 }, () => zk.exists(ctx.base, { signal })));
          giveUp.abort(new Error('enough'));
          const outcomes = await Promise.allSettled(calls);
          expect(outcomes.every((outcome) => outcome.status === 'rejected')).toBe(true);
        });
        expect(await zk.exists(ctx.base)).not.toBeNull();
      },
    },
    {
      name: 'a read that was given up sets no watch',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const log = new WatchLog();
        const held = proxy.once({ opcode: 'getData', direction: 'reply', action: 'hold' });
        const call = later(zk.get(ctx.base, { watch: log.listener, timeout: 30 }));
        const { release } = await held;
        await expectError(call, TimeoutError);
        release();
        await zk.set(ctx.base, 'x');
        await zk.sync();
        expect(log.events).toEqual([]);
      },
    },
    {
      name: 'connect() takes a signal and a timeout of its own',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        await proxy.blackhole();
        const zk = ctx.client({}, proxy.connectString);
        const [giveUp, reason] = [new AbortController(), new Error('enough')];
        const aborted = later(zk.connect({ signal: giveUp.signal }));
        await expectError(zk.connect({ timeout: 20 }), TimeoutError);
        giveUp.abort(reason);
        await expect(aborted).rejects.toBe(reason);
        expect(zk.state).toBe('connecting');
        await proxy.restore();
      },
    },
    {
      name: 'more calls than may wait: BusyError, certainly not applied; those that wait are not touched',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy, { maxQueued: 5 });
        let waiting: Promise<unknown>[] = [];
        await outage(proxy, zk, async () => {
          waiting = Array.from({ length: 5 }, () => zk.set(ctx.base, 'x'));
          await expectError(zk.set(ctx.base, 'y'), BusyError, { code: 'BUSY', operation: 'set', maybeApplied: false });
          await expectError(zk.get(ctx.base), BusyError, { operation: 'get', path: ctx.base });
        });
        await Promise.all(waiting);
        expect((await zk.get(ctx.base)).stat.version).toBe(5);
      },
    },
  ],
};
