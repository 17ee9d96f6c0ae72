import { describe, expect, it } from '@jest/globals';
import { BadArgumentsError, PathError, TimeoutError, type ZooKeeper } from '@zookit/client';
import { outcome, sleep, until, World } from '@zookit/test-world';
import { type Held, type Lock, ReadWriteLock } from '../src/index.ts';

const own = (held: Held): string => held.path.slice(held.path.lastIndexOf('/') + 1);

/** Waits until that many watches are on a znode. */
function watched(world: World, held: { path: string }, count: number): Promise<void> {
  return until(() => world.server.watches(held.path).length === count, `${count} wait for ${held.path}`);
}

/** The locks of several clients on one path. */
async function locksOf(world: World, count: number): Promise<ReadWriteLock[]> {
  return (await world.clients(count)).map((zk) => new ReadWriteLock(zk, '/locks/a'));
}

/** Asks for a lock, and resolves with the wait once it stands in line. */
async function queued(world: World, lock: Lock): Promise<{ granted: Promise<Held>; path: string }> {
  const before = new Set(world.names('/locks/a'));
  const granted = lock.acquire();
  granted.catch(() => {});
  const newcomer = (): string | undefined => world.names('/locks/a').find((name) => !before.has(name));
  await until(() => newcomer() !== undefined, 'it stands in line');
  return { granted, path: `/locks/a/${newcomer()}` };
}

describe('the znodes of a read/write lock', () => {
  it.each([
    ['read', '__READ__'],
    ['write', '__WRIT__'],
  ] as const)('are those of Curator: %s', async (kind, token) => {
    await using world = await World.start();
    const zk = await world.client();
    const held = await new ReadWriteLock(zk, '/locks/a')[kind].acquire();
    const pattern = `^_c_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-${token}0000000000$`;
    expect(world.names('/locks/a')).toEqual([expect.stringMatching(new RegExp(pattern))]);
    expect(held.path).toBe(`/locks/a/${world.names('/locks/a')[0]}`);
    expect(world.server.node('/locks/a')?.kind).toBe('container');
    const node = world.server.node(held.path);
    expect(node?.data?.toString()).toBe('127.0.0.1');
    expect(node?.stat.ephemeralOwner).toBe(zk.session?.id);
    expect(held.fencingToken).toBe(node?.stat.czxid);
    expect(await held.release()).toBe('released');
    expect(world.names('/locks/a')).toEqual([]);
  });

  it('take data and an ACL', async () => {
    await using world = await World.start();
    const acl = [{ perms: 31, scheme: 'ip', id: '127.0.0.1' }];
    const lock = new ReadWriteLock(await world.client(), '/locks/a', { data: 'worker 7', acl });
    const write = await lock.write.acquire();
    const read = await lock.read.acquire();
    for (const { path } of [read, write]) {
      expect(world.server.node(path)?.data?.toString()).toBe('worker 7');
      expect(world.server.node(path)?.acl).toEqual([{ perms: 31, id: { scheme: 'ip', id: '127.0.0.1' } }]);
    }
  });

  it.each(['read', 'write'] as const)('cost three packets when the lock is free: %s', async (kind) => {
    await using world = await World.start({ containerCheckInterval: 600_000 });
    const lock = new ReadWriteLock(await world.client(), '/locks/a')[kind];
    await (await lock.acquire()).release();
    const requests = world.requests();
    await (await lock.acquire()).release();
    expect(requests).toEqual(['create2', 'getChildren2', 'delete']);
  });
});

describe('readers and writers', () => {
  it('share, or exclude: any number of readers, or one writer', async () => {
    await using world = await World.start();
    const locks = await locksOf(world, 5);
    let readers = 0;
    let writers = 0;
    let mostReaders = 0;
    const work = async (held: Held, kind: 'read' | 'write'): Promise<void> => {
      if (kind === 'read') readers += 1;
      else writers += 1;
      mostReaders = Math.max(mostReaders, readers);
      expect(writers === 0 || (writers === 1 && readers === 0)).toBe(true);
      await sleep(1);
      expect(held.isHeld).toBe(true);
      expect(writers === 0 || (writers === 1 && readers === 0)).toBe(true);
      if (kind === 'read') readers -= 1;
      else writers -= 1;
    };
    await Promise.all(
      Array.from({ length: 60 }, (_, i) => {
        const kind = i % 4 === 0 ? 'write' : 'read';
        return (locks[i % 5] as ReadWriteLock)[kind].run((held) => work(held, kind));
      }),
    );
    expect(mostReaders).toBeGreaterThan(1);
    expect(world.names('/locks/a')).toEqual([]);
    expect(world.server.watches()).toEqual([]);
  });

  it('are granted in turn: a reader waits for the writers before it, so that none starves', async () => {
    await using world = await World.start();
    const [a, b, c, d] = (await locksOf(world, 4)) as [ReadWriteLock, ReadWriteLock, ReadWriteLock, ReadWriteLock];
    const first = await a.read.acquire();
    const writer = await queued(world, b.write);
    await watched(world, first, 1);
    expect(await c.read.tryAcquire()).toBeNull();
    const second = await queued(world, c.read);
    const third = await queued(world, d.read);
    await watched(world, writer, 2);
    await first.release();
    const held = await writer.granted;
    expect(await outcome(a.read.acquire({ timeout: 20 }))).toBeInstanceOf(TimeoutError);
    await held.release();
    const both = await Promise.all([second.granted, third.granted]);
    expect(both.map(({ isHeld }) => isHeld)).toEqual([true, true]);
    expect(held.fencingToken).toBeGreaterThan(first.fencingToken);
    for (const read of both) {
      expect(read.fencingToken).toBeGreaterThan(held.fencingToken);
      await read.release();
    }
  });

  it('wait for every reader before them: a writer needs the first place', async () => {
    await using world = await World.start();
    const locks = await locksOf(world, 3);
    const readers = [
      await (locks[0] as ReadWriteLock).read.acquire(),
      await (locks[1] as ReadWriteLock).read.acquire(),
    ];
    const writer = await queued(world, (locks[2] as ReadWriteLock).write);
    await watched(world, readers[1] as Held, 1);
    expect(await (locks[2] as ReadWriteLock).write.tryAcquire()).toBeNull();
    let granted = false;
    const held = writer.granted.then((write) => {
      granted = true;
      return write;
    });
    await readers[1]?.release();
    await watched(world, readers[0] as Held, 1);
    expect(granted).toBe(false);
    await readers[0]?.release();
    expect((await held).isHeld).toBe(true);
  });

  it('watch the nearest writer before them, and are not woken by the others', async () => {
    await using world = await World.start();
    const locks = await locksOf(world, 4);
    const first = await (locks[0] as ReadWriteLock).write.acquire();
    const second = await queued(world, (locks[1] as ReadWriteLock).write);
    const readers = [
      await queued(world, (locks[2] as ReadWriteLock).read),
      await queued(world, (locks[3] as ReadWriteLock).read),
    ];
    await watched(world, second, 2);
    await watched(world, first, 1);
    const requests = world.requests();
    await first.release();
    const held = await second.granted;
    await watched(world, second, 2);
    // The release, and the look of the one writer.
    expect(requests).toEqual(['delete', 'getChildren2']);
    await held.release();
    for (const { granted } of readers) await (await granted).release();
  });

  it('go on when the writer they wait for gives up', async () => {
    await using world = await World.start();
    const locks = await locksOf(world, 3);
    const reading = await (locks[0] as ReadWriteLock).read.acquire();
    const controller = new AbortController();
    const leaving = outcome((locks[1] as ReadWriteLock).write.acquire({ signal: controller.signal }));
    await watched(world, reading, 1);
    const reader = await queued(world, (locks[2] as ReadWriteLock).read);
    controller.abort('enough');
    expect(await leaving).toBe('enough');
    expect((await reader.granted).isHeld).toBe(true);
    expect(reading.isHeld).toBe(true);
  });
});

describe('a writer that becomes a reader (downgrade)', () => {
  it('has the read lock at once, in a plain znode with the number of the write lock', async () => {
    await using world = await World.start();
    const lock = (await locksOf(world, 1))[0] as ReadWriteLock;
    await (await lock.write.acquire()).release();
    const write = await lock.write.acquire();
    const read = await lock.read.acquire({ timeout: 5_000 });
    expect(own(write)).toMatch(/__WRIT__0000000001$/);
    expect(own(read)).toMatch(/^_c_[0-9a-f-]{36}-__READ__0000000001$/);
    expect(read.isHeld).toBe(true);
    expect(write.isHeld).toBe(true);
    // Whoever writes later has a larger token, also one who came before the read lock did.
    expect(read.fencingToken).toBe(write.fencingToken);
    expect(world.server.node(read.path)?.stat.czxid).toBeGreaterThan(write.fencingToken);
    expect(await lock.read.queue()).toMatchObject([{ path: read.path, holds: true }]);
    expect(await lock.write.queue()).toMatchObject([{ path: write.path, holds: true }]);
    await read.release();
    await write.release();
    expect(world.names('/locks/a')).toEqual([]);
  });

  it('keeps every writer out until it has read, also one who came in between', async () => {
    await using world = await World.start();
    const [a, b] = (await locksOf(world, 2)) as [ReadWriteLock, ReadWriteLock];
    const write = await a.write.acquire();
    const waiting = await queued(world, b.write);
    await watched(world, write, 1);
    const read = await a.read.acquire({ timeout: 5_000 });
    let granted = false;
    const next = waiting.granted.then((held) => {
      granted = true;
      return held;
    });
    await write.release();
    await watched(world, read, 1);
    expect(granted).toBe(false);
    expect(await b.write.tryAcquire()).toBeNull();
    expect(read.isHeld).toBe(true);
    await read.release();
    const held = await next;
    expect(held.isHeld).toBe(true);
    expect(held.fencingToken).toBeGreaterThan(read.fencingToken);
  });

  it('lets readers in once it has let go of the write lock', async () => {
    await using world = await World.start();
    const [a, b] = (await locksOf(world, 2)) as [ReadWriteLock, ReadWriteLock];
    const write = await a.write.acquire();
    const read = await a.read.acquire();
    expect(await b.read.tryAcquire()).toBeNull();
    await write.release();
    const other = await b.read.tryAcquire();
    expect(other?.isHeld).toBe(true);
    expect(read.isHeld).toBe(true);
  });

  it('within a run, whose write lock ends before the read lock does', async () => {
    await using world = await World.start();
    const [a, b] = (await locksOf(world, 2)) as [ReadWriteLock, ReadWriteLock];
    const read = await a.write.run(() => a.read.acquire({ timeout: 5_000 }));
    expect(read.isHeld).toBe(true);
    expect(await b.write.tryAcquire()).toBeNull();
    await read.release();
    await a.write.run(() =>
      a.read.run(
        async (held) => {
          expect(held.isHeld).toBe(true);
          expect(await a.read.tryAcquire()).not.toBeNull();
        },
        { timeout: 5_000 },
      ),
    );
  });

  it('stands in line as any other when the write lock is over before its znode is there', async () => {
    await using world = await World.start();
    const [a, b] = (await locksOf(world, 2)) as [ReadWriteLock, ReadWriteLock];
    const write = await a.write.acquire();
    const waiting = await queued(world, b.write);
    await watched(world, write, 1);
    // The reply tells only after the release has been done that there is a read znode.
    const created = world.once('create2', { delay: 30 });
    const reading = a.read.acquire();
    await created;
    await write.release();
    const held = await waiting.granted;
    let granted = false;
    const next = reading.then((read) => {
      granted = true;
      return read;
    });
    await watched(world, held, 1);
    expect(world.names('/locks/a')).toHaveLength(2);
    expect(granted).toBe(false);
    await held.release();
    expect((await next).fencingToken).toBeGreaterThan(held.fencingToken);
  });

  it('counts for nothing when somebody has deleted the znode of the write lock', async () => {
    await using world = await World.start();
    const [a, b] = (await locksOf(world, 2)) as [ReadWriteLock, ReadWriteLock];
    const [zk] = await world.clients(1);
    const write = await a.write.acquire();
    const waiting = await queued(world, b.write);
    await zk?.delete(write.path);
    const held = await waiting.granted;
    expect(await outcome(a.read.acquire({ timeout: 50 }))).toBeInstanceOf(TimeoutError);
    expect(held.isHeld).toBe(true);
    await until(() => world.names('/locks/a').length === 1, 'only the holder is left');
  });

  it.each(['disconnect-before', 'disconnect-after'] as const)('survives a lost connection: %s', async (verdict) => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 10_000 });
    const lock = new ReadWriteLock(zk, '/locks/a');
    const write = await lock.write.acquire();
    const broken = world.once('create2', verdict);
    const read = await lock.read.acquire();
    await broken;
    expect(new Set(world.names('/locks/a'))).toEqual(new Set([own(write), own(read)]));
    expect(own(read).slice(-10)).toBe(own(write).slice(-10));
    expect(await write.release()).toBe('released');
    expect(await read.release()).toBe('released');
    expect(world.names('/locks/a')).toEqual([]);
  });

  it('takes the number before the last one where the server gives the last again and again', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const [a, b] = [new ReadWriteLock(zk, '/locks/a'), new ReadWriteLock(other, '/locks/a')];
    await zk.create('/locks/a', null, { parents: true });
    world.server.setCreateCount('/locks/a', 2_147_483_647);
    const write = await a.write.acquire();
    const waiting = await queued(world, b.write);
    await watched(world, write, 1);
    const read = await a.read.acquire({ timeout: 5_000 });
    expect([write, waiting, read].map(({ path }) => path.slice(-10))).toEqual([
      '2147483647',
      '2147483647',
      '2147483646',
    ]);
    await write.release();
    await watched(world, read, 1);
    expect(await b.write.tryAcquire()).toBeNull();
    await read.release();
    expect((await waiting.granted).isHeld).toBe(true);
  });
});

describe('a reader', () => {
  it.each(['acquire', 'tryAcquire', 'run'] as const)(
    'that asks for the write lock by the same object is refused: %s',
    async (method) => {
      await using world = await World.start();
      const lock = (await locksOf(world, 1))[0] as ReadWriteLock;
      const read = await lock.read.acquire();
      const ask = (): Promise<unknown> => (method === 'run' ? lock.write.run(() => 1) : lock.write[method]());
      const error = await outcome(ask());
      expect(error).toBeInstanceOf(BadArgumentsError);
      expect(error).toMatchObject({ code: 'BAD_ARGUMENTS', path: '/locks/a', operation: method });
      expect((error as Error).message).toContain(read.path);
      expect((error as Error).message).toContain('release that first');
      expect(await outcome(lock.read.run(ask))).toBeInstanceOf(BadArgumentsError);
      expect(world.names('/locks/a')).toEqual([own(read)]);
      await read.release();
      expect(await outcome(ask())).not.toBeInstanceOf(Error);
    },
  );

  it('is refused after a downgrade, too', async () => {
    await using world = await World.start();
    const lock = (await locksOf(world, 1))[0] as ReadWriteLock;
    const write = await lock.write.acquire();
    const read = await lock.read.acquire();
    await write.release();
    expect(await outcome(lock.write.acquire())).toBeInstanceOf(BadArgumentsError);
    await read.release();
    expect((await lock.write.acquire()).isHeld).toBe(true);
  });

  it('may read once more by the same object, though a writer waits', async () => {
    await using world = await World.start();
    const [a, b] = (await locksOf(world, 2)) as [ReadWriteLock, ReadWriteLock];
    const outer = await a.read.acquire();
    const waiting = await queued(world, b.write);
    const inner = await a.read.acquire({ timeout: 5_000 });
    expect(own(inner).slice(-18)).toBe(own(outer).slice(-18));
    await outer.release();
    await watched(world, inner, 1);
    expect(inner.isHeld).toBe(true);
    await inner.release();
    expect((await waiting.granted).isHeld).toBe(true);
  });

  it('that fails to get the lock is no reader', async () => {
    await using world = await World.start();
    const [a, b] = (await locksOf(world, 2)) as [ReadWriteLock, ReadWriteLock];
    const write = await b.write.acquire();
    expect(await a.read.tryAcquire()).toBeNull();
    expect(await outcome(a.read.acquire({ timeout: 20 }))).toBeInstanceOf(TimeoutError);
    await write.release();
    expect((await a.write.acquire({ timeout: 5_000 })).isHeld).toBe(true);
  });
});

describe('tasks of one process', () => {
  it('exclude each other by one object, each a party of its own', async () => {
    await using world = await World.start();
    const lock = (await locksOf(world, 1))[0] as ReadWriteLock;
    let readers = 0;
    let writers = 0;
    let mostReaders = 0;
    const tasks = Array.from({ length: 24 }, async (_, i) => {
      for (let round = 0; round < 3; round += 1) {
        const kind = (i + round) % 3 === 0 ? 'write' : 'read';
        const held = await lock[kind].acquire();
        expect(writers).toBe(0);
        if (kind === 'write') {
          expect(readers).toBe(0);
          writers += 1;
        } else readers += 1;
        mostReaders = Math.max(mostReaders, readers);
        await sleep(0);
        if (kind === 'write') writers -= 1;
        else readers -= 1;
        await held.release();
      }
    });
    await Promise.all(tasks);
    expect(mostReaders).toBeGreaterThan(1);
    expect(world.names('/locks/a')).toEqual([]);
  });

  it('wait for the writer of another task, and may ask for what another task reads', async () => {
    await using world = await World.start();
    const lock = (await locksOf(world, 1))[0] as ReadWriteLock;
    const events: string[] = [];
    let endWriting!: () => void;
    const writing = lock.write.run(async () => {
      events.push('writes');
      await new Promise<void>((resolve) => {
        endWriting = resolve;
      });
      events.push('has written');
    });
    await until(() => events.length === 1, 'it writes');
    expect(await outcome(lock.read.run(() => 1, { timeout: 20 }))).toBeInstanceOf(TimeoutError);
    let endReading!: () => void;
    const reading = lock.read.run(async () => {
      events.push('reads');
      await new Promise<void>((resolve) => {
        endReading = resolve;
      });
    });
    endWriting();
    await writing;
    await until(() => events.length === 3, 'it reads');
    const again = lock.write.run(() => events.push('writes again'));
    await until(() => world.server.watches().length === 1, 'the writer waits');
    endReading();
    await reading;
    await again;
    expect(events).toEqual(['writes', 'has written', 'reads', 'writes again']);
  });

  it('of two objects are two parties', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const [one, two] = [new ReadWriteLock(zk, '/locks/a'), new ReadWriteLock(zk, '/locks/a')];
    const write = await one.write.acquire();
    expect(await two.read.tryAcquire()).toBeNull();
    await write.release();
    const read = await one.read.acquire();
    expect(await two.write.tryAcquire()).toBeNull();
    expect(await two.read.tryAcquire()).not.toBeNull();
    await read.release();
  });
});

describe('what is no lock', () => {
  it('is refused when it is made', async () => {
    await using world = await World.start();
    const zk = await world.client();
    expect(() => new ReadWriteLock(zk, 'locks')).toThrow(PathError);
    expect(() => new ReadWriteLock(zk, '/a', { policy: 'never' as never })).toThrow(BadArgumentsError);
  });
});
