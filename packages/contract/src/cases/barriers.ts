import { expect } from '@jest/globals';
import { Barrier, DoubleBarrier } from '@zookit/barriers';
import { TimeoutError } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import type { Context } from '../context.ts';
import { expectError } from '../expect-error.ts';

const PATIENCE = { timeout: 10_000 };

async function membersOf(ctx: Context, count: number): Promise<DoubleBarrier[]> {
  const zks = await Promise.all(Array.from({ length: count }, () => ctx.connect()));
  return zks.map((zk) => new DoubleBarrier(zk, ctx.at('rounds'), { members: count }));
}

export const barriers: CaseGroup = {
  name: 'Barrier and DoubleBarrier',
  cases: [
    {
      name: 'a gate holds those who wait until it is opened',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const gate = new Barrier(zk, ctx.at('gates/a'));
        await gate.wait();
        await gate.set();
        expect((await zk.get(gate.path)).data?.toString()).toBe('127.0.0.1');
        let isThrough = false;
        const waiting = new Barrier(other, gate.path).wait(PATIENCE).then(() => {
          isThrough = true;
        });
        await other.sync();
        expect(isThrough).toBe(false);
        await gate.remove();
        await waiting;
        expect(await zk.exists(gate.path)).toBeNull();
      },
    },
    {
      name: 'members go in together and out together, three times in a row',
      run: async (ctx) => {
        const members = await membersOf(ctx, 4);
        const rounds = members.map(() => 0);
        await Promise.all(
          members.map(async (member, at) => {
            for (let round = 1; round <= 3; round += 1) {
              await member.enter(PATIENCE);
              rounds[at] = round;
              for (const other of rounds) expect([round - 1, round]).toContain(other);
              await member.leave(PATIENCE);
            }
          }),
        );
        const zk = await ctx.connect();
        expect((await zk.exists(ctx.at('rounds')))?.numChildren ?? 0).toBe(0);
      },
    },
    {
      name: 'a member that gives up does not count, and its znode goes',
      run: async (ctx) => {
        const [first, second] = (await membersOf(ctx, 2)) as [DoubleBarrier, DoubleBarrier];
        await expectError(first.enter({ timeout: 50 }), TimeoutError);
        await expectError(second.enter({ timeout: 50 }), TimeoutError);
        const zk = await ctx.connect();
        await ctx.until('its znode goes', async () => {
          return ((await zk.exists(ctx.at('rounds')))?.numChildren ?? 0) === 0;
        });
        await Promise.all([first.enter(PATIENCE), second.enter(PATIENCE)]);
        await Promise.all([first.leave(PATIENCE), second.leave(PATIENCE)]);
      },
    },
    {
      name: 'what a round left behind whose members died lets nobody in',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('rounds'));
        await zk.create(ctx.at('rounds/ready'));
        const [first, second] = (await membersOf(ctx, 2)) as [DoubleBarrier, DoubleBarrier];
        let isIn = false;
        const entering = first.enter(PATIENCE).then(() => {
          isIn = true;
        });
        await ctx.until('it is removed', async () => (await zk.exists(ctx.at('rounds/ready'))) === null);
        expect(isIn).toBe(false);
        await Promise.all([entering, second.enter(PATIENCE)]);
        await Promise.all([first.leave(PATIENCE), second.leave(PATIENCE)]);
      },
    },
  ],
};
