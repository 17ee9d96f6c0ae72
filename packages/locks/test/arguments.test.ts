import { describe, expect, it } from '@jest/globals';
import { ACL, BadArgumentsError, type CallOptions, type ZooKeeper } from '@zookit/client';
import { outcome, World } from '@zookit/test-world';
import { type Lock, MultiLock, Mutex, ReadWriteLock, Semaphore } from '../src/index.ts';

const LOCKS: [string, (zk: ZooKeeper) => Lock][] = [
  ['a mutex', (zk) => new Mutex(zk, '/a')],
  ['a read lock', (zk) => new ReadWriteLock(zk, '/a').read],
  ['a write lock', (zk) => new ReadWriteLock(zk, '/a').write],
  ['a semaphore', (zk) => new Semaphore(zk, '/a', { leases: 1 })],
];

const BAD_OPTIONS: [string, object][] = [
  ['a number as signal', { signal: 5 }],
  ['null as signal', { signal: null }],
  ['an object as signal', { signal: {} }],
  ['a negative timeout', { timeout: -5 }],
  ['a text as timeout', { timeout: '5' }],
];

describe.each(LOCKS)('%s', (_name, make) => {
  it.each(BAD_OPTIONS)('refuses %s in every method', async (_what, bad) => {
    await using world = await World.start();
    const lock = make(await world.client());
    const requests = world.requests();
    const options = bad as CallOptions;
    for (const call of [
      lock.acquire(options),
      lock.tryAcquire(options),
      lock.run(() => 1, options),
      lock.queue(options),
      lock.revoke(options),
    ]) {
      expect(await outcome(call)).toBeInstanceOf(BadArgumentsError);
    }
    expect(requests).toEqual([]);
  });

  it('refuses to run what is no function, and never takes the lock', async () => {
    await using world = await World.start();
    const lock = make(await world.client());
    const requests = world.requests();
    for (const work of [undefined, 'x', { timeout: 5 }]) {
      const error = await outcome(lock.run(work as never));
      expect(error).toBeInstanceOf(BadArgumentsError);
      expect(error).toMatchObject({ operation: 'run', path: '/a' });
    }
    expect(requests).toEqual([]);
  });
});

describe('data that can not be stored', () => {
  it.each([5, true, {}, ['a']])('is refused by every constructor: %p', async (value) => {
    await using world = await World.start();
    const zk = await world.client();
    const data = value as never;
    expect(() => new Mutex(zk, '/a', { data })).toThrow(BadArgumentsError);
    expect(() => new ReadWriteLock(zk, '/a', { data })).toThrow(BadArgumentsError);
    expect(() => new Semaphore(zk, '/a', { leases: 1, data })).toThrow(BadArgumentsError);
  });
});

describe('a share of a reentrant mutex', () => {
  it('is refused for options that can not be meant, too', async () => {
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/a', { reentrant: true });
    await mutex.run(async () => {
      expect(await outcome(mutex.acquire({ signal: 5 as never }))).toBeInstanceOf(BadArgumentsError);
      expect(await outcome(mutex.tryAcquire({ timeout: -1 }))).toBeInstanceOf(BadArgumentsError);
    });
  });
});

describe('a MultiLock', () => {
  it('refuses what can not be meant, and never takes a lock', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const locks = [new Mutex(zk, '/a')];
    for (const list of [undefined, null, 5, locks[0]]) {
      expect(() => new MultiLock(list as never)).toThrow(BadArgumentsError);
    }
    expect(() => new MultiLock(locks, { policy: 'never' as never })).toThrow(BadArgumentsError);
    const multi = new MultiLock(locks, { policy: 'deadline', acl: ACL.OPEN });
    const requests = world.requests();
    for (const [, bad] of BAD_OPTIONS) {
      const options = bad as CallOptions;
      for (const call of [multi.acquire(options), multi.tryAcquire(options), multi.run(() => 1, options)]) {
        expect(await outcome(call)).toBeInstanceOf(BadArgumentsError);
      }
    }
    expect(await outcome(multi.run(undefined as never))).toBeInstanceOf(BadArgumentsError);
    expect(requests).toEqual([]);
  });
});
