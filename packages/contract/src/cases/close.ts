import { expect } from '@jest/globals';
import { ClosedError, type ZooKeeper } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import { expectError } from '../expect-error.ts';
import { later } from '../later.ts';
import { StateLog } from '../state-log.ts';

/** Every call of a closed client is a ClosedError, and it says nothing new. */
async function expectClosed(zk: ZooKeeper, path: string): Promise<void> {
  expect([zk.state, zk.session]).toEqual(['closed', null]);
  await expectError(zk.get(path), ClosedError, { code: 'CLOSED', operation: 'get', path });
  await expectError(zk.set(path, 'x'), ClosedError, { operation: 'set', maybeApplied: false });
  await expectError(zk.create(path, 'x', { protected: true }), ClosedError);
  await expectError(zk.delete(path, { guaranteed: true }), ClosedError);
  await expectError(zk.sync(), ClosedError);
  await expectError(zk.addAuth('digest', 'a:b'), ClosedError);
  await expectError(zk.connect(), ClosedError);
}

export const close: CaseGroup = {
  name: 'close',
  cases: [
    {
      name: 'when connected: the session ends on the server, and every call is a ClosedError',
      needs: ['handle:sessions'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        const { id, signal } = zk.session!;
        const log = new StateLog(zk);
        await zk.close();
        expect(await ctx.server.sessions!()).not.toContain(id);
        expect(signal.reason).toBeInstanceOf(ClosedError);
        expect(log.events).toEqual(['closed']);
        await expectClosed(zk, ctx.base);
      },
    },
    {
      name: 'more than once, and at once: the same end',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const log = new StateLog(zk);
        await Promise.all([zk.close(), zk.close(), zk.namespace('/x').close()]);
        await zk.close({ detach: true });
        expect(log.events).toEqual(['closed']);
      },
    },
    {
      name: 'before connect(): there is nothing to end',
      run: async (ctx) => {
        const zk = ctx.client();
        const call = later(zk.get(ctx.base));
        await zk.close();
        await expectError(call, ClosedError);
        await expectClosed(zk, ctx.base);
      },
    },
    {
      name: 'while it connects: connect() and the calls that wait are a ClosedError',
      run: async (ctx) => {
        const zk = ctx.client();
        const connecting = later(zk.connect());
        const call = later(zk.create(ctx.at('node')));
        await zk.close();
        await expectError(connecting, ClosedError);
        await expectError(call, ClosedError, { maybeApplied: false });
        await expectClosed(zk, ctx.base);
      },
    },
    {
      name: 'while its handshake is under way: a session that is granted all the same does not stay',
      waits: true,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = ctx.client({ sessionTimeout: 1 }, proxy.connectString);
        const held = proxy.once({ opcode: 'connect', direction: 'reply', action: 'hold' });
        const connecting = later(zk.connect());
        const { release } = await held;
        await zk.close();
        await expectError(connecting, ClosedError);
        release();
        await expectClosed(zk, ctx.base);
      },
    },
    {
      name: 'while nobody answers',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        await proxy.refuse();
        const zk = ctx.client({}, proxy.connectString);
        const connecting = later(zk.connect());
        const began = performance.now();
        await zk.close();
        expect(performance.now() - began).toBeLessThan(500);
        await expectError(connecting, ClosedError);
        await expectClosed(zk, ctx.base);
      },
    },
    {
      name: 'with calls on the wire: they are performed and answered first',
      run: async (ctx) => {
        const [zk, witness] = [await ctx.connect(), await ctx.connect()];
        const calls = later([
          zk.create(ctx.at('a'), 'x'),
          zk.set(ctx.at('a'), 'y'),
          zk.get(ctx.at('a')),
          zk.create(ctx.at('e'), null, { mode: 'ephemeral' }),
        ] as const);
        await zk.close();
        const [, , { data }] = await Promise.all(calls);
        expect(data).toEqual(Buffer.from('y'));
        expect((await witness.children(ctx.base)).children).toEqual(['a']);
      },
    },
    {
      name: 'with calls that wait for their turn: they are a ClosedError, certainly not applied',
      run: async (ctx) => {
        const [zk, witness] = [await ctx.connect({ maxInFlight: 1 }), await ctx.connect()];
        const calls = later([zk.create(ctx.at('a')), zk.create(ctx.at('b')), zk.create(ctx.at('c'))]);
        await zk.close();
        expect((await calls[0])?.path).toBe(ctx.at('a'));
        for (const call of calls.slice(1)) await expectError(call, ClosedError, { maybeApplied: false });
        expect((await witness.children(ctx.base)).children).toEqual(['a']);
      },
    },
    {
      name: 'when suspended: calls that wait are a ClosedError, and the session is ended on another connection',
      needs: ['handle:sessions'],
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const { id, signal } = zk.session!;
        const log = new StateLog(zk);
        const comingBack = proxy.once({ opcode: 'connect', direction: 'request', action: 'hold' });
        await proxy.cut();
        await comingBack;
        const call = later(zk.set(ctx.base, 'x'));
        const closing = later(zk.close());
        expect(zk.state).toBe('closed');
        expect(signal.reason).toBeInstanceOf(ClosedError);
        await expectError(call, ClosedError, { maybeApplied: false });
        await closing;
        expect(await ctx.server.sessions!()).not.toContain(id);
        expect(log.events).toEqual(['suspended', 'closed']);
        expect((await (await ctx.connect()).get(ctx.base)).data).toBeNull();
      },
    },
    {
      name: 'when suspended, and no server ever answers: it resolves when the session is over in any case',
      waits: true,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy, { sessionTimeout: 1_000 });
        await proxy.cut({ stay: true });
        await ctx.until('the client knows', () => zk.state === 'suspended');
        const left = zk.session!.remaining();
        const began = performance.now();
        await zk.close();
        expect(performance.now() - began).toBeLessThan(left + 500);
        await expectClosed(zk, ctx.base);
      },
    },
    {
      name: 'with a timeout: it resolves by then, though the server is mute',
      waits: true,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy, { sessionTimeout: 1_000 });
        await proxy.blackhole();
        const call = later(zk.get(ctx.base));
        const began = performance.now();
        await zk.close({ timeout: 50 });
        expect(performance.now() - began).toBeLessThan(500);
        await expectError(call, ClosedError);
        await expectClosed(zk, ctx.base);
      },
    },
    {
      name: 'while the server is mute, without a timeout: it resolves when the session is over in any case',
      waits: true,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy, { sessionTimeout: 1_000 });
        await proxy.blackhole();
        const left = zk.session!.remaining();
        const began = performance.now();
        await zk.close();
        expect(performance.now() - began).toBeLessThan(left + 500);
      },
    },
    {
      name: 'when the reply to it is lost: the session is gone all the same',
      needs: ['handle:sessions'],
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const { id } = zk.session!;
        const cut = proxy.once({ opcode: 'closeSession', direction: 'reply', action: 'cut' });
        await zk.close();
        await cut;
        expect(await ctx.server.sessions!()).not.toContain(id);
      },
    },
    {
      name: 'when the request itself is lost: it is sent again, and the session ends',
      needs: ['handle:sessions'],
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const { id } = zk.session!;
        const cut = proxy.once({ opcode: 'closeSession', direction: 'request', action: 'cut' });
        await zk.close();
        await cut;
        expect(await ctx.server.sessions!()).not.toContain(id);
      },
    },
    {
      name: 'after a lost session',
      waits: true,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy, { sessionTimeout: 1_000, renewSession: false });
        await proxy.cut({ stay: true });
        await ctx.until('the session is lost', () => zk.state === 'lost');
        const began = performance.now();
        await zk.close();
        expect(performance.now() - began).toBeLessThan(500);
        await expectError(zk.get(ctx.base), ClosedError);
      },
    },
    {
      name: 'while it looks for a new session after a lost one',
      waits: true,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy, { sessionTimeout: 1_000 });
        await proxy.cut({ stay: true });
        await ctx.until('the session is lost', () => zk.state === 'connecting');
        const read = later(zk.get(ctx.base));
        const began = performance.now();
        await zk.close();
        expect(performance.now() - began).toBeLessThan(500);
        await expectError(read, ClosedError);
        await expectClosed(zk, ctx.base);
      },
    },
    {
      name: 'a call made by a listener that hears of the end is a ClosedError',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const calls: Promise<unknown>[] = [];
        const note = (): void => {
          const call = later(zk.get(ctx.base));
          calls.push(call);
        };
        zk.session!.signal.addEventListener('abort', note);
        zk.on('state', note);
        zk.on('closed', note);
        await zk.get(ctx.base, { watch: note });
        await zk.close();
        expect(calls).toHaveLength(4);
        for (const call of calls) await expectError(call, ClosedError);
      },
    },
    {
      name: 'await using closes at the end of the block',
      run: async (ctx) => {
        let kept: ZooKeeper;
        {
          await using zk = await ctx.connect();
          kept = zk;
          await zk.create(ctx.at('e'), null, { mode: 'ephemeral' });
        }
        await expectClosed(kept, ctx.base);
        expect(await (await ctx.connect()).exists(ctx.at('e'))).toBeNull();
      },
    },
  ],
};
