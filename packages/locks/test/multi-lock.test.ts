import { describe, expect, it } from '@jest/globals';
import { BadArgumentsError, LeaseLostError, NoAuthError, TimeoutError, type ZooKeeper } from '@zookit/client';
import { outcome, until, World } from '@zookit/test-world';
import { type Acquirable, type Held, MultiLock, Mutex, ReadWriteLock, Semaphore } from '../src/index.ts';

const PATHS = ['/m/a', '/m/b', '/m/c'] as const;

function mutexes(zk: ZooKeeper): Mutex[] {
  return PATHS.map((path) => new Mutex(zk, path));
}

/** How many stand in each line. */
const lines = (world: World): number[] => PATHS.map((path) => world.names(path).length);

function settled(world: World, ...expected: number[]): Promise<void> {
  return until(() => String(lines(world)) === String(expected), `lines of ${expected}`);
}

/** The paths of what is created and deleted, without what is unique in them. */
function changes(world: World): string[] {
  const seen: string[] = [];
  world.server.intercept(({ wireType, path }) => {
    if (wireType === 'create2' || wireType === 'delete')
      seen.push(`${wireType} ${path?.split('/').slice(0, 3).join('/')}`);
    return 'pass';
  });
  return seen;
}

/** A lock that does as it is told. */
function lock(acquire: Acquirable['acquire']): Acquirable {
  return { acquire };
}

describe('several locks as one', () => {
  it('are acquired in order and released in reverse', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const multi = new MultiLock(mutexes(zk));
    await (await multi.acquire()).release();
    const seen = changes(world);
    const held = await multi.acquire({ timeout: 5_000 });
    expect(lines(world)).toEqual([1, 1, 1]);
    expect(held.isHeld).toBe(true);
    expect(held.path).toBe(`/m/a/${world.names('/m/a')[0]}`);
    const czxids = PATHS.map((path) => world.server.node(`${path}/${world.names(path)[0]}`)?.stat.czxid);
    expect(held.tokens).toEqual(czxids);
    expect(held.fencingToken).toBe(czxids[0]);
    expect(held.deadline).toBeGreaterThan(performance.now());
    expect(await held.release()).toBe('released');
    expect(held.isHeld).toBe(false);
    expect((held.signal.reason as Error).message).toContain('released');
    expect(seen).toEqual([
      ...PATHS.map((path) => `create2 ${path}`),
      ...PATHS.toReversed().map((path) => `delete ${path}`),
    ]);
    expect(lines(world)).toEqual([0, 0, 0]);
  });

  it('may be of any kind, and guard a transaction by each of them', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const rw = new ReadWriteLock(zk, '/m/b');
    const multi = new MultiLock([new Mutex(zk, '/m/a'), rw.read, new Semaphore(zk, '/s', { leases: 2 })]);
    const held = await multi.acquire();
    expect(await new ReadWriteLock(zk, '/m/b').read.tryAcquire()).not.toBeNull();
    expect(await new ReadWriteLock(zk, '/m/b').write.tryAcquire()).toBeNull();
    expect(await new Semaphore(zk, '/s', { leases: 2 }).tryAcquire({ count: 2 })).toBeNull();
    await zk.create('/data', 'none');
    await held.guard(zk.transaction()).set('/data', 'guarded').commit();
    await zk.delete(`/s/leases/${world.names('/s/leases')[0]}`);
    const stale = held.guard(zk.transaction()).set('/data', 'stale').commit();
    expect(await outcome(stale)).toMatchObject({ code: 'NO_NODE' });
    expect(world.server.node('/data')?.data?.toString()).toBe('guarded');
    expect(await held.release()).toBe('lost');
  });

  it('exclude each other, in any combination', async () => {
    await using world = await World.start();
    const clients = await world.clients(3);
    const inside = new Map<string, number>();
    const work = async (paths: readonly string[]): Promise<void> => {
      for (const path of paths) {
        inside.set(path, (inside.get(path) ?? 0) + 1);
        expect(inside.get(path)).toBe(1);
      }
      await new Promise((resolve) => setImmediate(resolve));
      for (const path of paths) inside.set(path, 0);
    };
    const combinations = [PATHS, PATHS.slice(1), [PATHS[0], PATHS[2]], [PATHS[1]]];
    await Promise.all(
      Array.from({ length: 24 }, (_, i) => {
        const paths = combinations[i % 4] as readonly string[];
        const locks = paths.map((path) => new Mutex(clients[i % 3] as ZooKeeper, path));
        return new MultiLock(locks).run(() => work(paths));
      }),
    );
    await settled(world, 0, 0, 0);
  });

  it('run what they guard, and fail it when one is lost', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const multi = new MultiLock(mutexes(zk));
    expect(await multi.run((held) => held.tokens.length)).toBe(3);
    const lost = await outcome(
      multi.run(async (held) => {
        held.on('revoke', () => {});
        await until(() => world.server.watches().length === 3, 'it listens');
        await other.delete(`/m/b/${world.names('/m/b')[0]}`);
        await until(() => held.signal.aborted, 'it is lost');
      }),
    );
    expect(lost).toBeInstanceOf(LeaseLostError);
    await settled(world, 0, 0, 0);
  });
});

describe('one of several locks that is lost', () => {
  it('ends the hold, and the others are let go', async () => {
    await using world = await World.start();
    const [one, two, other] = (await world.clients(3)) as [ZooKeeper, ZooKeeper, ZooKeeper];
    const held = await new MultiLock([new Mutex(one, '/m/a'), new Mutex(two, '/m/b')]).acquire();
    const told: unknown[] = [];
    held.on('lost', (reason) => told.push(reason));
    const next = new Mutex(other, '/m/a').acquire();
    world.expire(two);
    await until(() => held.signal.aborted, 'it is lost');
    expect(told).toEqual([held.signal.reason]);
    expect(held.signal.reason).toBeInstanceOf(LeaseLostError);
    expect(held.isHeld).toBe(false);
    expect((await next).isHeld).toBe(true);
    expect(await held.release()).toBe('lost');
  });

  it('is one in doubt by policy "suspended" of all, whatever its own policy', async () => {
    await using world = await World.start();
    const [one, two] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const multi = new MultiLock([new Mutex(one, '/m/a'), new Mutex(two, '/m/b')], { policy: 'suspended' });
    const held = await multi.acquire();
    const told: string[] = [];
    held.on('suspect', () => told.push('suspect')).on('lost', () => told.push('lost'));
    world.server.dropConnections();
    await until(() => held.signal.aborted, 'it is lost');
    expect(held.isHeld).toBe(false);
    expect(told).toEqual(['suspect', 'lost']);
    expect(held.signal.reason).toBeInstanceOf(LeaseLostError);
    expect(await held.release()).toBe('lost');
    await until(() => world.names('/m/a').length + world.names('/m/b').length === 0, 'both are let go');
  });

  it('while the next is waited for ends the wait', async () => {
    await using world = await World.start();
    const [one, two] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const blocker = await new Mutex(two, '/m/b').acquire();
    const waiting = outcome(new MultiLock([new Mutex(one, '/m/a'), new Mutex(two, '/m/b')]).acquire());
    await settled(world, 1, 2, 0);
    world.expire(one);
    expect(await waiting).toBeInstanceOf(LeaseLostError);
    await settled(world, 0, 1, 0);
    expect(blocker.isHeld).toBe(true);
  });
});

describe('the time for several locks', () => {
  it('is one for all of them, by the clock of the client', async () => {
    const timers: (() => void)[] = [];
    const clock = {
      setTimeout: (callback: () => void, ms: number) => {
        if (ms < 80_000_000) return setTimeout(callback, ms);
        timers.push(callback);
        return {};
      },
    };
    await using world = await World.start();
    const [zk, other] = [await world.client({ environment: { clock } }), await world.client()];
    const blockers = [await new Mutex(other, '/m/a').acquire(), await new Mutex(other, '/m/c').acquire()];
    const waiting = outcome(new MultiLock(mutexes(zk)).acquire({ timeout: 86_400_000 }));
    await settled(world, 2, 0, 1);
    await blockers[0]?.release();
    await settled(world, 1, 1, 2);
    expect(timers).toHaveLength(1);
    timers[0]?.();
    const error = await waiting;
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ code: 'TIMEOUT', operation: 'acquire', path: '/m/a, /m/b, /m/c' });
    await settled(world, 0, 0, 1);
  });

  it('is kept for locks of no client that zookit knows', async () => {
    const waits = lock(
      ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    );
    expect(await outcome(new MultiLock([waits]).acquire({ timeout: 20 }))).toBeInstanceOf(TimeoutError);
  });
});

describe('an acquire of several locks that fails', () => {
  it('stops there, and releases in reverse what it had', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const first = new Error('out of order');
    let tried = false;
    const failing = lock(() => Promise.reject(first));
    const never = lock(() => {
      tried = true;
      return Promise.reject(new Error('must not be tried'));
    });
    const multi = new MultiLock([new Mutex(zk, '/m/a'), new Mutex(zk, '/m/b'), failing, never]);
    await outcome(multi.acquire());
    const seen = changes(world);
    expect(await outcome(multi.acquire())).toBe(first);
    expect(tried).toBe(false);
    expect(seen).toEqual(['create2 /m/a', 'create2 /m/b', 'delete /m/b', 'delete /m/a']);
    expect(lines(world)).toEqual([0, 0, 0]);
    expect('suppressed' in first).toBe(false);
  });

  it('keeps the first error, and attaches what goes wrong on the way back', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    await zk.addAuth('digest', 'me:secret');
    // Anybody may stand in line, and nobody but its owner may leave it.
    await other.create('/m/b', null, { acl: [{ perms: 1 + 4, scheme: 'world', id: 'anyone' }], parents: true });
    const first = new Error('out of order');
    const multi = new MultiLock([new Mutex(zk, '/m/a'), new Mutex(zk, '/m/b'), lock(() => Promise.reject(first))]);
    expect(await outcome(multi.acquire())).toBe(first);
    expect((first as { suppressed?: unknown }).suppressed).toEqual([expect.any(NoAuthError)]);
    expect(lines(world)).toEqual([0, 1, 0]);
  });

  it('rejects with the reason itself when it is aborted, at any lock', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    for (const [at, path] of PATHS.entries()) {
      const blocker = await new Mutex(other, path).acquire();
      const controller = new AbortController();
      const waiting = outcome(new MultiLock(mutexes(zk)).acquire({ signal: controller.signal }));
      await settled(world, ...PATHS.map((_, i) => (i < at ? 1 : i === at ? 2 : 0)));
      controller.abort(`enough at ${path}`);
      expect(await waiting).toBe(`enough at ${path}`);
      await settled(world, ...PATHS.map((_, i) => (i === at ? 1 : 0)));
      await blocker.release();
    }
    await until(() => world.server.watches().length === 0, 'no watch is left');
    const signal = AbortSignal.abort('no');
    const requests = world.requests();
    expect(await outcome(new MultiLock(mutexes(zk)).acquire({ signal }))).toBe('no');
    expect(requests).toEqual([]);
  });

  it('releases what was granted in the moment of the abort', async () => {
    let released = false;
    const controller = new AbortController();
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/m/a');
    const late = lock(async () => {
      const held = await mutex.acquire();
      controller.abort('too late');
      held.signal.addEventListener('abort', () => {
        released = true;
      });
      return held;
    });
    expect(await outcome(new MultiLock([late]).acquire({ signal: controller.signal }))).toBe('too late');
    expect(released).toBe(true);
    await settled(world, 0, 0, 0);
  });

  it('rejects where a hold was over before it came', async () => {
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/m/a');
    const over = lock(async () => {
      const held = await mutex.acquire();
      await held.release();
      return held;
    });
    expect(await outcome(new MultiLock([over]).acquire())).toBeInstanceOf(LeaseLostError);
  });
});

describe('tryAcquire of several locks', () => {
  it('has all or none', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const multi = new MultiLock(mutexes(zk));
    const blocker = await new Mutex(other, '/m/c').acquire();
    expect(await multi.tryAcquire()).toBeNull();
    expect(lines(world)).toEqual([0, 0, 1]);
    await blocker.release();
    const held = await multi.tryAcquire();
    expect(held?.tokens).toHaveLength(3);
    await held?.release();
  });

  it('needs locks that can be tried', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const multi = new MultiLock([new Mutex(zk, '/m/a'), lock(() => Promise.reject(new Error('no')))]);
    expect(await outcome(multi.tryAcquire())).toBeInstanceOf(BadArgumentsError);
    await settled(world, 0, 0, 0);
  });
});

describe('what is no list of locks', () => {
  it.each([[[]], [[null]], [[{}]]])('is refused: %j', (locks) => {
    expect(() => new MultiLock(locks as unknown as Acquirable[])).toThrow(BadArgumentsError);
  });

  it('tells of a failed release what the server said', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    await other.create('/m/b', null, { acl: [{ perms: 1 + 4, scheme: 'world', id: 'anyone' }], parents: true });
    const held: Held = await new MultiLock(mutexes(zk)).acquire();
    expect(await outcome(held.release())).toBeInstanceOf(NoAuthError);
    await settled(world, 0, 1, 0);
  });
});
