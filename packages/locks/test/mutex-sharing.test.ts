import { describe, expect, it } from '@jest/globals';
import type { ZooKeeper } from '@zookit/client';
import { outcome, until, World } from '@zookit/test-world';
import { type Held, Mutex } from '../src/index.ts';

type Counts = { [type: string]: number } & Partial<Record<'create2' | 'getChildren2' | 'getData' | 'delete', number>>;

/** How often each kind of request was seen. */
function counts(requests: readonly string[]): Counts {
  const result: Counts = {};
  for (const type of requests) result[type] = (result[type] ?? 0) + 1;
  return result;
}

/** Lets so many contend for one lock, each `rounds` times, and returns what the server was asked. */
async function contest(contenders: number, rounds: number): Promise<Counts> {
  await using world = await World.start({ containerCheckInterval: 600_000 });
  const mutex = new Mutex(await world.client(), '/locks/a');
  await (await mutex.acquire()).release();
  const requests = world.requests();
  let inside = 0;
  const work = Array.from({ length: contenders }, async () => {
    for (let round = 0; round < rounds; round += 1) {
      const held = await mutex.acquire();
      inside += 1;
      expect(inside).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
      expect(await held.release()).toBe('released');
    }
  });
  await Promise.all(work);
  expect(world.server.watches()).toEqual([]);
  return counts(requests);
}

describe('waiters of one client', () => {
  it('are granted one after the other at one packet each of create, watch and delete, and one list', async () => {
    const few = await contest(10, 10);
    const many = await contest(100, 2);
    for (const [seen, grants] of [
      [few, 100],
      [many, 200],
    ] as const) {
      expect(Object.keys(seen).sort()).toEqual(['create2', 'delete', 'getChildren2', 'getData']);
      expect(seen.create2).toBe(grants);
      expect(seen.delete).toBe(grants);
      expect(seen.getData).toBeLessThanOrEqual(grants);
    }
    // Who comes while others wait asks for a list of its own: two a grant, when not even the burst shares one.
    expect(few.getChildren2).toBeLessThanOrEqual(2 * 100);
    expect(many.getChildren2).toBeLessThanOrEqual(2 * 200);
  });

  it('that come together share one list and one watch, a thousand of them', async () => {
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/locks/a');
    const holder = await mutex.acquire();
    const requests = world.requests();
    const controller = new AbortController();
    const waiting = Array.from({ length: 1_000 }, () => mutex.acquire({ signal: controller.signal }));
    await until(() => world.server.watches().length === 1, 'they wait', 30_000);
    expect(counts(requests)).toEqual({ create2: 1_000, getChildren2: 1, getData: 1 });
    requests.length = 0;
    await holder.release();
    let before = holder.fencingToken;
    // In the order of their numbers, which is that of their calls.
    for (const next of waiting.slice(0, 50)) {
      const held = await next;
      expect(held.fencingToken).toBeGreaterThan(before);
      before = held.fencingToken;
      await held.release();
    }
    await waiting[50];
    await until(() => world.server.watches().length === 1, 'the next one watches');
    expect(counts(requests)).toEqual({ delete: 51, getChildren2: 51, getData: 51 });
    const rest = Promise.all(waiting.slice(51).map(outcome));
    controller.abort();
    expect(new Set(await rest)).toEqual(new Set([controller.signal.reason]));
  }, 40_000);

  it('hand the lock on in one round trip', async () => {
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/locks/a');
    const holder = await mutex.acquire();
    const waiting = mutex.acquire();
    await until(() => world.server.watches().length === 1, 'the second waits');
    // The server takes its time over the delete: the list is there before the answer is.
    const requests: string[] = [];
    const answered = new Promise<void>((resolve) => {
      world.server.intercept(({ type, wireType }) => {
        requests.push(wireType);
        if (wireType === 'getChildren2') resolve();
        return type === 'delete' ? { delay: 300 } : 'pass';
      });
    });
    const releasing = holder.release();
    await answered;
    expect(requests.filter((type) => type !== 'ping')).toEqual(['delete', 'getChildren2']);
    await releasing;
    expect((await waiting).isHeld).toBe(true);
  });

  it('do not pass by those of another client', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const [here, there] = [new Mutex(first, '/locks/a'), new Mutex(second, '/locks/a')];
    const holder = await here.acquire();
    const order: string[] = [];
    const waiting: Promise<Held>[] = [];
    for (const [at, mutex] of [there, here, here, there, here].entries()) {
      const granted = mutex.acquire().then((held) => {
        order.push(`${at}`);
        return held;
      });
      waiting.push(granted);
      await until(() => world.names('/locks/a').length === at + 2, 'it has come');
    }
    await holder.release();
    for (const next of waiting) await (await next).release();
    expect(order).toEqual(['0', '1', '2', '3', '4']);
  });

  it('that give up are passed over, wherever they stand', async () => {
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/locks/a');
    const holder = await mutex.acquire();
    const controllers = Array.from({ length: 6 }, () => new AbortController());
    const waiting = controllers.map(({ signal }) => outcome(mutex.acquire({ signal })));
    await until(() => world.names('/locks/a').length === 7, 'all have come');
    for (const index of [0, 2, 3]) controllers[index]?.abort(new Error(`${index} gives up`));
    await holder.release();
    for (const index of [1, 4, 5]) await ((await waiting[index]) as Held).release();
    for (const index of [0, 2, 3]) expect(((await waiting[index]) as Error).message).toBe(`${index} gives up`);
    await until(() => world.names('/locks/a').length === 0, 'all have left');
    await until(() => world.server.watches().length === 0, 'no watch is left');
  });

  it('notice when somebody else deletes the holder’s znode', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const mutex = new Mutex(zk, '/locks/a');
    const holder = await mutex.acquire();
    const waiting = [mutex.acquire(), mutex.acquire()];
    await until(() => world.server.watches().length === 1, 'they wait');
    await other.delete(holder.path);
    const next = await waiting[0];
    expect(next?.isHeld).toBe(true);
    await until(() => world.server.watches().length === 1, 'the third watches the second');
    await other.delete(next?.path ?? '');
    expect((await waiting[1])?.isHeld).toBe(true);
  });

  it('queue anew when somebody else deletes theirs, and keep nobody waiting', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const mutex = new Mutex(zk, '/locks/a');
    const holder = await mutex.acquire();
    const order: number[] = [];
    const waiting = [0, 1].map(async (at) => {
      const held = await mutex.acquire();
      order.push(at);
      await held.release();
    });
    await until(() => world.names('/locks/a').length === 3, 'both have come');
    await other.delete(`/locks/a/${world.names('/locks/a')[1]}`);
    await holder.release();
    await Promise.all(waiting);
    expect(order).toEqual([1, 0]);
  });

  it('look together after a reconnect', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 10_000 });
    const mutex = new Mutex(zk, '/locks/a');
    const holder = await mutex.acquire();
    const waiting = Array.from({ length: 20 }, () => mutex.acquire());
    await until(() => world.server.watches().length === 1, 'they wait');
    const requests = world.requests();
    const reconnected = new Promise<void>((resolve) => zk.once('reconnected', () => resolve()));
    world.server.dropConnections();
    await reconnected;
    await until(() => requests.includes('getChildren2'), 'they look');
    await holder.release();
    for (const next of waiting) await (await next).release();
    // One at the reconnect by the one that watches, one by those behind it; then one a grant.
    expect(counts(requests).getChildren2).toBeLessThanOrEqual(22);
  });
});
