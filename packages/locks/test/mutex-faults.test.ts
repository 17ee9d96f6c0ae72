import { describe, expect, it } from '@jest/globals';
import { ClosedError, type LeaseLostError, NoAuthError, SessionExpiredError, type ZooKeeper } from '@zookit/client';
import { outcome, until, World } from '@zookit/test-world';
import { FaultProxy, TestServer } from '@zookit/testing';
import { type Held, Mutex } from '../src/index.ts';

const own = (held: Held): string => held.path.slice(held.path.lastIndexOf('/') + 1);

describe('a connection that breaks during acquire or release', () => {
  for (const layout of ['curator', 'kazoo'] as const) {
    for (const verdict of ['disconnect-before', 'disconnect-after'] as const) {
      for (const type of ['create2', 'getChildren2', 'getData', 'delete']) {
        it(`at ${type}, ${verdict}: one znode, then none (${layout})`, async () => {
          await using world = await World.start();
          const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
          const held = await new Mutex(first, '/locks/a', { layout }).acquire();
          const broken = world.once(type, verdict, second);
          const acquiring = new Mutex(second, '/locks/a', { layout }).acquire();
          if (type !== 'delete') await broken;
          await until(() => world.server.watches(held.path).length === 1, 'the second waits');
          await until(() => world.names('/locks/a').length === 2, 'no znode but the two');
          await held.release();
          const next = await acquiring;
          expect(world.names('/locks/a')).toEqual([own(next)]);
          expect(world.server.node(next.path)?.stat.ephemeralOwner).toBe(second.session?.id);
          expect(await next.release()).toBe('released');
          await broken;
          await until(() => world.names('/locks/a').length === 0, 'nothing is left');
          expect(world.server.watches()).toEqual([]);
        });
      }
    }
  }

  for (const layout of ['curator', 'kazoo'] as const) {
    it(`does not make it create again what the lost reply was about (${layout})`, async () => {
      await using world = await World.start({ containerCheckInterval: 600_000 });
      const zk = await world.client();
      await (await new Mutex(zk, '/locks/a', { layout }).acquire()).release();
      const requests = world.requests();
      const broken = world.once('create2', 'disconnect-after');
      const held = await new Mutex(zk, '/locks/a', { layout }).acquire();
      await broken;
      expect(requests.filter((type) => type === 'create2')).toHaveLength(1);
      expect(world.names('/locks/a')).toEqual([own(held)]);
    });
  }

  it('does not leave it behind its own old znode', async () => {
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/locks/a');
    const held = await mutex.acquire();
    const broken = world.once('delete', 'disconnect-before');
    expect(await held.release()).toBe('released');
    await broken;
    // The deletion still goes on in the background.
    expect(world.names('/locks/a')).toEqual([own(held)]);
    const again = await mutex.tryAcquire();
    expect(again?.isHeld).toBe(true);
    expect(world.names('/locks/a')).toEqual([own(again as Held)]);
  });
});

describe('an outage', () => {
  it('that the session survives keeps the hold', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 10_000 });
    const held = await new Mutex(zk, '/locks/a').acquire();
    const events: string[] = [];
    for (const event of ['suspect', 'lost', 'revoke'] as const) held.on(event, () => events.push(event));
    const { deadline } = held;
    await world.server.stopMember(0);
    await until(() => zk.state === 'suspended', 'it is cut off');
    expect(events).toEqual(['suspect']);
    expect(held.isHeld).toBe(true);
    expect(held.deadline).toBeLessThan(deadline + 100);
    await world.server.startMember(0);
    await until(() => zk.state === 'connected', 'it is back');
    await zk.sync();
    expect(held.isHeld).toBe(true);
    expect(held.deadline).toBeGreaterThan(deadline);
    expect(events).toEqual(['suspect']);
    expect(world.names('/locks/a')).toEqual([own(held)]);
    expect(await held.release()).toBe('released');
  });

  it('lets a release resolve at once, and be done when it is over', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 10_000 });
    const mutex = new Mutex(zk, '/locks/a');
    const held = await mutex.acquire();
    await world.server.stopMember(0);
    await until(() => zk.state === 'suspended', 'it is cut off');
    expect(await held.release()).toBe('released');
    expect(held.isHeld).toBe(false);
    const again = mutex.tryAcquire();
    await world.server.startMember(0);
    expect(own((await again) as Held)).not.toBe(own(held));
    expect(world.names('/locks/a')).toHaveLength(1);
  });

  it('that begins during a release lets it resolve then', async () => {
    const server = await TestServer.start({ tickTime: 100 });
    await using proxy = await FaultProxy.start(server.connectString);
    await using world = new World(server);
    const zk = await world.client({ sessionTimeout: 600 }, proxy.connectString);
    const mutex = new Mutex(zk, '/locks/a');
    const held = await mutex.acquire();
    await proxy.blackhole({ keep: true });
    expect(await held.release()).toBe('released');
    expect(zk.state).not.toBe('connected');
    await proxy.restore();
    await until(() => world.names('/locks/a').length === 0, 'the znode goes');
    expect((await mutex.acquire({ timeout: 3_000 })).isHeld).toBe(true);
  });

  it('does not end a wait', async () => {
    await using world = await World.start();
    const [first, second] = await Promise.all([
      world.client({ sessionTimeout: 10_000 }),
      world.client({ sessionTimeout: 10_000 }),
    ]);
    const held = await new Mutex(first, '/locks/a').acquire();
    const waiting = new Mutex(second, '/locks/a').acquire();
    await until(() => world.server.watches().length === 1, 'the second waits');
    const names = world.names('/locks/a');
    await world.server.stopMember(0);
    await until(() => second.state === 'suspended', 'it is cut off');
    await world.server.startMember(0);
    await until(() => first.state === 'connected' && second.state === 'connected', 'both are back');
    expect(world.names('/locks/a')).toEqual(names);
    await held.release();
    expect(own(await waiting)).toBe(names[1]);
  });

  it('ends a hold by policy "suspended", and the lock is free once it is over', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Mutex(first, '/locks/a', { policy: 'suspended' }).acquire();
    const waiting = new Mutex(second, '/locks/a').acquire();
    await until(() => world.server.watches().length === 1, 'the second waits');
    const events: string[] = [];
    held.on('suspect', () => events.push(`suspect ${held.signal.aborted}`));
    held.on('lost', (reason) => events.push(`lost ${held.signal.reason === reason} ${reason.code}`));
    world.server.dropConnections();
    await until(() => events.length === 2, 'it is lost');
    expect(events).toEqual(['suspect false', 'lost true LEASE_LOST']);
    expect(held.isHeld).toBe(false);
    expect(await held.release()).toBe('lost');
    expect((await waiting).isHeld).toBe(true);
    expect(world.names('/locks/a')).toEqual([own(await waiting)]);
  });
});

describe('a session that is lost', () => {
  it('tells its holder before the next one is granted', async () => {
    const server = await TestServer.start({ tickTime: 100 });
    await using proxy = await FaultProxy.start(server.connectString);
    await using world = new World(server);
    const first = await world.client({ sessionTimeout: 1_000 }, proxy.connectString);
    const second = await world.client({ sessionTimeout: 5_000 });
    const held = await new Mutex(first, '/locks/a').acquire();
    const order: string[] = [];
    held.signal.addEventListener('abort', () => order.push(`aborted ${held.isHeld}`));
    held.on('lost', () => order.push('lost'));
    const waiting = new Mutex(second, '/locks/a').acquire().then((granted) => {
      order.push(`granted ${held.isHeld}`);
      return granted;
    });
    await until(() => server.watches().length === 1, 'the second waits');
    await proxy.blackhole();
    const granted = await waiting;
    expect(order).toEqual(['aborted false', 'lost', 'granted false']);
    expect(granted.fencingToken).toBeGreaterThan(held.fencingToken);
    const reason = held.signal.reason as LeaseLostError;
    expect(reason.code).toBe('LEASE_LOST');
    expect(reason.cause).toBeInstanceOf(SessionExpiredError);
    expect(await held.release()).toBe('lost');
    await granted.release();
    await proxy.restore();
  });

  it('ends what it held, at the word of the server', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const mutex = new Mutex(zk, '/locks/a');
    const held = await mutex.acquire();
    const lost = new Promise<LeaseLostError>((resolve) => held.on('lost', resolve));
    const { id } = zk.session as { id: bigint };
    world.expire(zk);
    expect((await lost).cause).toBeInstanceOf(SessionExpiredError);
    expect(held.isHeld).toBe(false);
    const again = await mutex.acquire();
    expect(zk.session?.id).not.toBe(id);
    expect(world.server.node(again.path)?.stat.ephemeralOwner).toBe(zk.session?.id);
    expect(await held.release()).toBe('lost');
    expect(again.isHeld).toBe(true);
    expect(world.names('/locks/a')).toEqual([own(again)]);
  });

  it('makes a waiter queue again in the next one', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Mutex(first, '/locks/a').acquire();
    const waiting = new Mutex(second, '/locks/a').acquire();
    await until(() => world.server.watches().length === 1, 'the second waits');
    const [, old] = world.names('/locks/a');
    world.expire(second);
    await until(() => world.names('/locks/a').length === 2, 'it queues again');
    await until(() => world.server.watches(held.path).length === 1, 'and waits');
    expect(world.names('/locks/a')).not.toContain(old);
    await held.release();
    const granted = await waiting;
    expect(world.server.node(granted.path)?.stat.ephemeralOwner).toBe(second.session?.id);
  });

  it('while it sets its watch makes a waiter queue again too', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Mutex(first, '/locks/a').acquire();
    const { id } = second.session as { id: bigint };
    const cut = new Promise<void>((resolve) => {
      world.server.intercept(({ type, sessionId }) => {
        if (type !== 'getData' || sessionId !== id) return 'pass';
        setImmediate(() => {
          world.server.expireSession(id);
          resolve();
        });
        return 'disconnect-before';
      });
    });
    const waiting = new Mutex(second, '/locks/a').acquire();
    await cut;
    await until(() => world.names('/locks/a').length === 2, 'it queues again');
    await held.release();
    expect((await waiting).isHeld).toBe(true);
  });

  it('while the reply of its create is on the way does not lend its znode to the next one', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const { id } = zk.session as { id: bigint };
    world.server.intercept(({ wireType, sessionId }) => {
      if (wireType !== 'create2' || sessionId !== id) return 'pass';
      setImmediate(() => world.server.expireSession(id));
      return 'disconnect-after';
    });
    const held = await new Mutex(zk, '/locks/a').acquire();
    expect(zk.session?.id).not.toBe(id);
    expect(world.server.node(held.path)?.stat.ephemeralOwner).toBe(zk.session?.id);
    expect(world.names('/locks/a')).toEqual([own(held)]);
  });

  it('ends everything where none follows', async () => {
    await using world = await World.start();
    const first = await world.client();
    const second = await world.client({ renewSession: false });
    const held = await new Mutex(first, '/locks/a').acquire();
    const waiting = outcome(new Mutex(second, '/locks/a').acquire());
    await until(() => world.server.watches().length === 1, 'the second waits');
    world.expire(second);
    expect(await waiting).toBeInstanceOf(SessionExpiredError);
    await held.release();
  });

  it('with its connection, on a server that ends it so, is noticed at once', async () => {
    await using world = await World.start({ profile: 'clickhouse-keeper' });
    const zk = await world.client({ sessionEnds: 'connection' });
    const mutex = new Mutex(zk, '/locks/a');
    const held = await mutex.acquire();
    world.server.dropConnections();
    await until(() => held.signal.aborted, 'it is lost');
    expect(await held.release()).toBe('lost');
    expect((await mutex.acquire()).isHeld).toBe(true);
  });

  it('by close() ends the hold', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const held = await new Mutex(zk, '/locks/a').acquire();
    const lost: LeaseLostError[] = [];
    held.on('lost', (reason) => lost.push(reason));
    await zk.close();
    expect(lost).toHaveLength(1);
    expect(lost[0]?.cause).toBeInstanceOf(ClosedError);
    expect(held.signal.reason).toBe(lost[0]);
    expect(await held.release()).toBe('lost');
    await until(() => world.names('/locks/a').length === 0, 'the znode is gone with the session');
  });
});

describe('a znode that somebody else deletes', () => {
  it('is noticed at the next reconnect', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Mutex(first, '/locks/a').acquire();
    await second.delete(held.path);
    expect(held.isHeld).toBe(true);
    const lost = new Promise((resolve) => held.on('lost', resolve));
    world.server.dropConnections();
    await lost;
    expect((held.signal.reason as LeaseLostError).message).toContain('deleted');
    expect(await held.release()).toBe('lost');
  });

  it('is noticed at once where revocations are listened for', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Mutex(first, '/locks/a').acquire();
    held.on('revoke', () => {});
    await until(() => world.server.watches(held.path).length === 1, 'it listens');
    await second.delete(held.path);
    await until(() => held.signal.aborted, 'it is lost');
  });

  it('is noticed at release', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Mutex(first, '/locks/a').acquire();
    await second.delete(held.path);
    expect(await held.release()).toBe('lost');
  });

  it('is made again by a waiter, with all of the path', async () => {
    await using world = await World.start();
    const [first, second, third] = (await world.clients(3)) as [ZooKeeper, ZooKeeper, ZooKeeper];
    const held = await new Mutex(first, '/locks/a').acquire();
    const waiting = new Mutex(second, '/locks/a').acquire();
    await until(() => world.server.watches().length === 1, 'the second waits');
    const [, old] = world.names('/locks/a');
    await third.delete(`/locks/a/${old}`);
    await third.delete(held.path);
    await third.delete('/locks/a').catch(() => {});
    const granted = await waiting;
    expect(own(granted)).not.toBe(old);
    expect(world.names('/locks/a')).toEqual([own(granted)]);
  });

  it('is missed by a waiter when it reconnects', async () => {
    await using world = await World.start();
    const [first, second, third] = (await world.clients(3)) as [ZooKeeper, ZooKeeper, ZooKeeper];
    const held = await new Mutex(first, '/locks/a').acquire();
    const waiting = new Mutex(second, '/locks/a').acquire();
    await until(() => world.server.watches().length === 1, 'the second waits');
    const [, old] = world.names('/locks/a');
    await third.delete(`/locks/a/${old}`);
    world.server.dropConnections();
    await until(() => world.names('/locks/a').length === 2, 'it queues again');
    expect(world.server.watches(held.path)).toHaveLength(1);
    await held.release();
    expect((await waiting).isHeld).toBe(true);
  });

  it('between the look and the watch is no reason to wait', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Mutex(first, '/locks/a').acquire();
    const watching = world.once('getData', { delay: 50 }, second);
    const waiting = new Mutex(second, '/locks/a').acquire();
    await watching;
    await held.release();
    expect((await waiting).isHeld).toBe(true);
    expect(world.server.watches()).toEqual([]);
  });

  it('is a container that the server has removed, with its parents', async () => {
    await using world = await World.start({ containerCheckInterval: 20 });
    const zk = await world.client();
    const mutex = new Mutex(zk, '/locks/a');
    for (let round = 0; round < 3; round += 1) {
      await (await mutex.acquire()).release();
      await until(() => world.server.node('/locks') === null, 'the server has tidied up');
    }
    expect((await mutex.acquire()).isHeld).toBe(true);
  });
});

describe('what the server refuses', () => {
  it('is the error of acquire, and no znode is left', async () => {
    await using world = await World.start();
    const zk = await world.client();
    await zk.create('/locks');
    await zk.create('/locks/a', null, { acl: [{ perms: 1, scheme: 'world', id: 'anyone' }] });
    expect(await outcome(new Mutex(zk, '/locks/a').acquire())).toBeInstanceOf(NoAuthError);
    expect(world.names('/locks/a')).toEqual([]);
  });

  it('is the data of the one before, which could never be waited for', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    await first.addAuth('digest', 'me:secret');
    const acl = [{ perms: 31, scheme: 'auth', id: '' }];
    const held = await new Mutex(first, '/locks/a', { acl }).acquire();
    expect(await outcome(new Mutex(second, '/locks/a').acquire())).toBeInstanceOf(NoAuthError);
    await until(() => world.names('/locks/a').length === 1, 'it has left');
    expect(world.names('/locks/a')).toEqual([own(held)]);
    await held.release();
  });

  it('is the error of release when it is the deletion', async () => {
    await using world = await World.start();
    const zk = await world.client();
    await zk.create('/a', null, { acl: [{ perms: 1 + 4, scheme: 'world', id: 'anyone' }] });
    const held = await new Mutex(zk, '/a').acquire();
    expect(await outcome(held.release())).toBeInstanceOf(NoAuthError);
    expect(held.isHeld).toBe(false);
  });
});

describe('old servers', () => {
  for (const profile of ['3.4', '3.5', '3.6', '3.8'] as const) {
    it(`${profile} has what it takes`, async () => {
      await using world = await World.start({ profile });
      const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
      const held = await new Mutex(first, '/locks/a').acquire();
      expect(held.fencingToken).toBe(world.server.node(held.path)?.stat.czxid);
      const controller = new AbortController();
      const waiting = outcome(new Mutex(second, '/locks/a').acquire({ signal: controller.signal }));
      await until(() => world.server.watches().length === 1, 'the second waits');
      controller.abort();
      await waiting;
      await until(() => world.names('/locks/a').length === 1, 'it has left');
      await held.release();
      const next = await new Mutex(second, '/locks/a').acquire();
      expect(next.fencingToken).toBeGreaterThan(held.fencingToken);
      await next.release();
    });
  }
});
