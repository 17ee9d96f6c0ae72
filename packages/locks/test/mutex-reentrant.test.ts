import { describe, expect, it } from '@jest/globals';
import { LeaseLostError, TimeoutError, type ZooKeeper } from '@zookit/client';
import { outcome, sleep, until, World } from '@zookit/test-world';
import { Mutex } from '../src/index.ts';

describe('a mutex that is not reentrant', () => {
  it('makes whoever asks twice wait for itself', async () => {
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/locks/a');
    await mutex.run(async () => {
      expect(await mutex.tryAcquire()).toBeNull();
      expect(await outcome(mutex.acquire({ timeout: 20 }))).toBeInstanceOf(TimeoutError);
    });
  });
});

describe('a reentrant mutex', () => {
  it('shares the hold with the same async context, until the outermost is released', async () => {
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/locks/a', { reentrant: true });
    const outer = await mutex.acquire();
    const inner = await mutex.acquire();
    const tried = await mutex.tryAcquire();
    expect(world.names('/locks/a')).toHaveLength(1);
    for (const share of [inner, tried]) {
      expect(share?.path).toBe(outer.path);
      expect(share?.fencingToken).toBe(outer.fencingToken);
      expect(share?.deadline).toBe(outer.deadline);
      expect(share?.isHeld).toBe(true);
    }
    expect(await inner.release()).toBe('released');
    expect(inner.isHeld).toBe(false);
    expect(inner.signal.aborted).toBe(true);
    expect(outer.isHeld).toBe(true);
    expect(outer.signal.aborted).toBe(false);
    expect(tried?.isHeld).toBe(true);
    expect(await outer.release()).toBe('released');
    expect(tried?.isHeld).toBe(false);
    expect(tried?.signal.reason).toBe(outer.signal.reason);
    expect(await tried?.release()).toBe('lost');
    expect(world.names('/locks/a')).toEqual([]);
  });

  it('can be run within its own run, at any depth', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const mutex = new Mutex(zk, '/locks/a', { reentrant: true });
    const result = await mutex.run(async (outer) => {
      const inner = await mutex.run(async (held) => {
        await zk.sync();
        expect(held.path).toBe(outer.path);
        return mutex.run(() => 'deep');
      });
      expect(outer.isHeld).toBe(true);
      return inner;
    });
    expect(result).toBe('deep');
    expect(world.names('/locks/a')).toEqual([]);
  });

  it('excludes other contexts, other objects and other clients', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const mutex = new Mutex(first, '/locks/a', { reentrant: true });
    let inside = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      expect(inside).toBe(1);
      await mutex.run(() => sleep(2));
      inside -= 1;
    };
    await Promise.all([mutex.run(work), mutex.run(work), mutex.run(work)]);
    const tasks = Array.from({ length: 3 }, async () => {
      const held = await mutex.acquire();
      await work();
      await held.release();
    });
    await Promise.all(tasks);
    await mutex.run(async () => {
      expect(await new Mutex(first, '/locks/a', { reentrant: true }).tryAcquire()).toBeNull();
      expect(await new Mutex(second, '/locks/a', { reentrant: true }).tryAcquire()).toBeNull();
    });
  });

  it('does not lend a hold that has ended', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const mutex = new Mutex(zk, '/locks/a', { reentrant: true });
    const first = await mutex.acquire();
    await first.release();
    const second = await mutex.acquire();
    expect(second.path).not.toBe(first.path);
    world.expire(zk);
    await until(() => second.signal.aborted, 'it is lost');
    const third = await mutex.acquire();
    expect(third.path).not.toBe(second.path);
    await third.release();
  });

  it('tells all shares of a loss, and passes their events on', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const mutex = new Mutex(first, '/locks/a', { reentrant: true });
    const outer = await mutex.acquire();
    const inner = await mutex.acquire();
    const events: string[] = [];
    for (const event of ['suspect', 'lost', 'revoke'] as const) inner.on(event, () => events.push(event));
    await new Mutex(second, '/locks/a').revoke();
    await until(() => events.includes('revoke'), 'it is asked');
    world.expire(first);
    await until(() => inner.signal.aborted, 'it is lost');
    expect(inner.signal.reason).toBe(outer.signal.reason);
    expect(inner.signal.reason).toBeInstanceOf(LeaseLostError);
    expect(events).toEqual(['revoke', 'suspect', 'lost']);
    expect(await inner.release()).toBe('lost');
  });

  it('fails an inner run together with the outer when the lock is lost', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const mutex = new Mutex(zk, '/locks/a', { reentrant: true });
    let inner: unknown;
    const outer = await outcome(
      mutex.run(async (held) => {
        inner = await outcome(
          mutex.run(async () => {
            world.expire(zk);
            await until(() => held.signal.aborted, 'it is lost');
          }),
        );
      }),
    );
    expect(inner).toBeInstanceOf(LeaseLostError);
    expect(outer).toBe(inner);
  });

  it('leaves no listener on the hold behind an inner release', async () => {
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/locks/a', { reentrant: true });
    const outer = await mutex.acquire();
    for (let round = 0; round < 3; round += 1) {
      const inner = await mutex.acquire();
      inner.on('revoke', () => {});
      await inner.release();
    }
    for (const event of ['suspect', 'lost', 'revoke'] as const) expect(outer.listenerCount(event)).toBe(0);
    await outer.release();
  });
});
