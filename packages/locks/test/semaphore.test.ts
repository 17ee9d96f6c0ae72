import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { BadArgumentsError, PathError, TimeoutError, type ZooKeeper } from '@zookit/client';
import { outcome, sleep, until, World } from '@zookit/test-world';
import { type Held, Semaphore } from '../src/index.ts';

const LEASE = /^_c_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-lease-\d{10}$/;

const own = (held: Held): string => held.path.slice(held.path.lastIndexOf('/') + 1);

/** A number of leases that changes. */
class Count extends EventEmitter {
  value: number;

  constructor(value: number) {
    super();
    this.value = value;
  }

  change(value: number): void {
    this.value = value;
    this.emit('change', value);
  }
}

/** Semaphores of several clients on one path. */
async function semaphoresOf(world: World, count: number, leases = 2): Promise<Semaphore[]> {
  return (await world.clients(count)).map((zk) => new Semaphore(zk, '/s', { leases }));
}

/** Waits until so many leases are laid down, and so many stand in line for the mutex. */
function laidDown(world: World, leases: number, line: number): Promise<void> {
  const matches = (): boolean => world.names('/s/leases').length === leases && world.names('/s/locks').length === line;
  return until(matches, `${leases} leases, ${line} in line`);
}

/** Waits until whoever wants leases waits for those that are there. */
function waiting(world: World): Promise<void> {
  return until(() => world.server.watches('/s/leases').length === 1, 'one waits for the leases');
}

describe('the znodes of a semaphore', () => {
  it('are those of Curator: a lease, and a mutex while it is being taken', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const created: (string | null | undefined)[] = [];
    world.server.intercept(({ type, path }) => {
      if (type.startsWith('create')) created.push(path);
      return 'pass';
    });
    const held = await new Semaphore(zk, '/s', { leases: 2 }).acquire();
    expect(world.names('/s/leases')).toEqual([expect.stringMatching(LEASE)]);
    expect(held.path).toBe(`/s/leases/${world.names('/s/leases')[0]}`);
    expect(world.names('/s/locks')).toEqual([]);
    expect(created.some((path) => /^\/s\/locks\/_c_[0-9a-f-]{36}-lock-$/.test(path ?? ''))).toBe(true);
    for (const path of ['/s', '/s/locks', '/s/leases']) expect(world.server.node(path)?.kind).toBe('container');
    const node = world.server.node(held.path);
    expect(node?.data?.toString()).toBe('127.0.0.1');
    expect(node?.stat.ephemeralOwner).toBe(zk.session?.id);
    expect(held.fencingToken).toBe(node?.stat.czxid);
    expect(await held.release()).toBe('released');
    expect(world.names('/s/leases')).toEqual([]);
    expect(world.server.watches()).toEqual([]);
  });

  it('take data and an ACL', async () => {
    await using world = await World.start();
    const acl = [{ perms: 31, scheme: 'ip', id: '127.0.0.1' }];
    const held = await new Semaphore(await world.client(), '/s', { leases: 1, data: 'worker 7', acl }).acquire();
    expect(world.server.node(held.path)?.data?.toString()).toBe('worker 7');
    expect(world.server.node(held.path)?.acl).toEqual([{ perms: 31, id: { scheme: 'ip', id: '127.0.0.1' } }]);
  });

  it('cost six packets while leases are free', async () => {
    await using world = await World.start({ containerCheckInterval: 600_000 });
    const semaphore = new Semaphore(await world.client(), '/s', { leases: 2 });
    await (await semaphore.acquire()).release();
    const requests = world.requests();
    await (await semaphore.acquire()).release();
    expect(requests).toEqual(['create2', 'getChildren2', 'create2', 'getChildren2', 'delete', 'delete']);
  });
});

describe('leases', () => {
  it('are held by so many at once, and no more', async () => {
    await using world = await World.start();
    const semaphores = await semaphoresOf(world, 4, 3);
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 24 }, (_, i) =>
        (semaphores[i % 4] as Semaphore).run(async (held) => {
          inside += 1;
          most = Math.max(most, inside);
          expect(inside).toBeLessThanOrEqual(3);
          await until(() => most === 3, 'three have worked at once');
          await sleep(2);
          expect(held.isHeld).toBe(true);
          inside -= 1;
        }),
      ),
    );
    expect(most).toBe(3);
    await laidDown(world, 0, 0);
    expect(world.server.watches()).toEqual([]);
  });

  it('are waited for by one at a time, first come, first served', async () => {
    await using world = await World.start();
    const semaphores = await semaphoresOf(world, 4, 1);
    const held = await (semaphores[0] as Semaphore).acquire();
    const granted: number[] = [];
    const waits: Promise<void>[] = [];
    for (const [i, semaphore] of semaphores.slice(1).entries()) {
      waits.push(
        semaphore.acquire().then(async (next) => {
          granted.push(i);
          await next.release();
        }),
      );
      await laidDown(world, 2, i + 1);
    }
    await waiting(world);
    expect(granted).toEqual([]);
    await held.release();
    await Promise.all(waits);
    expect(granted).toEqual([0, 1, 2]);
    await laidDown(world, 0, 0);
  });

  it('end one by one, each with its own release', async () => {
    await using world = await World.start();
    const semaphore = new Semaphore(await world.client(), '/s', { leases: 2 });
    const [one, two] = [await semaphore.acquire(), await semaphore.acquire()];
    expect(new Set(world.names('/s/leases'))).toEqual(new Set([own(one), own(two)]));
    expect(await semaphore.tryAcquire()).toBeNull();
    await one.release();
    expect(two.isHeld).toBe(true);
    expect((await semaphore.tryAcquire())?.isHeld).toBe(true);
  });

  it('of a session that is lost go to others, and the holder is told', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Semaphore(zk, '/s', { leases: 1 }).acquire();
    const order: string[] = [];
    held.signal.addEventListener('abort', () => order.push('aborted'));
    held.on('lost', () => order.push('lost'));
    const next = new Semaphore(other, '/s', { leases: 1 }).acquire();
    await waiting(world);
    world.expire(zk);
    expect((await next).isHeld).toBe(true);
    await until(() => order.length === 2, 'it is told');
    expect(order).toEqual(['aborted', 'lost']);
    expect(await held.release()).toBe('lost');
  });
});

describe('several leases', () => {
  it('are one hold, which is released as one', async () => {
    await using world = await World.start();
    const semaphore = new Semaphore(await world.client(), '/s', { leases: 3 });
    const held = await semaphore.acquire({ count: 2 });
    expect(world.names('/s/leases')).toHaveLength(2);
    expect(world.names('/s/leases')).toContain(own(held));
    expect(held.isHeld).toBe(true);
    expect(held.deadline).toBeGreaterThan(performance.now());
    expect(await semaphore.tryAcquire({ count: 2 })).toBeNull();
    const checks: unknown[] = [];
    held.guard({ check: (...args) => checks.push(args) });
    expect(checks).toHaveLength(2);
    let inner: unknown;
    held.signal.addEventListener('abort', () => {
      inner = held.release();
    });
    const released = held.release();
    expect(held.isHeld).toBe(false);
    expect(held.signal.aborted).toBe(true);
    expect(inner).toBe(released);
    expect(await released).toBe('released');
    expect(held.deadline).toBeLessThanOrEqual(performance.now());
    expect(world.names('/s/leases')).toEqual([]);
  });

  it('are had together: two who want two each of three take turns', async () => {
    await using world = await World.start();
    const semaphores = await semaphoresOf(world, 2, 3);
    let inside = 0;
    const turns = Array.from({ length: 10 }, (_, i) =>
      (semaphores[i % 2] as Semaphore).run(
        async () => {
          inside += 1;
          expect(inside).toBe(1);
          await sleep(1);
          inside -= 1;
        },
        { count: 2 },
      ),
    );
    await Promise.all(turns);
    await laidDown(world, 0, 0);
  });

  it('are not overtaken by those who want fewer', async () => {
    await using world = await World.start();
    const [a, b, c] = (await semaphoresOf(world, 3, 2)) as [Semaphore, Semaphore, Semaphore];
    const held = await a.acquire();
    const both = b.acquire({ count: 2 });
    await waiting(world);
    let granted = false;
    const one = c.acquire().then((next) => {
      granted = true;
      return next;
    });
    await laidDown(world, 3, 2);
    expect(await a.tryAcquire()).toBeNull();
    expect(granted).toBe(false);
    await held.release();
    const two = await both;
    await waiting(world);
    expect(granted).toBe(false);
    await two.release();
    await (await one).release();
  });

  it('are lost as soon as one of them is, and the others are let go', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Semaphore(zk, '/s', { leases: 2 }).acquire({ count: 2 });
    const told: unknown[] = [];
    held.on('lost', (reason) => told.push(reason));
    held.on('revoke', () => told.push('revoke'));
    await until(() => world.server.watches().length === 2, 'it listens');
    const last = `/s/leases/${world.names('/s/leases')[1]}`;
    await other.set(last, '__REVOKE__');
    await until(() => told.length === 1, 'it is asked');
    expect(told).toEqual(['revoke']);
    await other.delete(last);
    await until(() => held.signal.aborted, 'it is lost');
    expect(told).toEqual(['revoke', held.signal.reason]);
    expect(held.isHeld).toBe(false);
    expect(await held.release()).toBe('lost');
    expect(world.names('/s/leases')).toEqual([]);
    await until(() => world.server.watches().length === 0, 'no watch is left');
  });

  it('are in doubt once, however many they are', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 10_000 });
    const held = await new Semaphore(zk, '/s', { leases: 3 }).acquire({ count: 3 });
    const told: string[] = [];
    for (const event of ['suspect', 'lost'] as const) held.on(event, () => told.push(event));
    world.server.dropConnections();
    await until(() => told.length > 0, 'it is in doubt');
    await until(() => zk.state === 'connected', 'it is back');
    await zk.sync();
    expect(told).toEqual(['suspect']);
    expect(held.isHeld).toBe(true);
  });

  it('end together by policy "suspended"', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 10_000 });
    const held = await new Semaphore(zk, '/s', { leases: 3, policy: 'suspended' }).acquire({ count: 2 });
    const told: string[] = [];
    for (const event of ['suspect', 'lost'] as const) held.on(event, () => told.push(event));
    world.server.dropConnections();
    await until(() => held.signal.aborted, 'it is lost');
    expect(told).toEqual(['suspect', 'lost']);
    await laidDown(world, 0, 0);
  });

  it.each([4, 0, -1, 1.5, Number.NaN, '2'])('can not be %p of three', async (count) => {
    await using world = await World.start();
    const semaphore = new Semaphore(await world.client(), '/s', { leases: 3 });
    const requests = world.requests();
    for (const method of ['acquire', 'tryAcquire', 'run'] as const) {
      const options = { count: count as number };
      const asked = method === 'run' ? semaphore.run(() => 1, options) : semaphore[method](options);
      const error = await outcome(asked);
      expect(error).toBeInstanceOf(BadArgumentsError);
      expect(error).toMatchObject({ code: 'BAD_ARGUMENTS', path: '/s', operation: method });
    }
    expect(requests).toEqual([]);
  });
});

describe('the number of leases', () => {
  it('may grow while somebody waits, who has one at once', async () => {
    await using world = await World.start();
    const count = new Count(1);
    const [one, two] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    await new Semaphore(one, '/s', { leases: count }).acquire();
    const next = new Semaphore(two, '/s', { leases: count }).acquire();
    await waiting(world);
    expect(count.listenerCount('change')).toBe(1);
    count.change(2);
    expect((await next).isHeld).toBe(true);
    expect(count.listenerCount('change')).toBe(0);
    expect(world.server.watches()).toEqual([]);
  });

  it('may shrink: what is held stays held, and the next one waits until there are few enough', async () => {
    await using world = await World.start();
    const count = new Count(3);
    const zk = await world.client();
    const semaphore = new Semaphore(zk, '/s', { leases: count });
    const holds = [await semaphore.acquire(), await semaphore.acquire(), await semaphore.acquire()];
    count.change(2);
    expect(holds.map(({ isHeld }) => isHeld)).toEqual([true, true, true]);
    expect(await semaphore.holders()).toHaveLength(3);
    let granted = false;
    const next = semaphore.acquire().then((held) => {
      granted = true;
      return held;
    });
    await waiting(world);
    await holds[0]?.release();
    await waiting(world);
    await zk.sync();
    expect(granted).toBe(false);
    await holds[1]?.release();
    expect((await next).isHeld).toBe(true);
  });

  it('that becomes too small refuses who waits for more, and lets the others go on', async () => {
    await using world = await World.start();
    const count = new Count(3);
    const [one, two, three] = (await world.clients(3)) as [ZooKeeper, ZooKeeper, ZooKeeper];
    const held = await new Semaphore(one, '/s', { leases: count }).acquire({ count: 2 });
    const many = outcome(new Semaphore(two, '/s', { leases: count }).acquire({ count: 3 }));
    await waiting(world);
    const few = new Semaphore(three, '/s', { leases: count }).acquire({ count: 2 });
    await laidDown(world, 5, 2);
    count.change(2);
    expect(await many).toBeInstanceOf(BadArgumentsError);
    await held.release();
    expect((await few).isHeld).toBe(true);
    await laidDown(world, 2, 0);
  });

  it('may be none for a while', async () => {
    await using world = await World.start();
    const count = new Count(0);
    const semaphore = new Semaphore(await world.client(), '/s', { leases: count });
    expect(await outcome(semaphore.acquire())).toBeInstanceOf(BadArgumentsError);
    count.change(1);
    expect((await semaphore.acquire()).isHeld).toBe(true);
  });

  it('is listened to once by one that can not be told to stop', async () => {
    await using world = await World.start();
    const listeners: (() => void)[] = [];
    const count = { value: 1, on: (_: 'change', listener: () => void) => listeners.push(listener) };
    const semaphore = new Semaphore(await world.client(), '/s', { leases: count });
    const held = await semaphore.acquire();
    for (let round = 0; round < 3; round += 1) {
      expect(await outcome(semaphore.acquire({ timeout: 20 }))).toBeInstanceOf(TimeoutError);
    }
    expect(listeners).toHaveLength(1);
    const next = semaphore.acquire();
    await waiting(world);
    count.value = 2;
    for (const listener of listeners) listener();
    expect((await next).isHeld).toBe(true);
    await held.release();
  });

  it.each([0, -1, 1.5, Number.NaN, 'two', null, {}])('is refused as %p', async (leases) => {
    await using world = await World.start();
    const zk = await world.client();
    expect(() => new Semaphore(zk, '/s', { leases: leases as number })).toThrow(BadArgumentsError);
    expect(() => new Semaphore(zk, 's', { leases: 1 })).toThrow(PathError);
    expect(() => new Semaphore(zk, '/s', undefined as never)).toThrow(BadArgumentsError);
  });
});

describe('tryAcquire', () => {
  it('is null when all leases are held, and asks nothing but for the list', async () => {
    await using world = await World.start();
    const [a, b] = (await semaphoresOf(world, 2, 1)) as [Semaphore, Semaphore];
    const held = await a.acquire();
    const requests = world.requests();
    expect(await b.tryAcquire()).toBeNull();
    expect(requests.filter((type) => type.startsWith('create'))).toEqual([]);
    await until(() => world.server.watches().length === 0, 'no watch is left');
    await held.release();
    expect((await b.tryAcquire())?.isHeld).toBe(true);
  });

  it('is not null because others are just at it', async () => {
    await using world = await World.start();
    const semaphores = await semaphoresOf(world, 3, 9);
    const tries = Array.from({ length: 12 }, (_, i) => (semaphores[i % 3] as Semaphore).tryAcquire());
    const results = await Promise.all(tries);
    expect(results.filter((held) => held !== null)).toHaveLength(9);
    await laidDown(world, 9, 0);
    expect(await (semaphores[0] as Semaphore).tryAcquire()).toBeNull();
    await until(() => world.server.watches().length === 0, 'no watch is left');
  });

  it('is null once those before it have taken the last lease', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const count = new Count(2);
    await new Semaphore(zk, '/s', { leases: 2 }).acquire();
    // Holds the mutex, and has not laid down its lease yet.
    const laying = world.once('create2', 'pass', zk);
    let lay!: () => void;
    const off = world.server.intercept(({ wireType, path }) => {
      if (wireType !== 'create2' || path?.includes('/s/leases/') !== true) return 'pass';
      off();
      return new Promise((resolve) => {
        lay = () => resolve('pass');
      });
    });
    const taking = new Semaphore(zk, '/s', { leases: 2 }).acquire();
    await laying;
    await until(() => lay !== undefined, 'it is about to lay down its lease');
    const trying = new Semaphore(other, '/s', { leases: count }).tryAcquire();
    await laidDown(world, 1, 2);
    lay();
    expect((await taking).isHeld).toBe(true);
    expect(await trying).toBeNull();
    await laidDown(world, 2, 0);
    expect(count.listenerCount('change')).toBe(0);
  });

  it('does not count a lease of its own client that is on its way out', async () => {
    await using world = await World.start();
    const semaphore = new Semaphore(await world.client(), '/s', { leases: 1 });
    const held = await semaphore.acquire();
    const broken = world.once('delete', 'disconnect-before');
    expect(await held.release()).toBe('released');
    await broken;
    expect((await semaphore.tryAcquire())?.isHeld).toBe(true);
    await laidDown(world, 1, 0);
  });
});

describe('holders', () => {
  it('are those who hold, not those who wait', async () => {
    await using world = await World.start();
    const clients = (await world.clients(3)) as [ZooKeeper, ZooKeeper, ZooKeeper];
    const semaphores = clients.map((zk, i) => new Semaphore(zk, '/s', { leases: 2, data: `worker ${i}` }));
    expect(await (semaphores[0] as Semaphore).holders()).toEqual([]);
    const before = Date.now();
    const holds = [await (semaphores[0] as Semaphore).acquire(), await (semaphores[1] as Semaphore).acquire()];
    const next = (semaphores[2] as Semaphore).acquire();
    await waiting(world);
    const holders = await (semaphores[2] as Semaphore).holders();
    expect(holders).toMatchObject([
      { path: holds[0]?.path, sessionId: clients[0].session?.id, holds: true },
      { path: holds[1]?.path, sessionId: clients[1].session?.id, holds: true },
    ]);
    expect(holders.map(({ data }) => data?.toString())).toEqual(['worker 0', 'worker 1']);
    for (const { since } of holders) expect(since).toBeGreaterThanOrEqual(Math.floor(before) - 1);
    await holds[0]?.release();
    const held = await next;
    expect((await (semaphores[0] as Semaphore).holders()).map(({ path }) => path)).toEqual([holds[1]?.path, held.path]);
  });

  it('are told from those of the same client that wait', async () => {
    await using world = await World.start();
    const semaphore = new Semaphore(await world.client(), '/s', { leases: 2 });
    const waits = Array.from({ length: 4 }, () => semaphore.acquire());
    const holds = await Promise.all(waits.slice(0, 2));
    await laidDown(world, 3, 2);
    await waiting(world);
    expect((await semaphore.holders()).map(({ path }) => path)).toEqual(holds.map(({ path }) => path));
    for (const held of holds) await held.release();
    for (const held of await Promise.all(waits.slice(2))) await held.release();
  });
});

describe('queue and revoke', () => {
  it('tell who has leases and who waits, and ask those who have some', async () => {
    await using world = await World.start();
    const [a, b, c] = (await semaphoresOf(world, 3, 2)) as [Semaphore, Semaphore, Semaphore];
    expect(await a.revoke()).toBe(false);
    const holds = [await a.acquire(), await b.acquire()];
    const next = c.acquire();
    await waiting(world);
    const last = a.acquire();
    await laidDown(world, 3, 2);
    const queue = await c.queue();
    expect(queue.slice(0, 2).map(({ path }) => path)).toEqual(holds.map(({ path }) => path));
    expect(queue.slice(2).map(({ path }) => path)).toEqual(world.names('/s/locks').map((name) => `/s/locks/${name}`));
    expect(queue.map(({ holds: has }) => has)).toEqual([true, true, false, false]);
    const asked: number[] = [];
    for (const [i, held] of holds.entries()) held.on('revoke', () => asked.push(i));
    expect(await c.revoke()).toBe(true);
    await until(() => asked.length === 2, 'both are asked');
    for (const held of holds) await held.release();
    for (const held of await Promise.all([next, last])) await held.release();
  });
});

describe('the events of a semaphore', () => {
  it('tell who stands in line, who waits for a lease, and what becomes of it', async () => {
    await using world = await World.start();
    const [a, b, c] = (await semaphoresOf(world, 3, 1)) as [Semaphore, Semaphore, Semaphore];
    const told: string[] = [];
    c.on('queued', ({ position }) => told.push(`queued ${position}`));
    c.on('moved', ({ position }) => told.push(`moved ${position}`));
    c.on('granted', ({ recipe, path, node, fencingToken }) =>
      told.push(`granted ${recipe} ${path} ${node} ${fencingToken}`),
    );
    c.on('released', ({ node }) => told.push(`released ${node}`));
    const held = await a.acquire();
    const second = b.acquire();
    await waiting(world);
    const third = c.acquire();
    await until(() => told.length === 1, 'it is in line');
    await held.release();
    const next = await second;
    await until(() => told.length === 2, 'it has moved up');
    await next.release();
    const last = await third;
    await last.release();
    expect(told).toEqual([
      'queued 1',
      'moved 0',
      `granted semaphore /s ${last.path} ${last.fencingToken}`,
      `released ${last.path}`,
    ]);
  });
});
