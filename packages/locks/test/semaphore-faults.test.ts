import { describe, expect, it } from '@jest/globals';
import { ClosedError, NoAuthError, SessionExpiredError, TimeoutError, type ZooKeeper } from '@zookit/client';
import { coreOf } from '@zookit/client/internal';
import { outcome, sleep, until, World } from '@zookit/test-world';
import { type Held, Semaphore } from '../src/index.ts';

function laidDown(world: World, leases: number, line: number): Promise<void> {
  const matches = (): boolean => world.names('/s/leases').length === leases && world.names('/s/locks').length === line;
  return until(matches, `${leases} leases, ${line} in line`, 8_000);
}

function waiting(world: World): Promise<void> {
  return until(() => world.server.watches('/s/leases').length === 1, 'one waits for the leases');
}

describe('a znode in line that an operator deletes', () => {
  it('while its owner waits for leases: it takes its lease back, and both who wait get theirs', async () => {
    await using world = await World.start();
    const [holder, one, two] = (await world.clients(3)) as [ZooKeeper, ZooKeeper, ZooKeeper];
    const held = await new Semaphore(holder, '/s', { leases: 1 }).acquire();
    const first = new Semaphore(one, '/s', { leases: 1 }).acquire();
    await laidDown(world, 2, 1);
    const mutex = `/s/locks/${world.names('/s/locks')[0]}`;
    await until(() => world.server.watches(mutex).length === 1, 'it watches its own znode');
    const second = new Semaphore(two, '/s', { leases: 1 }).acquire();
    await until(() => world.server.watches(mutex).length === 2, 'the second stands behind it');
    await holder.delete(mutex);
    await until(() => world.names('/s/locks').length === 2, 'it stands in line again');
    await laidDown(world, 2, 2);
    await held.release();
    const next = await Promise.race([first, second]);
    await next.release();
    const both = await Promise.all([first, second]);
    await Promise.all(both.map((each) => each.release()));
    await laidDown(world, 0, 0);
    expect(world.server.watches()).toEqual([]);
  });
});

describe('several leases', () => {
  it('are lost together when the session ends before anybody could hear of the grant', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const semaphore = new Semaphore(zk, '/s', { leases: 4 });
    semaphore.once('granted', () => {
      world.expire(zk);
      coreOf(zk).session.sessionOver(new SessionExpiredError('SESSION_EXPIRED'));
    });
    const held = await outcome(semaphore.acquire({ count: 2 }));
    expect(held).toMatchObject({ isHeld: false, signal: { aborted: true } });
    expect(await (held as Held).release()).toBe('lost');
  });
});

describe('a connection that breaks during acquire or release', () => {
  for (const verdict of ['disconnect-before', 'disconnect-after'] as const) {
    for (const [what, type, under] of [
      ['the mutex is made', 'create2', '/s/locks'],
      ['the mutex is looked at', 'getChildren2', '/s/locks'],
      ['the lease is laid down', 'create2', '/s/leases'],
      ['the leases are looked at', 'getChildren2', '/s/leases'],
      ['the mutex is let go', 'delete', '/s/locks'],
      ['the lease is let go', 'delete', '/s/leases'],
    ] as const) {
      it.each([1, 2])(`when ${what}, ${verdict}: no lease too many, and none stays (count %i)`, async (count) => {
        await using world = await World.start();
        const zk = await world.client({ sessionTimeout: 10_000 });
        const semaphore = new Semaphore(zk, '/s', { leases: 2 });
        await (await semaphore.acquire()).release();
        let broken = false;
        const off = world.server.intercept((request) => {
          if (request.wireType !== type || request.path?.startsWith(under) !== true) return 'pass';
          off();
          broken = true;
          return verdict;
        });
        const held = await semaphore.acquire({ count });
        await laidDown(world, count, 0);
        expect(held.isHeld).toBe(true);
        expect(await held.release()).toBe('released');
        expect(broken).toBe(true);
        await laidDown(world, 0, 0);
        expect((await semaphore.acquire({ count: 2, timeout: 8_000 })).isHeld).toBe(true);
        await until(() => world.server.watches().length === 0, 'no watch is left');
      });
    }
  }

  it('while it waits for a lease does not make it miss the one that is let go', async () => {
    await using world = await World.start();
    const [one, two] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Semaphore(one, '/s', { leases: 1 }).acquire();
    const next = new Semaphore(two, '/s', { leases: 1 }).acquire();
    await waiting(world);
    world.server.dropConnections();
    await held.release();
    expect((await next).isHeld).toBe(true);
    await laidDown(world, 1, 0);
  });
});

describe('a wait that is given up', () => {
  for (const [state, taken, count] of [
    ['leases are free', 0, 1],
    ['all leases are held', 2, 1],
    ['one of two is held', 1, 2],
  ] as const) {
    it(`at any moment leaves no znode and no watch: ${state}`, async () => {
      await using world = await World.start();
      const holder = await world.client();
      const held = await Promise.all(
        Array.from({ length: taken }, () => new Semaphore(holder, '/s', { leases: 2 }).acquire()),
      );
      // Each request takes a while, so that the moments fall into all the phases.
      world.server.intercept(({ sessionId }) => (sessionId === holder.session?.id ? 'pass' : { delay: 12 }));
      const semaphore = new Semaphore(await world.client(), '/s', { leases: 2 });
      const seen = new Set<string>();
      for (let ms = 0; ms <= 220; ms += 11) {
        const controller = new AbortController();
        const acquiring = semaphore.acquire({ count, signal: controller.signal }).then(
          (granted) => granted.release(),
          (error: unknown) => error,
        );
        await sleep(ms);
        controller.abort('moment');
        seen.add(String(await acquiring));
        await laidDown(world, taken, 0);
        await until(() => world.server.watches().length === 0, `no watch after ${ms} ms`);
      }
      expect(seen).toEqual(taken + count > 2 ? new Set(['moment']) : new Set(['moment', 'released']));
      for (const each of held) expect(each.isHeld).toBe(true);
    }, 30_000);
  }

  it('rejects with the reason itself, and lets the next one in', async () => {
    await using world = await World.start();
    const [one, two, three] = (await world.clients(3)) as [ZooKeeper, ZooKeeper, ZooKeeper];
    const held = await new Semaphore(one, '/s', { leases: 1 }).acquire();
    const controller = new AbortController();
    const leaving = outcome(new Semaphore(two, '/s', { leases: 1 }).acquire({ signal: controller.signal }));
    await waiting(world);
    const next = new Semaphore(three, '/s', { leases: 1 }).acquire();
    await laidDown(world, 2, 2);
    const reason = new Error('changed my mind');
    controller.abort(reason);
    expect(await leaving).toBe(reason);
    await held.release();
    expect((await next).isHeld).toBe(true);
    await laidDown(world, 1, 0);
  });

  it('has one deadline, whatever it waits for', async () => {
    await using world = await World.start();
    const [one, two, three] = (await world.clients(3)) as [ZooKeeper, ZooKeeper, ZooKeeper];
    await new Semaphore(one, '/s', { leases: 1 }).acquire();
    // The one waits for the lease, the other for the mutex.
    const waits = [two, three].map((zk) => outcome(new Semaphore(zk, '/s', { leases: 1 }).acquire({ timeout: 80 })));
    for (const error of await Promise.all(waits)) {
      expect(error).toBeInstanceOf(TimeoutError);
      expect(error).toMatchObject({ code: 'TIMEOUT', path: '/s', operation: 'acquire' });
    }
    await laidDown(world, 1, 0);
    await until(() => world.server.watches().length === 0, 'no watch is left');
  });

  it('by close() is over, and leaves nothing', async () => {
    await using world = await World.start();
    const [one, two] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    await new Semaphore(one, '/s', { leases: 1 }).acquire();
    const leaving = outcome(new Semaphore(two, '/s', { leases: 1 }).acquire());
    await waiting(world);
    await two.close();
    expect(await leaving).toBeInstanceOf(ClosedError);
    await laidDown(world, 1, 0);
    expect(await outcome(new Semaphore(two, '/s', { leases: 1 }).tryAcquire())).toBeInstanceOf(ClosedError);
  });
});

describe('a session that is lost', () => {
  it('while it waits for a lease makes it queue again in the next one', async () => {
    await using world = await World.start();
    const [one, two] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Semaphore(one, '/s', { leases: 1 }).acquire();
    const next = new Semaphore(two, '/s', { leases: 1 }).acquire();
    await waiting(world);
    const id = two.session?.id;
    world.expire(two);
    await until(() => two.session !== null && two.session.id !== id, 'a new session');
    await laidDown(world, 2, 1);
    await waiting(world);
    await held.release();
    const granted = await next;
    expect(world.server.node(granted.path)?.stat.ephemeralOwner).toBe(two.session?.id);
    await laidDown(world, 1, 0);
  });

  it.each(['/s/locks/', '/s/leases/'])(
    'while it creates under %s leaves nothing of the old one',
    async (under) => {
      await using world = await World.start();
      const zk = await world.client();
      const semaphore = new Semaphore(zk, '/s', { leases: 1 });
      await (await semaphore.acquire()).release();
      const id = zk.session?.id;
      const off = world.server.intercept(({ wireType, path }) => {
        if (wireType !== 'create2' || path?.startsWith(under) !== true) return 'pass';
        off();
        setImmediate(() => world.server.expireSession(id ?? 0n));
        return 'drop-reply';
      });
      const held = await semaphore.acquire({ timeout: 15_000 });
      expect(zk.session?.id).not.toBe(id);
      expect(world.server.node(held.path)?.stat.ephemeralOwner).toBe(zk.session?.id);
      await laidDown(world, 1, 0);
    },
    20_000,
  );
});

describe('a znode that somebody else deletes', () => {
  it('be it the lease that is waited for: it begins again', async () => {
    await using world = await World.start();
    const [one, two, other] = (await world.clients(3)) as [ZooKeeper, ZooKeeper, ZooKeeper];
    const held = await new Semaphore(one, '/s', { leases: 1 }).acquire();
    const next = new Semaphore(two, '/s', { leases: 1 }).acquire();
    await waiting(world);
    const mine = world.names('/s/leases').find((name) => `/s/leases/${name}` !== held.path);
    await other.delete(`/s/leases/${mine}`);
    await until(
      () => world.names('/s/leases').some((name) => name !== mine && !held.path.endsWith(name)),
      'it is back',
    );
    await waiting(world);
    await held.release();
    expect((await next).isHeld).toBe(true);
    await laidDown(world, 1, 0);
  });

  it('be it a container that the server has removed: it is made again', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const semaphore = new Semaphore(zk, '/s', { leases: 1 });
    await (await semaphore.acquire()).release();
    await zk.delete('/s', { recursive: true });
    expect(await semaphore.holders()).toEqual([]);
    const held = await semaphore.tryAcquire();
    expect(held?.isHeld).toBe(true);
    await held?.release();
    let reaped = 0;
    world.server.intercept(({ wireType, path, sessionId }) => {
      const isOurs = wireType === 'create2' && sessionId === zk.session?.id && path?.includes('-lease-') === true;
      if (!isOurs || reaped === 2 || world.server.node('/s/leases') === null) return 'pass';
      reaped += 1;
      return reaper.delete('/s/leases').then(() => 'pass' as const);
    });
    const reaper = await world.client();
    expect((await semaphore.acquire()).isHeld).toBe(true);
    expect(reaped).toBe(2);
    await laidDown(world, 1, 0);
  });
});

describe('what the server refuses', () => {
  it('is the error of acquire, and nothing is left', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const acl = [{ perms: 1, scheme: 'world', id: 'anyone' }];
    await zk.create('/s', null);
    await zk.create('/s/leases', null, { acl });
    expect(await outcome(new Semaphore(zk, '/s', { leases: 2 }).acquire({ count: 2 }))).toBeInstanceOf(NoAuthError);
    await laidDown(world, 0, 0);
  });
});

describe('old servers', () => {
  it.each(['3.4', '3.5', 'clickhouse-keeper'] as const)('%s has what it takes', async (profile) => {
    await using world = await World.start({ profile });
    const [one, two] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Semaphore(one, '/s', { leases: 2 }).acquire({ count: 2 });
    const next = new Semaphore(two, '/s', { leases: 2 }).acquire();
    await waiting(world);
    await held.release();
    await (await next).release();
    await laidDown(world, 0, 0);
  });
});
