import { expect } from '@jest/globals';
import { LeaseLostError, NoNodeError, TimeoutError, TransactionError } from '@zookit/client';
import { type Held, Mutex } from '@zookit/locks';
import type { CaseGroup } from '../case.ts';
import type { Context } from '../context.ts';
import { expectError } from '../expect-error.ts';
import { later } from '../later.ts';

const PROTECTED_LOCK = /^_c_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-lock-\d{10}$/;

async function contenders(ctx: Context, path: string): Promise<string[]> {
  const zk = await ctx.connect();
  const { children } = await zk.children(path).catch(() => ({ children: [] }));
  await zk.close();
  return children;
}

async function mutexOf(ctx: Context, path = ctx.at('lock')): Promise<Mutex> {
  return new Mutex(await ctx.connect(), path);
}

export const mutex: CaseGroup = {
  name: 'Mutex',
  cases: [
    {
      name: 'it makes the znodes of Curator, and leaves none behind',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const lock = new Mutex(zk, ctx.at('lock'));
        const held = await lock.acquire();
        const { children } = await zk.children(ctx.at('lock'));
        expect(children).toEqual([expect.stringMatching(PROTECTED_LOCK)]);
        expect(held.path).toBe(ctx.at(`lock/${children[0]}`));
        const { data, stat } = await zk.get(held.path);
        expect(data?.toString()).toBe('127.0.0.1');
        expect(stat).toMatchObject({ ephemeralOwner: zk.session?.id, czxid: held.fencingToken });
        expect(held.isHeld).toBe(true);
        expect(await held.release()).toBe('released');
        expect(held.isHeld).toBe(false);
        expect(held.signal.reason).toBeInstanceOf(LeaseLostError);
        expect(await contenders(ctx, ctx.at('lock'))).toEqual([]);
      },
    },
    {
      name: 'of twenty contenders in five clients one holds at a time, first come, first served, tokens growing',
      run: async (ctx) => {
        const locks = await Promise.all(Array.from({ length: 5 }, () => mutexOf(ctx)));
        const warmUp = await locks[0]!.acquire();
        await warmUp.release();
        let holding = 0;
        const tokens: bigint[] = [];
        const turns = Array.from({ length: 20 }, (_, i) =>
          locks[i % 5]!.run(async (held) => {
            holding += 1;
            expect(holding).toBe(1);
            tokens.push(held.fencingToken);
            await null;
            holding -= 1;
          }),
        );
        await Promise.all(turns);
        expect(tokens).toHaveLength(20);
        expect(tokens).toEqual([...tokens].sort((a, b) => (a < b ? -1 : 1)));
        expect(await contenders(ctx, ctx.at('lock'))).toEqual([]);
      },
    },
    {
      name: 'tryAcquire is null while another holds it, and leaves nothing behind',
      run: async (ctx) => {
        const [one, two] = [await mutexOf(ctx), await mutexOf(ctx)];
        const held = await one.acquire();
        expect(await two.tryAcquire()).toBeNull();
        expect(await contenders(ctx, ctx.at('lock'))).toHaveLength(1);
        await held.release();
        const taken = await two.tryAcquire();
        expect(taken?.isHeld).toBe(true);
        await taken?.release();
      },
    },
    {
      name: 'a wait that is given up leaves no znode and no watch',
      needs: ['watch-removal', 'handle:watches'],
      run: async (ctx) => {
        const [one, two] = [await mutexOf(ctx), await mutexOf(ctx)];
        const held = await one.acquire();
        await expectError(two.acquire({ timeout: 50 }), TimeoutError, { code: 'TIMEOUT' });
        const giveUp = new AbortController();
        const reason = new Error('enough');
        const waiting = later(two.acquire({ signal: giveUp.signal }));
        await ctx.until('it waits', async () => (await contenders(ctx, ctx.at('lock'))).length === 2);
        giveUp.abort(reason);
        await expect(waiting).rejects.toBe(reason);
        await ctx.until('only the holder is left', async () => (await contenders(ctx, ctx.at('lock'))).length === 1);
        const own = async () => (await ctx.server.watches!()).data.filter(({ path }) => path.startsWith(ctx.base));
        await ctx.until('the server has no watch', async () => (await own()).length === 0);
        await held.release();
      },
    },
    {
      name: 'a holder whose session ends: its signal aborts before the next one is granted',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const holder = await ctx.through(proxy, { sessionTimeout: 2_000, leaseMargin: 300 });
        const held = await new Mutex(holder, ctx.at('lock')).acquire();
        const order: string[] = [];
        held.signal.addEventListener('abort', () => order.push('aborted'));
        held.on('suspect', () => order.push('suspect'));
        const waiting = (await mutexOf(ctx)).acquire();
        await ctx.until('the other waits', async () => (await contenders(ctx, ctx.at('lock'))).length === 2);
        await proxy.blackhole();
        const next = await waiting;
        order.push('granted');
        expect(order).toEqual(['suspect', 'aborted', 'granted']);
        expect(held.isHeld).toBe(false);
        expect(held.signal.reason).toBeInstanceOf(LeaseLostError);
        expect(await held.release()).toBe('lost');
        expect(next.fencingToken).toBeGreaterThan(held.fencingToken);
        await next.release();
        await proxy.restore();
      },
    },
    {
      name: 'a short outage does not end the hold',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const held = await new Mutex(zk, ctx.at('lock')).acquire();
        const back = new Promise<void>((resolve) => zk.once('reconnected', resolve));
        await proxy.cut();
        await back;
        await zk.sync();
        expect(held.isHeld).toBe(true);
        expect(await held.release()).toBe('released');
      },
    },
    {
      name: 'the create’s reply is lost: one znode, and the lock is had',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        await (await new Mutex(zk, ctx.at('lock')).acquire()).release();
        const cut = proxy.once({ opcode: 'create*', direction: 'reply', action: 'cut' });
        const held = await new Mutex(zk, ctx.at('lock')).acquire();
        await cut;
        expect((await contenders(ctx, ctx.at('lock'))).map((name) => ctx.at(`lock/${name}`))).toEqual([held.path]);
        await held.release();
      },
    },
    {
      name: 'the delete’s reply is lost: the lock is free all the same',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const lock = new Mutex(zk, ctx.at('lock'));
        const held = await lock.acquire();
        const cut = proxy.once({ opcode: 'delete', direction: 'reply', action: 'cut' });
        expect(await held.release()).toBe('released');
        await cut;
        const again = await lock.acquire({ timeout: 10_000 });
        await again.release();
      },
    },
    {
      name: 'a stale holder’s guarded transaction fails',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        await zk.create(ctx.at('data'), 'old');
        const held = await new Mutex(zk, ctx.at('lock')).acquire();
        await held.guard(zk.transaction()).set(ctx.at('data'), 'guarded').commit();
        await other.delete(held.path);
        const late = later(held.guard(zk.transaction()).set(ctx.at('data'), 'stale').commit());
        const error = await expectError(late, TransactionError, { code: 'NO_NODE' });
        expect(error.cause).toBeInstanceOf(NoNodeError);
        expect((await zk.get(ctx.at('data'))).data).toEqual(Buffer.from('guarded'));
        await held.release();
      },
    },
    {
      name: 'queue tells who holds and who waits, in order',
      run: async (ctx) => {
        const clients = await Promise.all([1, 2, 3].map(() => ctx.connect()));
        const locks = clients.map((zk, i) => new Mutex(zk, ctx.at('lock'), { data: `client ${i}` }));
        const held: Held[] = [await locks[0]!.acquire()];
        const waiting: Promise<Held>[] = [];
        for (const [i, lock] of locks.slice(1).entries()) {
          waiting.push(lock.acquire());
          await ctx.until('it waits', async () => (await locks[0]!.queue()).length === i + 2);
        }
        const queue = await locks[0]!.queue();
        expect(queue.map(({ data }) => data?.toString())).toEqual(['client 0', 'client 1', 'client 2']);
        expect(queue.map(({ holds }) => holds)).toEqual([true, false, false]);
        expect(queue.map(({ sessionId }) => sessionId)).toEqual(clients.map((zk) => zk.session?.id));
        for (const next of waiting) {
          await held.pop()!.release();
          held.push(await next);
        }
        await held.pop()!.release();
        expect(await locks[0]!.queue()).toEqual([]);
      },
    },
    {
      name: 'revoke asks the holder to let go',
      run: async (ctx) => {
        const [one, two] = [await mutexOf(ctx), await mutexOf(ctx)];
        expect(await two.revoke()).toBe(false);
        const held = await one.acquire();
        const asked = new Promise<void>((resolve) => held.on('revoke', resolve));
        const zk = await ctx.connect();
        await zk.sync();
        expect(await two.revoke()).toBe(true);
        await asked;
        expect(held.isHeld).toBe(true);
        await held.release();
      },
    },
  ],
};
