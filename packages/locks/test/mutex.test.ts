import { describe, expect, it } from '@jest/globals';
import { BadArgumentsError, ClosedError, type LeaseLostError, PathError, ZooKeeper } from '@zookit/client';
import { outcome, until, World } from '@zookit/test-world';
import { type Held, Mutex } from '../src/index.ts';

const PROTECTED = /^_c_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-lock-\d{10}$/;

describe('acquire and release', () => {
  it('leaves the znodes of Curator: containers, and a protected ephemeral with the address as data', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const held = await new Mutex(zk, '/locks/orders').acquire();
    const [name] = world.names('/locks/orders');
    expect(name).toMatch(PROTECTED);
    expect(held.path).toBe(`/locks/orders/${name}`);
    expect(world.server.node('/locks')?.kind).toBe('container');
    expect(world.server.node('/locks/orders')?.kind).toBe('container');
    const node = world.server.node(held.path);
    expect(node?.data?.toString()).toBe('127.0.0.1');
    expect(node?.stat.ephemeralOwner).toBe(zk.session?.id);
    expect(held.fencingToken).toBe(node?.stat.czxid);
    expect(held.isHeld).toBe(true);
    expect(held.signal.aborted).toBe(false);
    expect(held.deadline).toBeGreaterThan(performance.now());
    expect(held.deadline).toBeLessThan(zk.session?.deadline ?? 0);

    expect(await held.release()).toBe('released');
    expect(world.names('/locks/orders')).toEqual([]);
    expect(held.isHeld).toBe(false);
    expect(held.deadline).toBeLessThanOrEqual(performance.now());
    expect((held.signal.reason as LeaseLostError).code).toBe('LEASE_LOST');
    expect((held.signal.reason as LeaseLostError).message).toContain('released');
  });

  it('is three packets when free and five in a queue', async () => {
    await using world = await World.start({ containerCheckInterval: 600_000 });
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    await (await new Mutex(first, '/locks/a').acquire()).release();
    const requests = world.requests();
    const held = await new Mutex(first, '/locks/a').acquire();
    await held.release();
    expect(requests).toEqual(['create2', 'getChildren2', 'delete']);

    const holder = await new Mutex(first, '/locks/a').acquire();
    requests.length = 0;
    const waiting = new Mutex(second, '/locks/a').acquire();
    await until(() => world.server.watches().length === 1, 'the second waits');
    await holder.release();
    await (await waiting).release();
    expect(requests.filter((type) => type !== 'delete')).toEqual([
      'create2',
      'getChildren2',
      'getData',
      'getChildren2',
    ]);
    expect(requests.filter((type) => type === 'delete')).toHaveLength(2);
    expect(world.server.watches()).toEqual([]);
  });

  it('ends the hold at the call of release, which is the same promise each time', async () => {
    await using world = await World.start();
    const held = await new Mutex(await world.client(), '/locks/a').acquire();
    const released = held.release();
    expect(held.isHeld).toBe(false);
    expect(held.signal.aborted).toBe(true);
    expect(held.release()).toBe(released);
    expect(await released).toBe('released');
  });

  it('may be released again by what its signal calls', async () => {
    await using world = await World.start();
    const held = await new Mutex(await world.client(), '/locks/a').acquire();
    let inner: unknown;
    held.signal.addEventListener('abort', () => {
      inner = held.release();
    });
    const requests = world.requests();
    const released = held.release();
    expect(inner).toBe(released);
    expect(await released).toBe('released');
    expect(requests).toEqual(['delete']);
  });

  it('is released at the end of its scope', async () => {
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/locks/a');
    let inside: Held;
    {
      await using held = await mutex.acquire();
      inside = held;
      expect(world.names('/locks/a')).toHaveLength(1);
    }
    expect(inside.isHeld).toBe(false);
    expect(world.names('/locks/a')).toEqual([]);
  });

  it('leaves no listener on the client and no watch on the server', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const mutex = new Mutex(zk, '/locks/a');
    const holder = await mutex.acquire();
    holder.on('revoke', () => {});
    const waiting = mutex.acquire();
    await until(() => world.server.watches().length > 0, 'the second waits');
    await holder.release();
    await (await waiting).release();
    for (const event of ['state', 'suspended', 'reconnected', 'lost'] as const) expect(zk.listenerCount(event)).toBe(0);
    await until(() => world.server.watches().length === 0, 'no watch is left');
  });

  it('guards a transaction of any view', async () => {
    await using world = await World.start();
    const zk = await world.client();
    await zk.create('/app');
    await zk.create('/orders');
    const views = [zk, zk.namespace('/app'), zk.namespace('/orders')] as const;
    const held = await new Mutex(views[1], '/locks/a').acquire();
    for (const view of views) await held.guard(view.transaction()).check('/').commit();
    await held.release();
    for (const view of views) {
      await expect(held.guard(view.transaction()).check('/').commit()).rejects.toMatchObject({ code: 'NO_NODE' });
    }
  });

  it('guards a transaction by a check of its znode', async () => {
    await using world = await World.start();
    const held = await new Mutex(await world.client(), '/locks/a').acquire();
    const checks: unknown[] = [];
    const transaction = { check: (...args: unknown[]) => checks.push(args) };
    expect(held.guard(transaction)).toBe(transaction);
    expect(checks).toEqual([[held.path, -1]]);
    await held.release();
  });

  it('makes a transaction fail as a whole once it is over', async () => {
    await using world = await World.start();
    const zk = await world.client();
    await zk.create('/orders', 'none');
    const held = await new Mutex(zk, '/locks/a').acquire();
    await held.guard(zk.transaction()).set('/orders', 'one').commit();
    await held.release();
    const stale = held.guard(zk.transaction()).set('/orders', 'two').commit();
    expect(await outcome(stale)).toMatchObject({ code: 'NO_NODE', path: held.path });
    expect(world.server.node('/orders')?.data?.toString()).toBe('one');
  });

  it('works at the root, and under a chroot and a namespace', async () => {
    await using world = await World.start();
    const zk = await world.client();
    await zk.create('/app');
    const apart = await world.client({}, `${world.server.connectString}/app`);
    const root = await new Mutex(zk, '/').acquire();
    expect(root.path).toMatch(/^\/_c_/);
    await root.release();
    const held = await new Mutex(zk.namespace('/app'), '/lock').acquire();
    expect(world.names('/app/lock')).toEqual([held.path.slice('/lock/'.length)]);
    expect(await new Mutex(apart, '/lock').tryAcquire()).toBeNull();
    await held.release();
    expect(await new Mutex(apart, '/lock').tryAcquire()).not.toBeNull();
  });

  it('takes data and an ACL', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const acl = [{ perms: 31, scheme: 'ip', id: '127.0.0.1' }];
    const mutex = new Mutex(zk, '/locks/a', { data: 'worker 7', acl });
    const held = await mutex.acquire();
    expect(world.server.node(held.path)?.data?.toString()).toBe('worker 7');
    expect(world.server.node(held.path)?.acl).toEqual([{ perms: 31, id: { scheme: 'ip', id: '127.0.0.1' } }]);
    await held.release();
    const bare = await new Mutex(zk, '/locks/a', { data: null }).acquire();
    expect(world.server.node(bare.path)?.data).toBeNull();
    await bare.release();
  });
});

describe('many contenders', () => {
  it('exclude each other, in the order in which they came, with growing tokens', async () => {
    await using world = await World.start();
    const clients = await world.clients(5);
    let inside = 0;
    let most = 0;
    const granted: { path: string; token: bigint }[] = [];
    const work = Array.from({ length: 20 }, async (_, index) => {
      const zk = clients[index % 5] as ZooKeeper;
      const held = await new Mutex(zk, '/locks/a').acquire();
      inside += 1;
      most = Math.max(most, inside);
      granted.push({ path: held.path, token: held.fencingToken });
      await zk.sync();
      expect(held.isHeld).toBe(true);
      inside -= 1;
      expect(await held.release()).toBe('released');
    });
    await Promise.all(work);
    expect(most).toBe(1);
    expect(granted).toHaveLength(20);
    const numbers = granted.map(({ path }) => Number(path.slice(-10)));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    const tokens = granted.map(({ token }) => token);
    expect(tokens).toEqual(tokens.toSorted((a, b) => (a < b ? -1 : 1)));
    expect(new Set(tokens).size).toBe(20);
    expect(world.names('/locks/a')).toEqual([]);
    expect(world.server.watches()).toEqual([]);
  });

  it('of one object have a place each, at no more than five packets a grant', async () => {
    await using world = await World.start({ containerCheckInterval: 600_000 });
    const mutex = new Mutex(await world.client(), '/locks/a');
    await (await mutex.acquire()).release();
    const requests = world.requests();
    let inside = 0;
    await Promise.all(
      Array.from({ length: 20 }, () =>
        mutex.run(async () => {
          inside += 1;
          expect(inside).toBe(1);
          await new Promise((resolve) => setImmediate(resolve));
          inside -= 1;
        }),
      ),
    );
    expect(requests.length).toBeLessThanOrEqual(100);
  });

  it('wakes only the next one when the holder leaves', async () => {
    await using world = await World.start();
    const clients = await world.clients(4);
    const holder = await new Mutex(clients[0] as ZooKeeper, '/locks/a').acquire();
    const waiting: Promise<Held>[] = [];
    for (const [at, client] of clients.slice(1).entries()) {
      waiting.push(new Mutex(client, '/locks/a').acquire());
      await until(() => world.server.watches().length === at + 1, 'it waits');
    }
    const events: unknown[] = [];
    world.server.onLog(({ event, sessionId }) => {
      if (event === 'watch-event') events.push(sessionId);
    });
    await holder.release();
    await waiting[0];
    expect(events).toEqual([clients[1]?.session?.id]);
    for (const next of waiting) await (await next).release();
  });

  it('may be a thousand under one signal, which ends them all, without a warning', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const mutex = new Mutex(zk, '/locks/a');
    const warnings: unknown[] = [];
    const onWarning = (warning: Error): unknown => warnings.push(warning);
    process.on('warning', onWarning);
    const held = await mutex.acquire();
    for (let count = 0; count < 50; count += 1) held.signal.addEventListener('abort', () => {});
    const controller = new AbortController();
    const acquires = Array.from({ length: 1_000 }, () => outcome(mutex.acquire({ signal: controller.signal })));
    await until(() => world.names('/locks/a').length === 1_001, 'all have come', 30_000);
    await until(() => world.server.watches().length === 1, 'the first of them watches the holder');
    controller.abort(new Error('enough'));
    expect(new Set(await Promise.all(acquires))).toEqual(new Set([controller.signal.reason]));
    await until(() => world.names('/locks/a').length === 1 && world.server.watches().length === 0, 'all have left');
    await held.release();
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  }, 40_000);
});

describe('tryAcquire', () => {
  it('takes what is free', async () => {
    await using world = await World.start();
    const held = await new Mutex(await world.client(), '/locks/a').tryAcquire();
    expect(held?.isHeld).toBe(true);
    expect(await held?.release()).toBe('released');
  });

  it('is null, and leaves nothing, when another holds', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Mutex(first, '/locks/a').acquire();
    expect(await new Mutex(second, '/locks/a').tryAcquire()).toBeNull();
    expect(world.names('/locks/a')).toEqual([held.path.slice('/locks/a/'.length)]);
    expect(world.server.watches()).toEqual([]);
    expect(second.listenerCount('state')).toBe(0);
  });
});

describe('what cannot be', () => {
  it('is refused by the constructor', async () => {
    await using world = await World.start();
    const zk = await world.client();
    for (const path of ['locks', '/locks/', '/a//b', '/a/../b', '', '/\u{1F600}']) {
      expect(() => new Mutex(zk, path)).toThrow(PathError);
    }
    expect(() => new Mutex(zk, 7 as never)).toThrow(PathError);
    expect(() => new Mutex({} as never, '/a')).toThrow(BadArgumentsError);
    expect(() => new Mutex(zk, '/a', { layout: 'zk' as never })).toThrow(BadArgumentsError);
    expect(() => new Mutex(zk, '/a', { policy: 'session' as never })).toThrow(BadArgumentsError);
  });

  it('is a timeout that is no number', async () => {
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/locks/a');
    for (const timeout of [-1, Number.NaN, '5' as never]) {
      expect(await outcome(mutex.acquire({ timeout }))).toBeInstanceOf(BadArgumentsError);
    }
    expect(world.server.node('/locks')).toBeNull();
  });

  it('is a lock on a closed client: ClosedError at once', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const mutex = new Mutex(zk, '/locks/a');
    await zk.close();
    for (const call of [mutex.acquire(), mutex.tryAcquire(), mutex.run(() => 1), mutex.queue(), mutex.revoke()]) {
      expect(await outcome(call)).toBeInstanceOf(ClosedError);
    }
  });

  it('waits for a client that is not connected yet', async () => {
    await using world = await World.start();
    const zk = new ZooKeeper(world.server.connectString);
    const acquiring = new Mutex(zk, '/locks/a').acquire();
    await zk.connect();
    expect((await acquiring).isHeld).toBe(true);
    await zk.close();
  });
});
