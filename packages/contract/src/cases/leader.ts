import { expect } from '@jest/globals';
import { LeaseLostError, type ZooKeeper } from '@zookit/client';
import { LeaderLatch, LeaderSelector } from '@zookit/leader';
import type { CaseGroup } from '../case.ts';
import type { Context } from '../context.ts';

const CUTS = 30;

async function latchOf(ctx: Context, id: string, zk?: ZooKeeper): Promise<LeaderLatch> {
  const latch = new LeaderLatch(zk ?? (await ctx.connect()), ctx.at('latch'), { id });
  await latch.start();
  return latch;
}

async function namesIn(ctx: Context, path: string): Promise<string[]> {
  const zk = await ctx.connect();
  const { children } = await zk.children(path).catch(() => ({ children: [] }));
  await zk.close();
  return children;
}

export const leader: CaseGroup = {
  name: 'LeaderLatch and LeaderSelector',
  cases: [
    {
      name: 'latches lead one after the other, in the order in which they came',
      run: async (ctx) => {
        const latches = [await latchOf(ctx, 'a'), await latchOf(ctx, 'b'), await latchOf(ctx, 'c')];
        for (const [at, latch] of latches.entries()) {
          const held = await latch.wait({ timeout: 10_000 });
          expect(latches.map(({ isLeader }) => isLeader)).toEqual(latches.map((each) => each === latch));
          const expected = ['a', 'b', 'c'].slice(at).map((id, place) => ({ id, isLeader: place === 0 }));
          expect(await latch.participants()).toEqual(expected);
          expect(await latch.leader()).toEqual(expected[0]);
          await latch.close();
          expect(held.signal.reason).toBeInstanceOf(LeaseLostError);
        }
        expect(await namesIn(ctx, ctx.at('latch'))).toEqual([]);
      },
    },
    {
      name: `${CUTS} cuts at random moments change nothing: the same znodes, the same leader`,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const [leading, waiting] = [await ctx.through(proxy), await ctx.through(proxy)];
        const first = await latchOf(ctx, 'first', leading);
        const held = await first.wait();
        const second = await latchOf(ctx, 'second', waiting);
        const names = await namesIn(ctx, ctx.at('latch'));
        const told: string[] = [];
        for (const latch of [first, second]) {
          latch.on('leader', () => told.push('leader'));
          latch.on('not-leader', () => told.push('not-leader'));
        }
        const clients = [leading, waiting];
        for (let cut = 0; cut < CUTS; cut += 1) {
          // Something is always on its way.
          await Promise.all(clients.map((zk) => zk.sync()));
          const reads = clients.flatMap((zk) => Array.from({ length: 20 }, () => zk.exists(ctx.base)));
          await Promise.race([Promise.all(reads), new Promise((resolve) => setTimeout(resolve, 4 * Math.random()))]);
          await proxy.cut();
          await Promise.all(reads);
        }
        await Promise.all(clients.map((zk) => zk.sync()));
        expect((await namesIn(ctx, ctx.at('latch'))).sort()).toEqual([...names].sort());
        expect((await leading.exists(held.path))?.czxid).toBe(held.fencingToken);
        expect(told).toEqual([]);
        expect([held.isHeld, first.isLeader, second.isLeader]).toEqual([true, true, false]);
        await first.close();
        await second.wait({ timeout: 10_000 });
        await second.close();
      },
    },
    {
      name: 'a leader whose znode is deleted is told, and queues again; so does one that waits',
      run: async (ctx) => {
        const [first, second] = [await latchOf(ctx, 'first'), await latchOf(ctx, 'second')];
        const operator = await ctx.connect();
        const held = await first.wait();
        const told = new Promise<Error>((resolve) => first.once('not-leader', resolve));
        await operator.delete(held.path);
        expect((await told).message).toContain('deleted');
        const next = await second.wait({ timeout: 10_000 });
        const ids = async (): Promise<string> => (await second.participants()).map(({ id }) => id).join();
        await ctx.until('it is back', async () => (await ids()) === 'second,first');
        const [old = ''] = (await namesIn(ctx, ctx.at('latch'))).filter((name) => !next.path.endsWith(name));
        await operator.delete(ctx.at(`latch/${old}`));
        await ctx.until('it is back', async () => {
          const names = await namesIn(ctx, ctx.at('latch'));
          return names.length === 2 && !names.includes(old);
        });
        expect(second.isLeader).toBe(true);
        await first.close();
        await second.close();
      },
    },
    {
      name: 'a leader whose session ends has been told before the next one leads, and queues again',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy, { sessionTimeout: 2_000, leaseMargin: 300 });
        const first = await latchOf(ctx, 'first', zk);
        await first.wait();
        const second = await latchOf(ctx, 'second');
        const order: string[] = [];
        first.on('not-leader', () => order.push('first: not-leader'));
        second.on('leader', () => order.push('second: leader'));
        await proxy.blackhole();
        const held = await second.wait();
        expect(order).toEqual(['first: not-leader', 'second: leader']);
        await proxy.restore();
        await ctx.until('it is back', async () => (await second.participants()).length === 2);
        await held.release();
        await first.wait({ timeout: 10_000 });
        await first.close();
        await second.close();
      },
    },
    {
      name: 'the reply of the create is lost: one znode, which leads',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        await zk.create(ctx.at('latch'));
        const cut = proxy.once({ opcode: 'create*', direction: 'reply', action: 'cut' });
        const latch = await latchOf(ctx, 'first', zk);
        await cut;
        const held = await latch.wait({ timeout: 10_000 });
        expect((await namesIn(ctx, ctx.at('latch'))).map((name) => ctx.at(`latch/${name}`))).toEqual([held.path]);
        await latch.close();
        expect(await namesIn(ctx, ctx.at('latch'))).toEqual([]);
      },
    },
    {
      name: 'selectors lead in turns, and one whose function fails goes on',
      run: async (ctx) => {
        const turns: string[] = [];
        const clients = [await ctx.connect(), await ctx.connect()];
        const selectors = clients.map(
          (zk, at) =>
            new LeaderSelector(zk, ctx.at('selector'), { id: String(at), requeue: true }, async ({ signal }) => {
              await ctx.until('both are in line', async () => {
                return signal.aborted || (await zk.exists(ctx.at('selector')))?.numChildren === 2;
              });
              turns.push(String(at));
              if (turns.length === 1) throw new Error('the first term fails');
            }),
        );
        const failed = new Promise((resolve) => selectors[0]?.once('error', resolve));
        for (const selector of selectors) await selector.start();
        expect(await failed).toEqual(new Error('the first term fails'));
        await ctx.until('there were some turns', () => turns.length >= 6);
        await Promise.all(selectors.map((selector) => selector.close()));
        expect(turns.slice(0, 6)).toEqual(['0', '1', '0', '1', '0', '1']);
        expect(await namesIn(ctx, ctx.at('selector'))).toEqual([]);
      },
    },
  ],
};
