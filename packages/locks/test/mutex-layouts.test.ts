import { describe, expect, it } from '@jest/globals';
import type { ZooKeeper } from '@zookit/client';
import { until, World } from '@zookit/test-world';
import { type Held, Mutex } from '../src/index.ts';

const HEX = '0123456789abcdef0123456789abcdef';
const own = (held: Held): string => held.path.slice(held.path.lastIndexOf('/') + 1);

/** Whether the mutex gets past the children that are there. */
async function isFree(mutex: Mutex): Promise<boolean> {
  const held = await mutex.tryAcquire();
  await held?.release();
  return held !== null;
}

describe("Curator's layout", () => {
  it('counts every child: those in front block, those behind do not', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const mutex = new Mutex(zk, '/locks/a');
    for (const name of ['zzz', '_c_x-latch-0000000000', `${HEX.slice(1)}0__lock__0000000000`, '__READ__0000000000']) {
      await zk.create(`/locks/a/${name}`, null, { parents: 'container' });
      expect([name, await isFree(mutex)]).toEqual([name, true]);
    }
    for (const name of ['000', 'x-lock-0000000000']) {
      await zk.create(`/locks/a/${name}`);
      expect([name, await isFree(mutex)]).toEqual([name, false]);
      await zk.delete(`/locks/a/${name}`);
      expect(await isFree(mutex)).toBe(true);
    }
  });

  it('waits behind a holder of Curator, and before a waiter of it', async () => {
    await using world = await World.start();
    const [zk, java] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const enter = async (): Promise<string> =>
      (
        await java.create('/locks/a/lock-', '10.0.0.1', {
          mode: 'ephemeral-sequential',
          protected: true,
          parents: 'container',
        })
      ).path;
    const holder = await enter();
    const waiting = new Mutex(zk, '/locks/a').acquire();
    await until(() => world.server.watches(holder).length === 1, 'it waits');
    const waiter = await enter();
    await java.delete(holder);
    const held = await waiting;
    expect(world.names('/locks/a').map((name) => `/locks/a/${name}`)).toEqual([held.path, waiter]);
  });
});

describe("kazoo's layout", () => {
  it("leaves kazoo's znodes: persistent parents, a hex name", async () => {
    await using world = await World.start({ containerCheckInterval: 20 });
    const held = await new Mutex(await world.client(), '/locks/a', { layout: 'kazoo', data: 'worker 7' }).acquire();
    expect(own(held)).toMatch(/^[0-9a-f]{32}__lock__\d{10}$/);
    expect(world.server.node('/locks')?.kind).toBe('persistent');
    expect(world.server.node('/locks/a')?.kind).toBe('persistent');
    expect(world.server.node(held.path)?.data?.toString()).toBe('worker 7');
    await held.release();
  });

  it('goes by the number alone, and ignores what is no lock', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const mutex = new Mutex(zk, '/locks/a', { layout: 'kazoo' });
    for (const name of ['000', 'zzz', `${HEX}__lock__`, `${HEX}__party__0000000000`]) {
      await zk.create(`/locks/a/${name}`, null, { parents: true });
      expect([name, await isFree(mutex)]).toEqual([name, true]);
    }
    for (const name of [`${HEX}__lock__0000000000`, `_c_x-lock-0000000000`, `${HEX}__rlock__0000000000`]) {
      await zk.create(`/locks/a/${name}`);
      expect([name, await isFree(mutex)]).toEqual([name, false]);
      await zk.delete(`/locks/a/${name}`);
    }
    expect(await isFree(mutex)).toBe(true);
  });

  it('excludes and queues like the other', async () => {
    await using world = await World.start();
    const clients = await world.clients(4);
    let inside = 0;
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        new Mutex(clients[index % 4] as ZooKeeper, '/locks/a', { layout: 'kazoo' }).run((held) => {
          inside += 1;
          expect(inside).toBe(1);
          order.push(Number(held.path.slice(-10)));
          inside -= 1;
        }),
      ),
    );
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(order).toHaveLength(12);
  });
});

describe('the overflow of the sequence', () => {
  for (const [profile, numbers] of [
    ['3.5', ['2147483646', '2147483647', '-2147483648', '-2147483647']],
    ['3.9', ['2147483646', '2147483647', '2147483647', '2147483647']],
  ] as const) {
    for (const layout of ['curator', 'kazoo'] as const) {
      it(`keeps the order on ${profile} (${layout})`, async () => {
        await using world = await World.start({ profile });
        const clients = await world.clients(4);
        const first = clients[0] as ZooKeeper;
        await first.create('/a');
        world.server.setCreateCount('/a', 2_147_483_646);
        const held = await new Mutex(first, '/a', { layout }).acquire();
        const granted: number[] = [];
        const names: string[] = [own(held)];
        const waiting = clients.slice(1).map((client, index) => ({ client, index }));
        const done: Promise<void>[] = [];
        for (const { client, index } of waiting) {
          const acquired = new Mutex(client, '/a', { layout }).acquire();
          await until(() => world.server.watches().length === index + 1, 'it waits');
          names.push(...(world.server.node('/a')?.children ?? []).filter((name) => !names.includes(name)));
          done.push(
            acquired.then(async (next) => {
              granted.push(index);
              await next.release();
            }),
          );
        }
        expect(names.map((name) => /(?:__lock__|-lock-)(-?\d+)$/.exec(name)?.[1])).toEqual(numbers);
        expect(granted).toEqual([]);
        expect((await new Mutex(first, '/a', { layout }).queue()).map(({ path }) => path.slice('/a/'.length))).toEqual(
          names,
        );
        await held.release();
        await Promise.all(done);
        expect(granted).toEqual([0, 1, 2]);
      });
    }
  }
});
