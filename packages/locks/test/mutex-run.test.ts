import { describe, expect, it } from '@jest/globals';
import { LeaseLostError, NoAuthError, TimeoutError, type ZooKeeper } from '@zookit/client';
import { outcome, until, World } from '@zookit/test-world';
import { type Held, Mutex } from '../src/index.ts';

describe('run', () => {
  it('resolves with what the function returns, and has released by then', async () => {
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/locks/a');
    let inside: Held | undefined;
    const result = await mutex.run(async (held) => {
      inside = held;
      expect(held.isHeld).toBe(true);
      expect(world.names('/locks/a')).toHaveLength(1);
      return 42;
    });
    expect(result).toBe(42);
    expect(inside?.isHeld).toBe(false);
    expect(world.names('/locks/a')).toEqual([]);
    expect(await mutex.run(() => 'at once')).toBe('at once');
  });

  it('rejects with the error of the function, and has released by then', async () => {
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/locks/a');
    const error = new Error('no such order', { cause: 'a typo' });
    const rejected = mutex.run(() => {
      throw error;
    });
    expect(await outcome(rejected)).toBe(error);
    expect(error.cause).toBe('a typo');
    expect(world.names('/locks/a')).toEqual([]);
    expect(await outcome(mutex.run(() => Promise.reject(error)))).toBe(error);
    expect(world.names('/locks/a')).toEqual([]);
  });

  it('rejects with LeaseLostError when the lock was lost meanwhile, even if the function succeeds', async () => {
    await using world = await World.start();
    const zk = await world.client();
    let reason: unknown;
    const running = new Mutex(zk, '/locks/a').run(async (held) => {
      world.expire(zk);
      await until(() => held.signal.aborted, 'it is lost');
      reason = held.signal.reason;
      return 'done';
    });
    const error = await outcome(running);
    expect(error).toBeInstanceOf(LeaseLostError);
    expect(error).toBe(reason);
  });

  it('rejects with LeaseLostError when the znode turns out to be gone', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const running = new Mutex(first, '/locks/a').run((held) => second.delete(held.path));
    expect(await outcome(running)).toBeInstanceOf(LeaseLostError);
  });

  it('prefers the error of the function to the loss', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const error = new Error('gave up');
    const running = new Mutex(zk, '/locks/a').run(async (held) => {
      world.expire(zk);
      await until(() => held.signal.aborted, 'it is lost');
      throw error;
    });
    expect(await outcome(running)).toBe(error);
  });

  it('lets the function release early', async () => {
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/locks/a');
    expect(await mutex.run((held) => held.release())).toBe('released');
  });

  it('applies signal and timeout to the wait, not to the work', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Mutex(first, '/locks/a').acquire();
    let ran = false;
    const waiting = new Mutex(second, '/locks/a').run(() => (ran = true), { timeout: 30 });
    expect(await outcome(waiting)).toBeInstanceOf(TimeoutError);
    expect(ran).toBe(false);
    await held.release();
    const controller = new AbortController();
    const result = await new Mutex(second, '/locks/a').run(
      async (running) => {
        controller.abort();
        await second.sync();
        return running.isHeld;
      },
      { signal: controller.signal },
    );
    expect(result).toBe(true);
  });

  it('tells the client of a release that is refused behind an error', async () => {
    await using world = await World.start();
    const zk = await world.client();
    await zk.create('/a', null, { acl: [{ perms: 1 + 4, scheme: 'world', id: 'anyone' }] });
    const told: unknown[] = [];
    zk.on('error', (error) => told.push(error));
    const error = new Error('no such order');
    expect(await outcome(new Mutex(zk, '/a').run(() => Promise.reject(error)))).toBe(error);
    expect(told).toHaveLength(1);
    expect(told[0]).toBeInstanceOf(NoAuthError);
  });
});
