import { expect } from '@jest/globals';
import type { ZooKeeper } from '@zookit/client';
import { GroupMember, Partitioner, PersistentNode } from '@zookit/group';
import type { CaseGroup } from '../case.ts';

const CUTS = 30;

const texts = (members: Map<string, Buffer | null>): string[] =>
  [...members].map(([id, data]) => `${id}=${data?.toString()}`).sort();

async function cut(zk: ZooKeeper, now: () => Promise<unknown>): Promise<void> {
  const back = new Promise<void>((resolve) => zk.once('reconnected', resolve));
  await now();
  await back;
  await zk.sync();
}

export const groupRecipes: CaseGroup = {
  name: 'PersistentNode, GroupMember and Partitioner',
  cases: [
    {
      name: `${CUTS} cuts in a row leave a kept znode alone`,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const node = new PersistentNode(zk, ctx.at('kept'), { data: 'x' });
        await node.start();
        const before = await zk.exists(node.path);
        for (let turn = 0; turn < CUTS; turn += 1) await cut(zk, () => proxy.cut());
        expect(await zk.exists(node.path)).toEqual(before);
        await node.set('y');
        await node.close();
        expect(await zk.exists(node.path)).toBeNull();
      },
    },
    {
      name: 'a kept znode that is deleted comes back, with its number',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const node = new PersistentNode(zk, ctx.at('kept-'), { mode: 'ephemeral-sequential', data: 'x' });
        await node.start();
        expect(node.path).toBe(ctx.at('kept-0000000000'));
        const before = await zk.exists(node.path);
        await other.delete(node.path);
        await ctx.until('it is back', async () => {
          const stat = await other.exists(node.path);
          return stat !== null && stat.czxid !== before?.czxid;
        });
        expect((await other.get(node.path)).data?.toString()).toBe('x');
        await node.close();
      },
    },
    {
      name: 'members see each other come and go',
      run: async (ctx) => {
        const [one, two] = [await ctx.connect(), await ctx.connect()];
        const first = new GroupMember(one, ctx.at('group'), 'a', '1');
        let seen: string[] = [];
        first.on('change', (members) => {
          seen = texts(members);
        });
        await first.start();
        const second = new GroupMember(two, ctx.at('group'), 'b', '2');
        await second.start();
        expect(texts(await second.members())).toEqual(['a=1', 'b=2']);
        await ctx.until('the first hears of it', () => seen.join() === 'a=1,b=2');
        await two.close();
        await ctx.until('the first hears of it', () => seen.join() === 'a=1');
        await first.close();
      },
    },
    {
      name: 'items are shared with whoever comes, and go back when it goes',
      run: async (ctx) => {
        const [one, two] = [await ctx.connect(), await ctx.connect()];
        const items = Array.from({ length: 9 }, (_, at) => `item ${at}`);
        const first = new Partitioner(one, ctx.at('split'), { items, id: 'a' });
        await first.start();
        expect([...first.mine().keys()].sort()).toEqual(items);
        const kept = first.mine();
        const second = new Partitioner(two, ctx.at('split'), { items, id: 'b' });
        await second.start();
        await ctx.until('four move', () => second.mine().size === 4 && first.mine().size === 5);
        for (const [item, held] of kept) {
          expect(held.isHeld).toBe(first.mine().has(item));
          expect(second.mine().has(item)).toBe(!held.isHeld);
        }
        await two.close();
        await ctx.until('they come back', () => first.mine().size === 9);
        await first.close();
      },
    },
  ],
};
