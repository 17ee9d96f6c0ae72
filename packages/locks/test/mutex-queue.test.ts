import { describe, expect, it } from '@jest/globals';
import type { ZooKeeper } from '@zookit/client';
import { until, World } from '@zookit/test-world';
import { Mutex } from '../src/index.ts';

describe('queue', () => {
  it('tells who holds and who waits, in order', async () => {
    await using world = await World.start();
    const clients = (await world.clients(3)) as [ZooKeeper, ZooKeeper, ZooKeeper];
    const mutexes = clients.map((client, index) => new Mutex(client, '/locks/a', { data: `worker ${index}` }));
    const before = Date.now();
    const held = await (mutexes[0] as Mutex).acquire();
    const waiting: Promise<unknown>[] = [];
    for (const [index, mutex] of mutexes.slice(1).entries()) {
      waiting.push(mutex.acquire().then((next) => next.release()));
      await until(() => world.server.watches().length === index + 1, 'it waits');
    }
    const queue = await (mutexes[1] as Mutex).queue();
    expect(queue.map(({ path }) => path)).toEqual(world.names('/locks/a').map((name) => `/locks/a/${name}`));
    expect(queue.map(({ data }) => data?.toString())).toEqual(['worker 0', 'worker 1', 'worker 2']);
    expect(queue.map(({ sessionId }) => sessionId)).toEqual(clients.map(({ session }) => session?.id));
    expect(queue.map(({ holds }) => holds)).toEqual([true, false, false]);
    for (const { since } of queue) {
      expect(since).toBeGreaterThanOrEqual(Math.floor(before) - 1);
      expect(since).toBeLessThanOrEqual(Date.now() + 1);
    }
    await held.release();
    await Promise.all(waiting);
    expect(await (mutexes[2] as Mutex).queue()).toEqual([]);
  });

  it('is empty where nobody has been', async () => {
    await using world = await World.start();
    expect(await new Mutex(await world.client(), '/locks/a').queue()).toEqual([]);
  });

  it('skips those that leave while it reads', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Mutex(first, '/locks/a').acquire();
    const reading = world.once('getData', { delay: 50 }, second);
    const queue = new Mutex(second, '/locks/a').queue();
    await reading;
    await held.release();
    expect(await queue).toEqual([]);
  });
});

describe('revoke', () => {
  it("writes Curator's message into the holder's znode, whose listener is called", async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Mutex(first, '/locks/a').acquire();
    let asked = 0;
    held.on('revoke', () => {
      asked += 1;
    });
    expect(await new Mutex(second, '/locks/a').revoke()).toBe(true);
    await until(() => asked === 1, 'it is asked');
    expect(world.server.node(held.path)?.data?.toString()).toBe('__REVOKE__');
    expect(held.isHeld).toBe(true);
    expect(await new Mutex(second, '/locks/a').revoke()).toBe(true);
    await until(() => asked === 2, 'it is asked again');
    await first.set(held.path, 'not for revocation');
    await until(() => world.server.watches(held.path).length === 1, 'it listens on');
    expect(asked).toBe(2);
    await held.release();
    await until(() => world.server.watches().length === 0, 'no watch is left');
  });

  it('reaches a listener that comes late, once', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Mutex(first, '/locks/a').acquire();
    await new Mutex(second, '/locks/a').revoke();
    let asked = 0;
    held.once('revoke', () => {
      asked += 1;
    });
    await until(() => asked === 1, 'it is asked');
    held.on('revoke', () => {
      asked += 1;
    });
    await until(() => world.server.watches(held.path).length === 1, 'it listens');
    world.server.dropConnections();
    await until(() => first.state === 'connected' && second.state === 'connected', 'they are back');
    await first.sync();
    expect(asked).toBe(1);
  });

  it('costs a watch only while somebody listens', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const held = await new Mutex(zk, '/locks/a').acquire();
    await zk.sync();
    expect(world.server.watches()).toEqual([]);
    const listener = (): void => {};
    held.on('revoke', listener);
    await until(() => world.server.watches(held.path).length === 1, 'it listens');
    held.off('revoke', listener);
    await until(() => world.server.watches().length === 0, 'it listens no more');
  });

  it('works across a lost connection', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Mutex(first, '/locks/a').acquire();
    let asked = 0;
    held.on('revoke', () => {
      asked += 1;
    });
    await until(() => world.server.watches(held.path).length === 1, 'it listens');
    const broken = world.once('setData', 'disconnect-after', second);
    const revoking = new Mutex(second, '/locks/a').revoke();
    await broken;
    world.server.dropConnections();
    expect(await revoking).toBe(true);
    await until(() => asked === 1, 'it is asked');
    expect(world.server.node(held.path)?.stat.version).toBe(1);
  });

  it('is false when nobody holds, or what is first is no contender', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const mutex = new Mutex(zk, '/locks/a');
    expect(await mutex.revoke()).toBe(false);
    await zk.create('/locks/a/000', 'precious', { parents: true });
    expect(await mutex.revoke()).toBe(false);
    expect(world.server.node('/locks/a/000')?.data?.toString()).toBe('precious');
  });
});
