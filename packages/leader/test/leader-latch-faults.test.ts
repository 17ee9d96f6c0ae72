import { describe, expect, it } from '@jest/globals';
import type { ZooKeeper } from '@zookit/client';
import { until, World } from '@zookit/test-world';
import { FaultProxy, TestServer, type Verdict } from '@zookit/testing';
import { LeaderLatch } from '../src/index.ts';
import { own, record } from './support/record.ts';

/** Two latches on `/leaders/a`, each with a client of its own: the first leads, the second stands behind it. */
async function pair(
  world: World,
  options: { policy?: 'deadline' | 'suspended'; sessionTimeout?: number } = {},
): Promise<{ zks: [ZooKeeper, ZooKeeper]; latches: [LeaderLatch, LeaderLatch] }> {
  const { sessionTimeout = 10_000, policy } = options;
  const zks: [ZooKeeper, ZooKeeper] = [await world.client({ sessionTimeout }), await world.client({ sessionTimeout })];
  const latches: [LeaderLatch, LeaderLatch] = [
    new LeaderLatch(zks[0], '/leaders/a', { id: 'one', policy }),
    new LeaderLatch(zks[1], '/leaders/a', { id: 'two', policy }),
  ];
  await latches[0].start();
  await latches[0].wait();
  await latches[1].start();
  await until(() => world.server.watches().length >= 3, 'the second waits');
  return { zks, latches };
}

const czxids = (world: World): (bigint | undefined)[] =>
  world.names('/leaders/a').map((name) => world.server.node(`/leaders/a/${name}`)?.stat.czxid);

describe('a cut that the session survives', () => {
  it('changes nothing, thirty times in a row: the leader leads, the other waits, their znodes stay', async () => {
    await using world = await World.start();
    const { zks, latches } = await pair(world);
    const { told } = record(latches[0]);
    const before = czxids(world);
    for (let cut = 0; cut < 30; cut += 1) {
      const back = zks.map((zk) => new Promise<void>((resolve) => zk.once('reconnected', resolve)));
      world.server.dropConnections();
      await Promise.all(back);
      expect(latches.map((latch) => latch.isLeader)).toEqual([true, false]);
      await Promise.all(zks.map((zk) => zk.sync('/')));
    }
    expect(czxids(world)).toEqual(before);
    expect(told).toEqual([]);
    await latches[0].close();
    expect((await latches[1].wait()).isHeld).toBe(true);
  });

  it('ends the term by policy "suspended"; the same znode leads again, one not-leader for each leader', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 10_000 });
    const latch = new LeaderLatch(zk, '/leaders/a', { policy: 'suspended' });
    const { told, terms } = record(latch);
    await latch.start();
    await latch.wait();
    const before = czxids(world);
    for (let cut = 0; cut < 30; cut += 1) {
      const ended = new Promise((resolve) => latch.once('not-leader', resolve));
      world.server.dropConnections();
      await ended;
      expect(latch.isLeader).toBe(false);
      expect((await latch.wait()).isHeld).toBe(true);
    }
    expect(czxids(world)).toEqual(before);
    expect(terms).toHaveLength(31);
    expect(told).toEqual(Array.from({ length: 61 }, (_, at) => (at % 2 === 0 ? 'leader' : 'not-leader: doubt')));
    expect(terms.map(({ isHeld }) => isHeld)).toEqual([...Array.from({ length: 30 }, () => false), true]);
  });

  it('by policy "suspended" does not hand over to the other', async () => {
    await using world = await World.start();
    const { zks, latches } = await pair(world, { policy: 'suspended' });
    const before = czxids(world);
    const told = latches.map((latch) => record(latch).told);
    const back = zks.map((zk) => new Promise<void>((resolve) => zk.once('reconnected', resolve)));
    world.server.dropConnections();
    await Promise.all(back);
    await latches[0].wait();
    expect(told).toEqual([['not-leader: doubt', 'leader'], []]);
    expect(czxids(world)).toEqual(before);
  });
});

describe('a lost reply', () => {
  it('of the create leaves one znode, which leads', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 10_000 });
    await zk.create('/leaders/a', null, { parents: true });
    const requests = world.requests();
    const broken = world.once('create2', 'disconnect-after');
    const latch = new LeaderLatch(zk, '/leaders/a', { id: 'one' });
    const { told } = record(latch);
    await latch.start();
    await broken;
    const held = await latch.wait();
    expect(requests.filter((type) => type === 'create2')).toHaveLength(1);
    expect(world.names('/leaders/a')).toEqual([own(held)]);
    expect(told).toEqual(['leader']);
  });

  it('of the deletion at close(): gone when the connection is back', async () => {
    await using world = await World.start();
    const { latches } = await pair(world);
    const broken = world.once('delete', 'disconnect-after');
    await latches[0].close();
    await broken;
    const next = await latches[1].wait({ timeout: 5_000 });
    expect(world.names('/leaders/a')).toEqual([own(next)]);
  });

  it('of the create while its session ends does not lend the old znode to the next session', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const { id } = zk.session as { id: bigint };
    world.server.intercept(({ wireType, sessionId, path }) => {
      if (wireType !== 'create2' || sessionId !== id || path?.includes('latch-') !== true) return 'pass';
      setImmediate(() => world.server.expireSession(id));
      return 'disconnect-after';
    });
    await zk.create('/leaders/a', null, { parents: true });
    const latch = new LeaderLatch(zk, '/leaders/a');
    const { told } = record(latch);
    await latch.start();
    const held = await latch.wait({ timeout: 5_000 });
    expect(zk.session?.id).not.toBe(id);
    expect(world.server.node(held.path)?.stat.ephemeralOwner).toBe(zk.session?.id);
    expect(told).toEqual(['leader']);
    expect(world.names('/leaders/a')).toEqual([own(held)]);
  });
});

describe('a znode that an operator deletes', () => {
  it('is the leader’s: noticed at once, the other leads, and it queues again', async () => {
    await using world = await World.start();
    const { zks, latches } = await pair(world);
    const { told } = record(latches[0]);
    const held = await latches[0].wait();
    await zks[1].delete(held.path);
    expect((await latches[1].wait({ timeout: 5_000 })).isHeld).toBe(true);
    await until(() => told.length === 1, 'it has noticed');
    expect(told).toEqual(['not-leader: deleted']);
    expect(await held.release()).toBe('lost');
    await until(() => world.names('/leaders/a').length === 2, 'it has queued again');
    expect(await latches[0].participants()).toEqual([
      { id: 'two', isLeader: true },
      { id: 'one', isLeader: false },
    ]);
  });

  it('is the only one’s: it leads again through another', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const latch = new LeaderLatch(zk, '/leaders/a');
    const { told } = record(latch);
    await latch.start();
    const held = await latch.wait();
    for (let round = 0; round < 3; round += 1) {
      const term = await latch.wait();
      const ended = new Promise((resolve) => latch.once('not-leader', resolve));
      await zk.delete(term.path);
      await ended;
    }
    expect((await latch.wait()).fencingToken).toBeGreaterThan(held.fencingToken);
    expect(told.slice(0, 6)).toEqual(
      Array.from({ length: 6 }, (_, at) => (at % 2 === 0 ? 'leader' : 'not-leader: deleted')),
    );
  });

  it('is a waiting one’s: it queues again at once, and nobody is disturbed', async () => {
    await using world = await World.start();
    const { zks, latches } = await pair(world);
    const { told } = record(latches[0]);
    const [first, second] = world.names('/leaders/a');
    await zks[0].delete(`/leaders/a/${second}`);
    await until(() => world.names('/leaders/a').length === 2, 'it has queued again');
    expect(world.names('/leaders/a')[0]).toBe(first);
    expect(world.names('/leaders/a')[1]).not.toBe(second);
    expect(told).toEqual([]);
    await latches[0].close();
    expect((await latches[1].wait({ timeout: 5_000 })).isHeld).toBe(true);
  });

  it('and whose data he changes is left alone', async () => {
    await using world = await World.start();
    const { zks, latches } = await pair(world);
    const told = latches.map((latch) => record(latch).told);
    const before = czxids(world);
    for (const name of world.names('/leaders/a')) await zks[0].set(`/leaders/a/${name}`, 'changed');
    await until(() => world.server.watches().length >= 3, 'they watch again');
    expect(czxids(world)).toEqual(before);
    expect(told).toEqual([[], []]);
    expect((await latches[0].leader())?.id).toBe('changed');
    await zks[0].delete(`/leaders/a/${world.names('/leaders/a')[0]}`);
    expect((await latches[1].wait({ timeout: 5_000 })).isHeld).toBe(true);
  });

  it('with all of the path: made again', async () => {
    await using world = await World.start();
    const { zks, latches } = await pair(world);
    const { told } = record(latches[0]);
    // They may be back before all of it is gone.
    await zks[0].delete('/leaders', { recursive: true }).catch(() => {});
    const leader = await Promise.race(latches.map((latch) => latch.wait({ timeout: 5_000 })));
    await until(() => world.names('/leaders/a').length === 2, 'both are back');
    expect(world.names('/leaders/a')[0]).toBe(own(leader));
    expect(told[0]).toBe('not-leader: deleted');
  });
});

describe('a predecessor that goes', () => {
  it('between the list and the watch is no reason to make a new znode', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const [one, two] = [new LeaderLatch(other, '/leaders/a'), new LeaderLatch(zk, '/leaders/a')];
    await one.start();
    const first = await one.wait();
    const requests: string[] = [];
    let closed: Promise<void> | null = null;
    world.server.intercept(async ({ type, wireType, path, sessionId }): Promise<Verdict> => {
      if (sessionId !== zk.session?.id || type === 'ping') return 'pass';
      requests.push(wireType);
      if (type === 'getData' && path === first.path) {
        closed ??= one.close();
        await closed;
      }
      return 'pass';
    });
    await two.start();
    const held = await two.wait({ timeout: 5_000 });
    expect(world.names('/leaders/a')).toEqual([own(held)]);
    expect(requests.filter((type) => type === 'create2')).toHaveLength(1);
    expect(requests).not.toContain('delete');
  });
});

describe('a session that is lost', () => {
  it('is followed by another, with one not-leader, and the latch queues again', async () => {
    await using world = await World.start();
    const { zks, latches } = await pair(world);
    const told = latches.map((latch) => record(latch).told);
    world.expire(zks[0]);
    expect((await latches[1].wait({ timeout: 5_000 })).isHeld).toBe(true);
    await until(() => world.names('/leaders/a').length === 2, 'it has queued again');
    world.expire(zks[1]);
    const again = await latches[0].wait({ timeout: 5_000 });
    await until(() => world.names('/leaders/a').length === 2, 'the other has queued again');
    expect(world.server.node(again.path)?.stat.ephemeralOwner).toBe(zks[0].session?.id);
    expect(told).toEqual([
      ['not-leader: session', 'leader'],
      ['leader', 'not-leader: session'],
    ]);
  });

  it('here and lives on on the server: its znode is nobody’s claim', async () => {
    const server = await TestServer.start({ tickTime: 100 });
    await using proxy = await FaultProxy.start(server.connectString);
    await using world = new World(server);
    const zk = await world.client({ sessionTimeout: 1_000 }, proxy.connectString);
    const { id, password } = zk.session as { id: bigint; password: Buffer };
    const latch = new LeaderLatch(zk, '/leaders/a', { id: 'one' });
    const { told } = record(latch);
    await latch.start();
    const held = await latch.wait();
    const lost = new Promise((resolve) => latch.once('not-leader', resolve));
    await proxy.blackhole();
    // The old session lives on, and whoever comes to end it is hung up on.
    const keeper = await world.client({ session: { id, password, timeout: 1_000 } });
    server.intercept(({ type, sessionId }) => (type === 'connect' && sessionId === id ? 'disconnect-before' : 'pass'));
    await lost;
    const renewed = new Promise((resolve) => zk.once('renewed', () => resolve(server.node(held.path))));
    await proxy.restore();
    expect(await renewed).not.toBeNull();
    await until(() => server.watches(held.path).length > 0, 'it waits behind its own old znode');
    expect(latch.isLeader).toBe(false);
    await keeper.close();
    const again = await latch.wait({ timeout: 10_000 });
    expect(server.node(again.path)?.stat.ephemeralOwner).toBe(zk.session?.id);
    expect(world.names('/leaders/a')).toEqual([own(again)]);
    expect(told).toEqual(['leader', 'not-leader: session', 'leader']);
  }, 30_000);
});

describe('an overloaded server', () => {
  it('that refuses to watch the znode of the leader for long is asked again: its deletion ends the term', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 10_000, retry: false });
    let refused = 0;
    const off = world.server.intercept(({ type, path }) => {
      if (type !== 'getData' || path?.startsWith('/leaders/a/') !== true) return 'pass';
      refused += 1;
      return { error: -127 };
    });
    const latch = new LeaderLatch(zk, '/leaders/a');
    const { told } = record(latch);
    await latch.start();
    const held = await latch.wait();
    await until(() => refused >= 2, 'it asks again');
    off();
    await until(() => world.server.watches(held.path).length === 1, 'it watches');
    await zk.delete(held.path);
    await until(() => told.length === 3, 'the term ends, and the next begins');
    expect(told).toEqual(['leader', 'not-leader: deleted', 'leader']);
    expect(held.isHeld).toBe(false);
  });
});

describe('a machine that slept', () => {
  it('has its term in doubt, and leads on once the server has answered', async () => {
    let slept = 0;
    const clock = {
      now: () => performance.now(),
      wallNow: () => Date.now() + slept,
      setTimeout: (callback: () => void, ms: number) => setTimeout(callback, ms),
      clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
      afterPendingInput: (callback: () => void) => setImmediate(() => setImmediate(callback)),
    };
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 4_000, environment: { clock } as never });
    const latch = new LeaderLatch(zk, '/leaders/a');
    const { told } = record(latch);
    await latch.start();
    const held = await latch.wait();
    const doubted = new Promise<boolean>((resolve) => zk.once('suspect', () => resolve(latch.isLeader)));
    slept = 3_600_000;
    expect(await doubted).toBe(false);
    expect(await latch.wait({ timeout: 5_000 })).toBe(held);
    await until(() => latch.isLeader, 'the server has answered');
    expect(told).toEqual(['leader']);
  });
});

describe('a server that has lost its data', () => {
  it('has all candidates back, and one leader at a time: the next leads no earlier than the last could', async () => {
    const options = { tickTime: 100, maxSessionTimeout: 20_000 };
    const server = await TestServer.start(options);
    const port = server.members[0]?.port as number;
    await using world = new World(server);
    const leading = await world.client({ sessionTimeout: 6_000 });
    // Gives its session up long before the leader has to, and is there first.
    const early = await world.client({ sessionTimeout: 6_000, leaseMargin: 5_000, environment: { random: () => 0 } });
    const latches = [new LeaderLatch(leading, '/leaders/a'), new LeaderLatch(early, '/leaders/a')] as const;
    await latches[0].start();
    const last = await latches[0].wait();
    await latches[1].start();
    const led: string[] = [];
    for (const latch of latches) latch.on('leader', () => led.push(`the last one leads: ${last.isHeld}`));
    await leading.sync('/');
    await server.stop();
    await using wiped = await TestServer.start({ ...options, port });
    await until(() => wiped.node('/leaders/a')?.children.length === 1, 'the other has queued again', 10_000);
    await until(() => led.length > 0, 'somebody leads', 10_000);
    expect(led).toEqual(['the last one leads: false']);
    await until(() => wiped.node('/leaders/a')?.children.length === 2, 'both are back', 10_000);
    expect(latches.filter(({ isLeader }) => isLeader)).toHaveLength(1);
  }, 30_000);
});

describe('the overflow of the sequence', () => {
  for (const profile of ['3.5', '3.9'] as const) {
    it(`hands leadership on in the order of arrival, on ${profile}`, async () => {
      await using world = await World.start({ profile });
      const zk = await world.client();
      await zk.create('/leaders');
      await zk.create('/leaders/a');
      world.server.setCreateCount('/leaders/a', 2_147_483_646);
      const latches: LeaderLatch[] = [];
      for (let at = 0; at < 4; at += 1) {
        const latch = new LeaderLatch(await world.client(), '/leaders/a', { id: String(at) });
        await latch.start();
        latches.push(latch);
      }
      const names = world.server.node('/leaders/a')?.children ?? [];
      expect(names.filter((name) => /latch-(?:2147483647|-2147483648)$/.test(name)).length).toBeGreaterThan(1);
      for (const [at, latch] of latches.entries()) {
        await latch.wait({ timeout: 5_000 });
        expect(latches.map(({ isLeader }) => isLeader)).toEqual([0, 1, 2, 3].map((each) => each === at));
        expect((await latch.participants()).map(({ id }) => id)).toEqual(['0', '1', '2', '3'].slice(at));
        expect(await latch.leader()).toEqual({ id: String(at), isLeader: true });
        await latch.close();
      }
    });
  }
});
