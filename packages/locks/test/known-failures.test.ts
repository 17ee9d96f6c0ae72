import { describe, expect, it } from '@jest/globals';
import { LeaseLostError, NoAuthError, TimeoutError, type ZooKeeper } from '@zookit/client';
import { outcome, until, World } from '@zookit/test-world';
import { FaultProxy, TestServer } from '@zookit/testing';
import { type Held, Mutex } from '../src/index.ts';

const own = (held: Held): string => held.path.slice(held.path.lastIndexOf('/') + 1);

describe('a session that is lost here and lives on on the server', () => {
  it('does not lend its old znode to the next one: the lock is granted when that is gone, and through a znode of the new one', async () => {
    const server = await TestServer.start({ tickTime: 100 });
    await using proxy = await FaultProxy.start(server.connectString);
    await using world = new World(server);
    const zk = await world.client({ sessionTimeout: 1_000 }, proxy.connectString);
    const { id, password } = zk.session as { id: bigint; password: Buffer };
    const mutex = new Mutex(zk, '/locks/a');
    const held = await mutex.acquire();
    const lost = new Promise((resolve) => held.on('lost', resolve));
    await proxy.blackhole();
    // The old session lives on, and whoever comes to end it is hung up on.
    const keeper = await world.client({ session: { id, password, timeout: 1_000 } });
    server.intercept(({ type, sessionId }) => (type === 'connect' && sessionId === id ? 'disconnect-before' : 'pass'));
    await lost;
    const renewed = new Promise((resolve) => zk.once('renewed', () => resolve(server.node(held.path))));
    await proxy.restore();
    let granted = false;
    const acquiring = mutex.acquire().then((next) => {
      granted = true;
      return next;
    });
    // The trap is set: in the new session the znode of the old one is still there.
    expect(await renewed).not.toBeNull();
    await until(() => server.watches(held.path).length === 1, 'it waits behind its own old znode');
    expect(granted).toBe(false);
    await keeper.close();
    const again = await acquiring;
    expect(server.node(held.path)).toBeNull();
    expect(own(again)).not.toBe(own(held));
    expect(server.node(again.path)?.stat.ephemeralOwner).toBe(zk.session?.id);
    expect(again.fencingToken).toBeGreaterThan(held.fencingToken);
    expect(await held.release()).toBe('lost');
    expect(world.names('/locks/a')).toEqual([own(again)]);
  }, 20_000);

  it('that the server replaces by another one ends what it held before the other is used', async () => {
    await using world = await World.start({ profile: 'clickhouse-keeper' });
    // A client that expects its session to outlive the connection.
    const zk = await world.client({ sessionEnds: 'timeout' });
    await zk.create('/locks/a', null, { parents: true });
    const { id } = zk.session as { id: bigint };
    const mutex = new Mutex(zk, '/locks/a');
    const held = await mutex.acquire();
    const order: string[] = [];
    held.signal.addEventListener('abort', () => order.push('aborted'));
    held.on('lost', () => order.push('lost'));
    zk.on('renewed', () => order.push('renewed'));
    world.server.dropConnections();
    const again = await mutex.acquire();
    expect(order).toEqual(['aborted', 'lost', 'renewed']);
    expect(zk.session?.id).not.toBe(id);
    expect(world.server.node(again.path)?.stat.ephemeralOwner).toBe(zk.session?.id);
    expect(world.names('/locks/a')).toEqual([own(again)]);
  });
});

describe('a predecessor that goes while it is looked at', () => {
  it('in the same breath as the reply that sets the watch: no wake-up is lost', async () => {
    await using world = await World.start();
    await using proxy = await FaultProxy.start(world.server.connectString);
    const first = await world.client();
    const second = await world.client({}, proxy.connectString);
    for (let round = 0; round < 10; round += 1) {
      const held = await new Mutex(first, '/locks/a').acquire();
      const looking = proxy.once({ opcode: 'getData', direction: 'reply', action: 'hold' });
      const waiting = new Mutex(second, '/locks/a').acquire({ timeout: 5_000 });
      const { release } = await looking;
      // The event is behind the reply now, and both arrive together.
      await held.release();
      release();
      const granted = await waiting;
      expect(granted.isHeld).toBe(true);
      await granted.release();
    }
    expect(world.server.watches()).toEqual([]);
  });
});

describe('an acquire that fails, and so does what it does to leave', () => {
  it('rejects with the first error; the second goes to the error event', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    await first.addAuth('digest', 'me:secret');
    // Anybody may stand in line, and nobody may leave it.
    await first.create('/a', null, { acl: [{ perms: 1 + 4, scheme: 'world', id: 'anyone' }] });
    const acl = [{ perms: 31, scheme: 'auth', id: '' }];
    await new Mutex(first, '/a', { acl }).acquire();
    const reported: unknown[] = [];
    second.on('error', (error) => reported.push(error));
    const error = await outcome(new Mutex(second, '/a').acquire());
    expect(error).toBeInstanceOf(NoAuthError);
    expect(error).toMatchObject({ operation: 'get' });
    await until(() => reported.length > 0, 'the second error is reported');
    expect(reported).toEqual([expect.objectContaining({ code: 'NO_AUTH', operation: 'delete' })]);
  });
});

describe('the parents of a lock', () => {
  it('that vanish between being made and the create are made again', async () => {
    await using world = await World.start();
    const [zk, reaper] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    let reaped = 0;
    world.server.intercept(({ wireType, path, sessionId }) => {
      const isOurs = wireType === 'create2' && sessionId === zk.session?.id && path?.includes('lock-') === true;
      if (!isOurs || reaped === 3 || world.server.node('/locks/a') === null) return 'pass';
      reaped += 1;
      // The request waits meanwhile.
      return Promise.all([reaper.delete('/locks/a'), reaper.delete('/locks')]).then(() => 'pass' as const);
    });
    const held = await new Mutex(zk, '/locks/a').acquire();
    expect(reaped).toBe(3);
    expect(held.isHeld).toBe(true);
    expect(world.names('/locks/a')).toEqual([own(held)]);
  });
});

describe('a read-only server', () => {
  it('grants nothing, and keeps nothing held', async () => {
    await using world = await World.start();
    const zk = await world.client({ readOnly: true, sessionTimeout: 800 });
    const mutex = new Mutex(zk, '/locks/a');
    const held = await mutex.acquire();
    const { deadline } = held;
    const lost = new Promise<LeaseLostError>((resolve) => held.on('lost', resolve));
    const extended: number[] = [];
    zk.on('readonly', () => extended.push(held.deadline));
    world.server.setReadOnly(0, true);
    world.server.dropConnections();
    await lost;
    expect(held.isHeld).toBe(false);
    expect(extended.filter((later) => later > deadline + 500)).toEqual([]);
    await until(() => zk.state === 'readonly', 'it is read-only', 10_000);
    expect(await outcome(mutex.acquire({ timeout: 150 }))).toBeInstanceOf(TimeoutError);
    expect(await outcome(mutex.tryAcquire({ timeout: 150 }))).toBeInstanceOf(TimeoutError);
    let granted = false;
    const waiting = mutex.acquire().then((next) => {
      granted = true;
      return next;
    });
    expect(await zk.exists('/')).not.toBeNull();
    expect(granted).toBe(false);
    world.server.setReadOnly(0, false);
    world.server.dropConnections();
    const next = await waiting;
    expect(zk.state).toBe('connected');
    expect(world.server.node(next.path)?.stat.ephemeralOwner).toBe(zk.session?.id);
    expect(world.names('/locks/a')).toEqual([own(next)]);
  }, 30_000);
});

describe('a hold', () => {
  it('belongs to whoever has it, not to the object or the context that asked for it', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const [one, two] = [new Mutex(zk, '/locks/a'), new Mutex(zk, '/locks/a')];
    const held = await one.acquire();
    const waiting = two.acquire();
    await until(() => world.server.watches(held.path).length === 1, 'the other object waits');
    // Released by a callback of the event loop, which knows nothing of the acquire.
    const released = new Promise((resolve) => setImmediate(() => resolve(held.release())));
    expect(await released).toBe('released');
    const next = await waiting;
    expect(next.isHeld).toBe(true);
    // The one that is over lets go of nothing that is somebody else's.
    expect(await held.release()).toBe('released');
    expect(next.isHeld).toBe(true);
    expect(world.names('/locks/a')).toEqual([own(next)]);
  });
});

describe('a session that ends', () => {
  it('ends all holds before anybody is told', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const holds = [await new Mutex(zk, '/locks/a').acquire(), await new Mutex(zk, '/locks/b').acquire()];
    const { signal } = holds[1] as Held;
    const told: boolean[] = [];
    holds[0]?.signal.addEventListener('abort', () => told.push(holds[1]?.isHeld === true));
    holds[0]?.on('lost', () => told.push(holds[1]?.isHeld === true || !signal.aborted));
    world.expire(zk);
    await until(() => told.length === 2, 'the first is lost');
    expect(told).toEqual([false, false]);
  });
});

describe('a machine that slept', () => {
  it('during the work, and longer than its session lived: run() rejects', async () => {
    let slept = 0;
    const clock = { wallNow: () => Date.now() + slept };
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 5_000, environment: { clock } });
    const running = new Mutex(zk, '/locks/a').run(() => {
      slept = 3_600_000;
      world.expire(zk);
      return 'all well';
    });
    expect(await outcome(running)).toBeInstanceOf(LeaseLostError);
  });

  it('between the place in line and the grant: granted once the server has answered', async () => {
    let slept = 0;
    const clock = { wallNow: () => Date.now() + slept };
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 5_000, environment: { clock } });
    await zk.ensurePath('/locks/a');
    let lists = 0;
    world.server.intercept(({ type }) => {
      if (type !== 'getChildren') return 'pass';
      lists += 1;
      slept = 3_600_000;
      return 'pass';
    });
    const held = await new Mutex(zk, '/locks/a', { policy: 'suspended' }).acquire();
    expect(held.isHeld).toBe(true);
    expect(held.signal.aborted).toBe(false);
    // One more look ends the doubt.
    expect(lists).toBe(2);
  });

  it('has its hold in doubt, and goes on once a ping has been answered', async () => {
    let slept = 0;
    const clock = { wallNow: () => Date.now() + slept };
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 2_000, environment: { clock } });
    const held = await new Mutex(zk, '/locks/a').acquire();
    const told: string[] = [];
    for (const event of ['suspect', 'lost'] as const) held.on(event, () => told.push(event));
    const doubted = new Promise<void>((resolve) => zk.once('suspect', resolve));
    slept = 3_600_000;
    await doubted;
    const { deadline } = held;
    await until(() => held.deadline > deadline, 'a ping is answered');
    expect(told).toEqual(['suspect']);
    expect(held.isHeld).toBe(true);
    expect(await held.release()).toBe('released');
  });
});
