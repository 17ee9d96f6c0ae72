import { describe, expect, it } from '@jest/globals';
import { ClosedError, type LeaseLostError, NoAuthError, TimeoutError, type ZooKeeper } from '@zookit/client';
import { outcome, sleep, until, World } from '@zookit/test-world';
import { type Held, ReadWriteLock } from '../src/index.ts';

const own = (held: Held): string => held.path.slice(held.path.lastIndexOf('/') + 1);

/** What is held, and what waits for it. */
const pairs = [
  ['write', 'read'],
  ['read', 'write'],
  ['write', 'write'],
] as const;

function settled(world: World, nodes: number): Promise<void> {
  const quiet = (): boolean => world.names('/locks/a').length === nodes && world.server.watches().length === 0;
  return until(quiet, `${nodes} znodes and no watch`);
}

async function two(world: World): Promise<[ReadWriteLock, ReadWriteLock, ZooKeeper, ZooKeeper]> {
  const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
  return [new ReadWriteLock(first, '/locks/a'), new ReadWriteLock(second, '/locks/a'), first, second];
}

describe('a connection that breaks during acquire or release', () => {
  for (const [held, wanted] of pairs) {
    for (const verdict of ['disconnect-before', 'disconnect-after'] as const) {
      it.each(['create2', 'getChildren2', 'getData', 'delete'])(
        `at %s, ${verdict}: one znode, then none (${wanted} behind ${held})`,
        async (type) => {
          await using world = await World.start();
          const [a, b, , second] = await two(world);
          const holding = await a[held].acquire();
          const broken = world.once(type, verdict, second);
          const acquiring = b[wanted].acquire();
          if (type !== 'delete') await broken;
          await until(() => world.server.watches(holding.path).length === 1, 'the second waits');
          await until(() => world.names('/locks/a').length === 2, 'no znode but the two');
          await holding.release();
          const next = await acquiring;
          expect(world.names('/locks/a')).toEqual([own(next)]);
          expect(world.server.node(next.path)?.stat.ephemeralOwner).toBe(second.session?.id);
          expect(await next.release()).toBe('released');
          await broken;
          await settled(world, 0);
        },
      );
    }
  }

  it('does not leave it behind its own old znode', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const lock = new ReadWriteLock(zk, '/locks/a');
    for (const [held, wanted] of pairs) {
      const holding = await lock[held].acquire();
      const broken = world.once('delete', 'disconnect-before');
      expect(await holding.release()).toBe('released');
      await broken;
      const again = await lock[wanted].tryAcquire();
      expect(again?.isHeld).toBe(true);
      await again?.release();
    }
    await settled(world, 0);
  });
});

describe('a wait that is given up', () => {
  for (const [held, wanted] of [...pairs, [null, 'read'], [null, 'write']] as const) {
    it(`at any moment leaves no znode and no watch (${wanted}, ${held === null ? 'free' : `behind ${held}`})`, async () => {
      await using world = await World.start();
      const holder = await world.client();
      const holding = held === null ? null : await new ReadWriteLock(holder, '/locks/a')[held].acquire();
      // Each request takes a while, so that the moments fall into all the phases of an acquire.
      world.server.intercept(({ sessionId }) => (sessionId === holder.session?.id ? 'pass' : { delay: 12 }));
      const lock = new ReadWriteLock(await world.client(), '/locks/a')[wanted];
      const seen = new Set<string>();
      for (let ms = 0; ms <= 120; ms += 8) {
        const controller = new AbortController();
        const acquiring = lock.acquire({ signal: controller.signal }).then(
          (granted) => granted.release(),
          (error: unknown) => error,
        );
        await sleep(ms);
        controller.abort('moment');
        seen.add(String(await acquiring));
        await settled(world, holding === null ? 0 : 1);
      }
      expect(seen).toEqual(holding === null ? new Set(['moment', 'released']) : new Set(['moment']));
    }, 20_000);
  }

  it('at any moment of a downgrade leaves the write lock as it was', async () => {
    await using world = await World.start();
    const lock = new ReadWriteLock(await world.client(), '/locks/a');
    const write = await lock.write.acquire();
    world.server.intercept(() => ({ delay: 12 }));
    const seen = new Set<string>();
    for (let ms = 0; ms <= 60; ms += 4) {
      const controller = new AbortController();
      const acquiring = lock.read.acquire({ signal: controller.signal }).then(
        (granted) => granted.release(),
        (error: unknown) => error,
      );
      await sleep(ms);
      controller.abort('moment');
      seen.add(String(await acquiring));
      await settled(world, 1);
    }
    expect(seen).toEqual(new Set(['moment', 'released']));
    expect(write.isHeld).toBe(true);
    expect(world.names('/locks/a')).toEqual([own(write)]);
  });

  it('has one deadline, and ends with the client', async () => {
    await using world = await World.start();
    const [a, b, , second] = await two(world);
    await a.write.acquire();
    for (const kind of ['read', 'write'] as const) {
      const error = await outcome(b[kind].acquire({ timeout: 40 }));
      expect(error).toBeInstanceOf(TimeoutError);
      expect(error).toMatchObject({ code: 'TIMEOUT', path: '/locks/a', operation: 'acquire' });
    }
    await settled(world, 1);
    const waits = (['read', 'write'] as const).map((kind) => outcome(b[kind].acquire()));
    await until(() => world.names('/locks/a').length === 3, 'both wait');
    await second.close();
    for (const error of await Promise.all(waits)) expect(error).toBeInstanceOf(ClosedError);
    await settled(world, 1);
  });
});

describe('a session that is lost', () => {
  it.each(pairs)('(%s) tells its holder before the next one is granted (%s)', async (held, wanted) => {
    await using world = await World.start();
    const [a, b, first] = await two(world);
    const holding = await a[held].acquire();
    const order: string[] = [];
    holding.signal.addEventListener('abort', () => order.push((holding.signal.reason as LeaseLostError).code));
    holding.on('lost', () => order.push('lost'));
    const next = b[wanted].acquire();
    await until(() => world.server.watches(holding.path).length === 1, 'the second waits');
    world.expire(first);
    expect((await next).isHeld).toBe(true);
    await until(() => order.length === 2, 'it is told');
    expect(order).toEqual(['LEASE_LOST', 'lost']);
    expect(await holding.release()).toBe('lost');
  });

  it.each(pairs)('(%s) makes a waiter (%s) queue again in the next one', async (held, wanted) => {
    await using world = await World.start();
    const [a, b, , second] = await two(world);
    const holding = await a[held].acquire();
    const acquiring = b[wanted].acquire();
    await until(() => world.server.watches(holding.path).length === 1, 'it waits');
    const id = second.session?.id;
    world.expire(second);
    await until(() => {
      const [watch] = world.server.watches(holding.path);
      return watch !== undefined && watch.sessionId !== id;
    }, 'it waits again');
    await holding.release();
    const next = await acquiring;
    expect(world.server.node(next.path)?.stat.ephemeralOwner).toBe(second.session?.id);
    expect(world.names('/locks/a')).toEqual([own(next)]);
  });

  it('while the list is on its way is no error: it queues afresh', async () => {
    await using world = await World.start();
    const [a, b, , second] = await two(world);
    await (await a.read.acquire()).release();
    for (const kind of ['read', 'write'] as const) {
      const id = second.session?.id;
      const listing = world.once('getChildren2', { delay: 30 }, second);
      const acquiring = b[kind].acquire();
      await listing;
      world.server.expireSession(id ?? 0n);
      const held = await acquiring;
      expect(second.session?.id).not.toBe(id);
      expect(world.names('/locks/a')).toEqual([own(held)]);
      await held.release();
    }
  });

  it('takes the write lock and the read lock of a downgrade, and the next read lock waits its turn', async () => {
    await using world = await World.start();
    const [a, b, first] = await two(world);
    const write = await a.write.acquire();
    const read = await a.read.acquire();
    const next = b.write.acquire();
    await until(() => world.names('/locks/a').length === 3, 'a writer waits');
    const created = world.once('create2', 'drop-reply', first);
    const again = a.read.acquire();
    await created;
    world.expire(first);
    const held = await next;
    await until(() => write.signal.aborted && read.signal.aborted, 'it is told');
    await until(() => world.server.watches(held.path).length === 1, 'the reader waits');
    expect(world.names('/locks/a')).toHaveLength(2);
    await held.release();
    expect((await again).fencingToken).toBeGreaterThan(held.fencingToken);
  });

  it('by policy "suspended" is lost with its connection', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 10_000 });
    const lock = new ReadWriteLock(zk, '/locks/a', { policy: 'suspended' });
    const write = await lock.write.acquire();
    const read = await lock.read.acquire();
    world.server.dropConnections();
    await until(() => write.signal.aborted && read.signal.aborted, 'both are lost');
    await settled(world, 0);
  });
});

describe('znodes that go', () => {
  it('be it the containers, which the server has removed: they are made again', async () => {
    await using world = await World.start();
    const [zk, reaper] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const lock = new ReadWriteLock(zk, '/locks/a');
    let reaped = 0;
    world.server.intercept(({ wireType, path, sessionId }) => {
      const isOurs = wireType === 'create2' && sessionId === zk.session?.id && /__(READ|WRIT)__/.test(path ?? '');
      if (!isOurs || reaped === 4 || world.server.node('/locks/a') === null) return 'pass';
      if (world.names('/locks/a').length > 0) return 'pass';
      reaped += 1;
      return Promise.all([reaper.delete('/locks/a'), reaper.delete('/locks')]).then(() => 'pass' as const);
    });
    for (const kind of ['read', 'write'] as const) {
      const held = await lock[kind].acquire();
      expect(world.names('/locks/a')).toEqual([own(held)]);
      await held.release();
    }
    expect(reaped).toBeGreaterThan(1);
  });

  it.each(pairs)('be it that of a waiter: it queues again (%s, %s)', async (held, wanted) => {
    await using world = await World.start();
    const [a, b, first] = await two(world);
    const holding = await a[held].acquire();
    const acquiring = b[wanted].acquire();
    await until(() => world.names('/locks/a').length === 2, 'it waits');
    const mine = world.names('/locks/a').find((name) => name !== own(holding));
    await first.delete(`/locks/a/${mine}`);
    await holding.release();
    const next = await acquiring;
    expect(own(next)).not.toBe(mine);
    expect(world.names('/locks/a')).toEqual([own(next)]);
  });
});

describe('beside znodes of others', () => {
  const CURATOR = '_c_00000000-0000-4000-8000-00000000000';

  it('goes by their numbers, as Curator 5.4 lays down the read lock of a writer: with one of its own', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const other = await world.client();
    await zk.create('/locks/a', null, { parents: true });
    for (const name of ['__WRIT__', '__READ__']) {
      await other.create(`/locks/a/${CURATOR}1-${name}`, null, { mode: 'ephemeral-sequential' });
    }
    const [writer, reader] = world.names('/locks/a') as [string, string];
    const lock = new ReadWriteLock(zk, '/locks/a');
    const waiting = lock.write.acquire();
    await until(() => world.server.watches(`/locks/a/${reader}`).length === 1, 'it waits for the reader');
    await other.delete(`/locks/a/${writer}`);
    await zk.sync();
    expect(world.server.watches(`/locks/a/${reader}`)).toHaveLength(1);
    await other.delete(`/locks/a/${reader}`);
    expect((await waiting).isHeld).toBe(true);
  });

  it('waits for the read lock of a writer that has its number, as Curator 5.5 lays it down', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const other = await world.client();
    await zk.create('/locks/a', null, { parents: true });
    const { path: writer } = await other.create(`/locks/a/${CURATOR}1-__WRIT__`, null, {
      mode: 'ephemeral-sequential',
    });
    const lock = new ReadWriteLock(zk, '/locks/a');
    const waiting = lock.write.acquire();
    await until(() => world.server.watches(writer).length === 1, 'it waits for the writer');
    const reader = `/locks/a/${CURATOR}2-__READ__${writer.slice(-10)}`;
    await other.create(reader, null, { mode: 'ephemeral' });
    expect(await lock.write.queue()).toMatchObject([{ path: writer, holds: true }, { holds: false }]);
    expect(await lock.read.queue()).toMatchObject([{ path: reader, holds: true }]);
    await other.delete(writer);
    await until(() => world.server.watches(reader).length === 1, 'it waits for the reader');
    await other.delete(reader);
    expect((await waiting).isHeld).toBe(true);
  });

  for (const profile of ['3.5', '3.9'] as const) {
    it(`keeps the order where the numbers end, on ${profile}`, async () => {
      await using world = await World.start({ profile });
      const clients = await world.clients(5);
      await clients[0]?.create('/locks/a', null, { parents: true });
      world.server.setCreateCount('/locks/a', 2_147_483_645);
      const kinds = ['write', 'read', 'write', 'read', 'read'] as const;
      const granted: number[] = [];
      const waits: Promise<Held>[] = [];
      for (const [i, kind] of kinds.entries()) {
        const lock = new ReadWriteLock(clients[i] as ZooKeeper, '/locks/a')[kind];
        waits.push(
          lock.acquire().then((held) => {
            granted.push(i);
            return held;
          }),
        );
        await until(() => world.names('/locks/a').length === i + 1, 'it stands in line');
        const watches = i === 0 ? 0 : i;
        await until(() => world.server.watches().length === watches, 'it waits');
      }
      const numbers = world.names('/locks/a').map((name) => /__(-?\d+)$/.exec(name)?.[1]);
      expect(new Set(numbers)).toEqual(
        profile === '3.5'
          ? new Set(['2147483645', '2147483646', '2147483647', '-2147483648', '-2147483647'])
          : new Set(['2147483645', '2147483646', '2147483647']),
      );
      for (const [i, wait] of waits.entries()) {
        const held = await wait;
        // The last two read together.
        if (i < 3) expect(granted).toEqual([0, 1, 2].slice(0, i + 1));
        await held.release();
      }
      expect(granted.toSorted()).toEqual([0, 1, 2, 3, 4]);
    });
  }
});

describe('queue and revoke', () => {
  it('are about readers, or about writers', async () => {
    await using world = await World.start();
    const clients = await world.clients(4);
    const locks = clients.map((zk, i) => new ReadWriteLock(zk, '/locks/a', { data: `worker ${i}` }));
    const [a, b, c, d] = locks as [ReadWriteLock, ReadWriteLock, ReadWriteLock, ReadWriteLock];
    expect(await a.read.revoke()).toBe(false);
    const readers = [await a.read.acquire(), await b.read.acquire()];
    const waits = [c.write.acquire()];
    await until(() => world.names('/locks/a').length === 3, 'a writer waits');
    waits.push(d.read.acquire());
    await until(() => world.names('/locks/a').length === 4, 'a reader waits');
    const texts = (entries: readonly { data: Buffer | null; holds: boolean }[]): string[] =>
      entries.map(({ data, holds }) => `${data?.toString()} ${holds ? 'holds' : 'waits'}`);
    expect(texts(await a.read.queue())).toEqual(['worker 0 holds', 'worker 1 holds', 'worker 3 waits']);
    expect(texts(await d.write.queue())).toEqual(['worker 2 waits']);
    const asked: number[] = [];
    for (const [i, held] of readers.entries()) held.on('revoke', () => asked.push(i));
    expect(await c.write.revoke()).toBe(false);
    expect(await c.read.revoke()).toBe(true);
    await until(() => asked.length === 2, 'both are asked');
    expect(readers.map(({ isHeld }) => isHeld)).toEqual([true, true]);
    expect(world.server.node(`/locks/a/${world.names('/locks/a')[3]}`)?.data?.toString()).toBe('worker 3');
    for (const held of readers) await held.release();
    const write = await (waits[0] as Promise<Held>);
    write.on('revoke', () => asked.push(2));
    expect(await d.write.revoke()).toBe(true);
    await until(() => asked.length === 3, 'the writer is asked');
    await write.release();
    await (await (waits[1] as Promise<Held>)).release();
  });
});

describe('a hold of either kind', () => {
  it.each(['read', 'write'] as const)('guards a transaction (%s)', async (kind) => {
    await using world = await World.start();
    const [a, , zk] = await two(world);
    await zk.create('/data', 'none');
    const held = await a[kind].acquire();
    await held.guard(zk.transaction()).set('/data', 'guarded').commit();
    await held.release();
    const stale = held.guard(zk.transaction()).set('/data', 'stale').commit();
    expect(await outcome(stale)).toMatchObject({ code: 'NO_NODE', path: held.path });
    expect(world.server.node('/data')?.data?.toString()).toBe('guarded');
  });

  it.each(['read', 'write'] as const)('is not had where the server refuses, and nothing is left (%s)', async (kind) => {
    await using world = await World.start();
    const [a, , zk] = await two(world);
    await zk.create('/locks');
    await zk.create('/locks/a', null, { acl: [{ perms: 1, scheme: 'world', id: 'anyone' }] });
    expect(await outcome(a[kind].acquire())).toBeInstanceOf(NoAuthError);
    await settled(world, 0);
  });
});
