import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type EventEmitter, once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { ZooKeeper } from '@zookit/client';
import type { LockEvents } from '@zookit/recipe-core';
import { outcome, until, World } from '@zookit/test-world';
import { type Held, type Lock, Mutex, ReadWriteLock, Semaphore } from '../src/index.ts';

type Told = Exclude<keyof LockEvents, 'error'>;
const NAMES: readonly Told[] = ['queued', 'moved', 'granted', 'suspect', 'lost', 'released'];

type Message = Partial<Record<'node' | 'position' | 'waited' | 'heldFor' | 'reason', unknown>>;

/** What a lock tells, as a list of names and messages. */
function listen(lock: Lock): [Told, Message][] {
  const told: [Told, Message][] = [];
  for (const name of NAMES) lock.on(name, (message: object) => told.push([name, { ...message }]));
  return told;
}

describe('a mutex', () => {
  it('tells of waiting, of the grant and of the release', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const holder = await new Mutex(first, '/locks/a').acquire();
    const mutex = new Mutex(second, '/locks/a');
    const told = listen(mutex);
    const waiting = mutex.acquire();
    await until(() => told.length === 1, 'it is queued');
    await holder.release();
    const held = await waiting;
    await held.release();
    const about = { recipe: 'mutex', path: '/locks/a', node: held.path };
    expect(told).toEqual([
      ['queued', { ...about, position: 1 }],
      ['granted', { ...about, fencingToken: held.fencingToken, waited: expect.any(Number) }],
      ['released', { ...about, heldFor: expect.any(Number) }],
    ]);
    expect(told[1]?.[1].waited).toBeGreaterThan(0);
    expect(told[2]?.[1].heldFor).toBeGreaterThanOrEqual(0);
  });

  it('tells nothing of a queue that it does not stand in', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const mutex = new Mutex(second, '/locks/a');
    const told = listen(mutex);
    const holder = await new Mutex(first, '/locks/a').acquire();
    expect(await mutex.tryAcquire()).toBeNull();
    await holder.release();
    await (await mutex.acquire()).release();
    expect(told.map(([name]) => name)).toEqual(['granted', 'released']);
  });

  it('tells each of its waiters how it moves up', async () => {
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/locks/a');
    const holder = await mutex.acquire();
    const told = listen(mutex);
    const waiting: Promise<Held>[] = [];
    for (let count = 1; count <= 3; count += 1) {
      waiting.push(mutex.acquire());
      await until(() => told.length === count, 'it is queued');
    }
    await holder.release();
    const order: string[] = [];
    for (const next of waiting) {
      const held = await next;
      order.push(held.path);
      await held.release();
    }
    const positions = order.map((node) =>
      told.filter(([, message]) => message.node === node).map(([name, { position }]) => [name, position]),
    );
    const [granted, released] = [
      ['granted', undefined],
      ['released', undefined],
    ];
    expect(positions).toEqual([
      [['queued', 1], granted, released],
      [['queued', 2], ['moved', 1], granted, released],
      [['queued', 3], ['moved', 2], ['moved', 1], granted, released],
    ]);
  });

  it('tells a waiter whose session was lost that it is queued again', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const holder = await new Mutex(first, '/locks/a').acquire();
    const mutex = new Mutex(second, '/locks/a');
    const told = listen(mutex);
    const waiting = mutex.acquire();
    await until(() => told.length === 1, 'it is queued');
    world.expire(second);
    await until(() => told.length === 2, 'it is queued again');
    expect(told.map(([name, { position }]) => [name, position])).toEqual([
      ['queued', 1],
      ['queued', 1],
    ]);
    expect(told[0]?.[1].node).not.toBe(told[1]?.[1].node);
    await holder.release();
    await (await waiting).release();
  });

  it('tells of doubt and of loss, in this order, after the hold itself', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 2_000 });
    const mutex = new Mutex(zk, '/locks/a', { policy: 'suspended' });
    const told = listen(mutex);
    const held = await mutex.acquire();
    const order: string[] = [];
    held.on('lost', () => order.push('hold'));
    mutex.on('lost', () => order.push('mutex'));
    world.server.dropConnections();
    await until(() => told.length === 3, 'it is lost');
    expect(told.map(([name]) => name)).toEqual(['granted', 'suspect', 'lost']);
    expect(told[2]?.[1]).toMatchObject({ reason: { code: 'LEASE_LOST' } });
    expect(told[2]?.[1].heldFor).toBeGreaterThanOrEqual(0);
    expect(order).toEqual(['hold', 'mutex']);
    expect(await held.release()).toBe('lost');
    expect(told).toHaveLength(3);
  });

  it('does not suffer from a listener that throws', async () => {
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/locks/a');
    const failure = new Error('this listener is broken');
    const errors: unknown[] = [];
    mutex.on('granted', () => {
      throw failure;
    });
    mutex.on('error', (error) => errors.push(error));
    const held = await mutex.acquire();
    expect(held.isHeld).toBe(true);
    expect(errors).toEqual([failure]);
    await held.release();
  });

  it('calls a listener once, or no more, as it was asked', async () => {
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/locks/a');
    const calls: string[] = [];
    const listener = (): unknown => calls.push('on');
    mutex.once('granted', () => calls.push('once')).on('granted', listener);
    await (await mutex.acquire()).release();
    mutex.off('granted', listener);
    await (await mutex.acquire()).release();
    expect(calls.toSorted()).toEqual(['on', 'once']);
  });
});

describe.each<[string, string, (zk: ZooKeeper) => Lock]>([
  ['a mutex', 'mutex', (zk) => new Mutex(zk, '/locks/a')],
  ['a read lock', 'read-lock', (zk) => new ReadWriteLock(zk, '/locks/a').read],
  ['a write lock', 'write-lock', (zk) => new ReadWriteLock(zk, '/locks/a').write],
  ['a semaphore', 'semaphore', (zk) => new Semaphore(zk, '/locks/a', { leases: 1 })],
])('%s', (_name, recipe, make) => {
  it('tells of the same', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const holder = recipe === 'read-lock' ? new ReadWriteLock(first, '/locks/a').write : make(first);
    const before = await holder.acquire();
    const lock = make(second);
    const told = listen(lock);
    const waiting = lock.acquire();
    await until(() => told.length > 0, 'it is queued');
    await before.release();
    const held = await waiting;
    await held.release();
    const names = told.map(([name]) => name);
    expect([names[0], ...names.slice(-2)]).toEqual(['queued', 'granted', 'released']);
    expect(told.at(-2)?.[1]).toMatchObject({ recipe, path: '/locks/a', node: held.path });
    expect(told.at(-1)?.[1]).toMatchObject({ recipe, path: '/locks/a', node: held.path });
  });

  it('serves events.once of Node, aborted or not, and no listener is left', async () => {
    await using world = await World.start();
    const lock = make(await world.client());
    const controller = new AbortController();
    const lost = once(lock as unknown as EventEmitter, 'lost', { signal: controller.signal });
    expect(lock.listenerCount('lost')).toBe(1);
    controller.abort();
    expect(await outcome(lost)).toMatchObject({ name: 'AbortError' });
    const granted = once(lock as unknown as EventEmitter, 'granted');
    const held = await lock.acquire();
    expect(await granted).toMatchObject([{ recipe, node: held.path }]);
    await held.release();
    for (const name of [...NAMES, 'error'] as const) expect(lock.listenerCount(name)).toBe(0);
    const listener = (): void => {};
    expect(lock.addListener('lost', listener).listenerCount('lost')).toBe(1);
    expect(lock.removeListener('lost', listener).listenerCount('lost')).toBe(0);
  });
});

describe('the diagnostics channels', () => {
  it('carry the same messages, of every lock of the process', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const seen: [string, unknown][] = [];
    const subscriptions = NAMES.map((name) => {
      const onMessage = (message: unknown): unknown => seen.push([name, message]);
      subscribe(`zookit:lock:${name}`, onMessage);
      return () => unsubscribe(`zookit:lock:${name}`, onMessage);
    });
    try {
      const holder = await new Mutex(first, '/locks/a').acquire();
      const waiting = new Mutex(second, '/locks/a').acquire();
      await until(() => seen.length === 2, 'it is queued');
      await holder.release();
      await (await waiting).release();
    } finally {
      for (const off of subscriptions) off();
    }
    expect(seen.map(([name]) => name)).toEqual(['granted', 'queued', 'released', 'granted', 'released']);
    expect(seen[1]?.[1]).toMatchObject({ recipe: 'mutex', path: '/locks/a', position: 1 });
  });
});
