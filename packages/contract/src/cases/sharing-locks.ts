import { expect } from '@jest/globals';
import { BadArgumentsError, TimeoutError } from '@zookit/client';
import { type Held, type Lock, MultiLock, Mutex, ReadWriteLock, Semaphore } from '@zookit/locks';
import type { CaseGroup } from '../case.ts';
import type { Context } from '../context.ts';
import { expectError } from '../expect-error.ts';
import { later } from '../later.ts';

/** The names under a znode, without what is unique in them. */
async function names(ctx: Context, path: string): Promise<string[]> {
  const zk = await ctx.connect();
  const { children } = await zk.children(path).catch(() => ({ children: [] as string[] }));
  await zk.close();
  return children.map((name) => name.replace(/^_c_[0-9a-f-]{36}-/, '')).sort();
}

async function readWriteLock(ctx: Context): Promise<ReadWriteLock> {
  return new ReadWriteLock(await ctx.connect(), ctx.at('lock'));
}

async function semaphore(ctx: Context, leases: number): Promise<Semaphore> {
  return new Semaphore(await ctx.connect(), ctx.at('lock'), { leases });
}

/** Asks for a lock, and resolves once so many stand in line. */
async function queued(ctx: Context, lock: Lock, line: number): Promise<() => Promise<Held>> {
  const granted = later(lock.acquire());
  await ctx.until('it stands in line', async () => (await names(ctx, ctx.at('lock'))).length === line);
  return () => granted;
}

export const readWriteLocks: CaseGroup = {
  name: 'ReadWriteLock',
  cases: [
    {
      name: 'readers share, a writer waits for them, and readers that come later wait for it',
      run: async (ctx) => {
        const [a, b, c] = [await readWriteLock(ctx), await readWriteLock(ctx), await readWriteLock(ctx)];
        const reads = [await a.read.acquire(), await b.read.acquire()];
        const writing = await queued(ctx, c.write, 3);
        expect(await b.write.tryAcquire().catch((error: Error) => error)).toBeInstanceOf(BadArgumentsError);
        const reading = await queued(ctx, new ReadWriteLock(await ctx.connect(), ctx.at('lock')).read, 4);
        for (const held of reads) await held.release();
        const write = await writing();
        expect(await names(ctx, ctx.at('lock'))).toEqual(['__READ__0000000003', '__WRIT__0000000002']);
        await write.release();
        const read = await reading();
        expect(read.fencingToken).toBeGreaterThan(write.fencingToken);
        await read.release();
        expect(await names(ctx, ctx.at('lock'))).toEqual([]);
      },
    },
    {
      name: 'a writer may read, goes on reading, and keeps out the writer that waited (downgrade)',
      run: async (ctx) => {
        const [a, b] = [await readWriteLock(ctx), await readWriteLock(ctx)];
        const write = await a.write.acquire();
        const writing = await queued(ctx, b.write, 2);
        const read = await a.read.acquire({ timeout: 10_000 });
        expect(await names(ctx, ctx.at('lock'))).toEqual([
          '__READ__0000000000',
          '__WRIT__0000000000',
          '__WRIT__0000000001',
        ]);
        await write.release();
        expect(read.isHeld).toBe(true);
        expect(await b.write.queue()).toMatchObject([{ holds: false }]);
        await read.release();
        const held = await writing();
        expect(held.fencingToken).toBeGreaterThan(read.fencingToken);
        await held.release();
      },
    },
    {
      name: 'the reply to a downgrade’s create is lost: one read znode, with the number of the write lock',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const lock = new ReadWriteLock(zk, ctx.at('lock'));
        const write = await lock.write.acquire();
        const cut = proxy.once({ opcode: 'create*', direction: 'reply', action: 'cut' });
        const read = await lock.read.acquire({ timeout: 15_000 });
        await cut;
        expect(await names(ctx, ctx.at('lock'))).toEqual(['__READ__0000000000', '__WRIT__0000000000']);
        expect(await write.release()).toBe('released');
        expect(await read.release()).toBe('released');
        expect(await names(ctx, ctx.at('lock'))).toEqual([]);
      },
    },
    {
      name: 'a reader whose session ends: its signal aborts before the writer is granted',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const reader = await ctx.through(proxy, { sessionTimeout: 2_000, leaseMargin: 300 });
        const held = await new ReadWriteLock(reader, ctx.at('lock')).read.acquire();
        const order: string[] = [];
        held.signal.addEventListener('abort', () => order.push('aborted'));
        const writing = await queued(ctx, (await readWriteLock(ctx)).write, 2);
        await proxy.blackhole();
        const write = await writing();
        order.push('granted');
        expect(order).toEqual(['aborted', 'granted']);
        expect(await held.release()).toBe('lost');
        await write.release();
        await proxy.restore();
      },
    },
  ],
};

export const semaphores: CaseGroup = {
  name: 'Semaphore',
  cases: [
    {
      name: 'so many hold, and the next one waits until a lease is let go',
      run: async (ctx) => {
        const [a, b] = [await semaphore(ctx, 3), await semaphore(ctx, 3)];
        const [one, two] = [await a.acquire(), await b.acquire({ count: 2 })];
        expect(await names(ctx, ctx.at('lock/leases'))).toEqual([
          'lease-0000000000',
          'lease-0000000001',
          'lease-0000000002',
        ]);
        expect(await names(ctx, ctx.at('lock/locks'))).toEqual([]);
        expect(await a.tryAcquire()).toBeNull();
        await expectError(a.acquire({ timeout: 50 }), TimeoutError, { code: 'TIMEOUT' });
        await expectError(a.acquire({ count: 4 }), BadArgumentsError, { code: 'BAD_ARGUMENTS' });
        const waiting = later(a.acquire({ count: 2 }));
        await ctx.until('it waits', async () => (await names(ctx, ctx.at('lock/leases'))).length === 5);
        expect((await b.holders()).map(({ path }) => path)).toContain(one.path);
        expect(await b.holders()).toHaveLength(3);
        await two.release();
        const next = await waiting;
        expect(next.isHeld).toBe(true);
        await next.release();
        await one.release();
        expect(await names(ctx, ctx.at('lock/leases'))).toEqual([]);
      },
    },
    {
      name: 'the lease’s reply is lost: one lease, which is had',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const leases = new Semaphore(zk, ctx.at('lock'), { leases: 1 });
        await (await leases.acquire()).release();
        for (const opcode of ['create*', 'delete'] as const) {
          const cut = proxy.once({ opcode, direction: 'reply', action: 'cut' });
          const held = await leases.acquire({ timeout: 15_000 });
          await cut;
          await ctx.until('one lease', async () => (await names(ctx, ctx.at('lock/leases'))).length === 1);
          await held.release();
        }
        await ctx.until('none', async () => (await names(ctx, ctx.at('lock/leases'))).length === 0);
      },
    },
  ],
};

export const multiLocks: CaseGroup = {
  name: 'MultiLock',
  cases: [
    {
      name: 'all locks or none, within one timeout',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const multi = new MultiLock([
          new Mutex(zk, ctx.at('a')),
          new ReadWriteLock(zk, ctx.at('b')).write,
          new Semaphore(zk, ctx.at('c'), { leases: 1 }),
        ]);
        const blocker = await new Semaphore(other, ctx.at('c'), { leases: 1 }).acquire();
        expect(await multi.tryAcquire()).toBeNull();
        await expectError(multi.acquire({ timeout: 100 }), TimeoutError, { code: 'TIMEOUT' });
        await ctx.until('none is held', async () => (await names(ctx, ctx.at('a'))).length === 0);
        await blocker.release();
        const held = await multi.acquire();
        expect(held.tokens).toHaveLength(3);
        expect(await new Mutex(other, ctx.at('a')).tryAcquire()).toBeNull();
        expect(await held.release()).toBe('released');
        expect(await names(ctx, ctx.at('a'))).toEqual([]);
      },
    },
  ],
};
