import { describe, expect, it } from '@jest/globals';
import { TimeoutError, type ZooKeeper } from '@zookit/client';
import { outcome, until, World } from '@zookit/test-world';
import { FaultProxy, type ObservedRequest } from '@zookit/testing';
import { LeaderLatch } from '../src/index.ts';
import { record } from './support/record.ts';

/** The request that makes the latch's own znode. */
const isOwnCreate = ({ wireType, path }: ObservedRequest): boolean =>
  wireType === 'create2' && path?.includes('latch-') === true;

/** After some more round trips there is still nothing. */
async function expectNothing(world: World, zk: ZooKeeper, path = '/leaders/a'): Promise<void> {
  for (let round = 0; round < 5; round += 1) {
    await zk.sync('/');
    await new Promise((resolve) => setImmediate(resolve));
    expect(world.names(path)).toEqual([]);
  }
}

describe('close()', () => {
  it('is one not-leader, and no znode and no watch', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const latch = new LeaderLatch(zk, '/leaders/a');
    const { told } = record(latch);
    await latch.start();
    await latch.wait();
    await until(() => world.server.watches().length === 1, 'it watches its own znode');
    await Promise.all([latch.close(), latch.close()]);
    expect(told).toEqual(['leader', 'not-leader: released']);
    expect(latch.isLeader).toBe(false);
    await expectNothing(world, zk);
    expect(world.server.watches()).toEqual([]);
    for (const event of ['state', 'suspended', 'reconnected', 'suspect'] as const) {
      expect([event, zk.listenerCount(event)]).toEqual([event, 0]);
    }
  });

  it('of one that waits tells nobody, and takes its watches back', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const [one, two] = [new LeaderLatch(other, '/leaders/a'), new LeaderLatch(zk, '/leaders/a')];
    await one.start();
    await one.wait();
    const { told } = record(two);
    await two.start();
    await until(() => world.server.watches().length === 3, 'it waits');
    await two.close();
    expect(told).toEqual([]);
    expect(world.names('/leaders/a')).toHaveLength(1);
    await until(() => world.server.watches().length === 1, 'its watches are taken back');
    for (const event of ['state', 'suspended', 'reconnected', 'suspect'] as const) {
      expect([event, zk.listenerCount(event)]).toEqual([event, 0]);
    }
  });

  it('while its znode is being made waits for that, and deletes it', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const latch = new LeaderLatch(zk, '/leaders/a');
    let closing: Promise<void> | null = null;
    world.server.intercept((request) => {
      if (!isOwnCreate(request) || closing !== null) return 'pass';
      closing = latch.close();
      return { delay: 30 };
    });
    const starting = outcome(latch.start());
    await until(() => closing !== null, 'the create is on the way');
    await closing;
    expect(world.names('/leaders/a')).toEqual([]);
    expect(await starting).toMatchObject({ code: 'CLOSED' });
    await expectNothing(world, zk);
  });

  it('while the reply of its create is lost resolves, and what was made is found and deleted', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 10_000 });
    const latch = new LeaderLatch(zk, '/leaders/a');
    let closing: Promise<void> | null = null;
    world.server.intercept((request) => {
      if (!isOwnCreate(request) || closing !== null) return 'pass';
      closing = latch.close();
      return 'disconnect-after';
    });
    const starting = outcome(latch.start());
    await until(() => closing !== null, 'the create is on the way');
    await closing;
    expect(await starting).toMatchObject({ code: 'CLOSED' });
    await until(() => zk.state === 'connected' && world.names('/leaders/a').length === 0, 'it is gone');
    await expectNothing(world, zk);
  });

  it('at the moment at which the one before it goes: nothing is left, whoever is first', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    for (let round = 0; round < 10; round += 1) {
      const [one, two] = [new LeaderLatch(other, '/leaders/a'), new LeaderLatch(zk, '/leaders/a')];
      const { told } = record(two);
      await one.start();
      await one.wait();
      await two.start();
      await until(() => world.server.watches().length >= 3, 'the second waits');
      const closing = one.close();
      for (let turn = 0; turn < round; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      await two.close();
      await closing;
      expect([[], ['leader', 'not-leader: released']]).toContainEqual(told);
      await expectNothing(world, zk);
    }
  });

  it('while somebody deletes its znode: it makes no other one', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    for (let round = 0; round < 5; round += 1) {
      const latch = new LeaderLatch(zk, '/leaders/a');
      await latch.start();
      const { path } = await latch.wait();
      const deleting = other.delete(path).catch(() => {});
      await latch.close();
      await deleting;
      await expectNothing(world, zk);
    }
  });

  it('in an outage resolves at once; the znode goes when there is a server', async () => {
    for (const policy of ['deadline', 'suspended'] as const) {
      await using world = await World.start();
      const zk = await world.client({ sessionTimeout: 10_000 });
      const latch = new LeaderLatch(zk, '/leaders/a', { policy });
      const { told } = record(latch);
      await latch.start();
      await latch.wait();
      await world.server.stopMember(0);
      await until(() => zk.state === 'suspended', 'it is cut off');
      await latch.close();
      expect(told).toHaveLength(2);
      expect(world.names('/leaders/a')).toHaveLength(1);
      await world.server.startMember(0);
      await until(() => world.names('/leaders/a').length === 0, 'it is gone');
      await expectNothing(world, zk);
    }
  });

  it('while it waits for its first connection: nothing is ever made', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 10_000 });
    await world.server.stopMember(0);
    await until(() => zk.state === 'suspended', 'it is cut off');
    const latch = new LeaderLatch(zk, '/leaders/a');
    await latch.start();
    await latch.close();
    const requests = world.requests();
    await world.server.startMember(0);
    await until(() => zk.state === 'connected', 'it is back');
    await expectNothing(world, zk);
    expect(requests).not.toContain('create2');
  });

  it('keeps its timeout while the server is mute, and goes on by itself', async () => {
    await using world = await World.start();
    await using proxy = await FaultProxy.start(world.server.connectString);
    const zk = await world.client({ sessionTimeout: 10_000 }, proxy.connectString);
    const latch = new LeaderLatch(zk, '/leaders/a');
    await latch.start();
    const held = await latch.wait();
    await proxy.blackhole({ keep: true });
    expect(await outcome(latch.close({ timeout: 50 }))).toBeInstanceOf(TimeoutError);
    expect(held.isHeld).toBe(false);
    await proxy.restore();
    await latch.close();
    await until(() => world.names('/leaders/a').length === 0, 'it is gone');
  });

  it('before start() is all there is', async () => {
    await using world = await World.start();
    const latch = new LeaderLatch(await world.client(), '/leaders/a');
    await latch.close();
    expect(await outcome(latch.start())).toMatchObject({ code: 'CLOSED', path: '/leaders/a' });
    expect(world.server.node('/leaders')).toBeNull();
  });

  it('by a listener that hears of the term', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const latch = new LeaderLatch(zk, '/leaders/a');
    const { told } = record(latch);
    const closed = new Promise<void>((resolve) => latch.on('leader', () => resolve(latch.close())));
    await outcome(latch.start());
    await closed;
    expect(told).toEqual(['leader', 'not-leader: released']);
    await expectNothing(world, zk);
  });
});
