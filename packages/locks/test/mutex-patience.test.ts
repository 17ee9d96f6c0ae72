import { describe, expect, it } from '@jest/globals';
import { ClosedError, TimeoutError, type ZooKeeper } from '@zookit/client';
import { outcome, sleep, until, World } from '@zookit/test-world';
import { Mutex } from '../src/index.ts';

/** Waits until a lock's znodes are so many, and no watch is left. */
function settled(world: World, path: string, nodes: number): Promise<void> {
  const quiet = (): boolean => world.names(path).length === nodes && world.server.watches().length === 0;
  return until(quiet, `${nodes} znodes under ${path} and no watch`);
}

describe('a wait that times out', () => {
  it('rejects with TimeoutError and leaves nothing', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Mutex(first, '/locks/a').acquire();
    const start = performance.now();
    const error = await outcome(new Mutex(second, '/locks/a').acquire({ timeout: 60 }));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ code: 'TIMEOUT', path: '/locks/a', operation: 'acquire' });
    expect(performance.now() - start).toBeGreaterThanOrEqual(59);
    await settled(world, '/locks/a', 1);
    await held.release();
    expect(await new Mutex(first, '/locks/a').tryAcquire()).not.toBeNull();
  });

  it('has one deadline, whatever it waits for', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 10_000 });
    await world.server.stopMember(0);
    const start = performance.now();
    const mutex = new Mutex(zk, '/locks/a');
    for (const call of [mutex.acquire({ timeout: 80 }), mutex.tryAcquire({ timeout: 80 })]) {
      expect(await outcome(call)).toBeInstanceOf(TimeoutError);
    }
    expect(performance.now() - start).toBeLessThan(1_000);
    await world.server.startMember(0);
    await until(() => zk.state === 'connected', 'it is back');
    await zk.sync();
    expect(world.server.node('/locks')).toBeNull();
  });

  it('at once has no time at all', async () => {
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/locks/a');
    expect(await outcome(mutex.acquire({ timeout: 0 }))).toBeInstanceOf(TimeoutError);
    await until(() => world.names('/locks/a').length === 0, 'nothing is left');
  });
});

describe('a wait that is aborted', () => {
  it('sends nothing when the signal has aborted before', async () => {
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/locks/a');
    const requests = world.requests();
    const reason = new Error('not today');
    const signal = AbortSignal.abort(reason);
    expect(await outcome(mutex.acquire({ signal }))).toBe(reason);
    expect(await outcome(mutex.tryAcquire({ signal }))).toBe(reason);
    expect(await outcome(mutex.run(() => 1, { signal }))).toBe(reason);
    expect(requests).toEqual([]);
  });

  it('rejects with the reason at once, while the server is slow', async () => {
    await using world = await World.start();
    const mutex = new Mutex(await world.client(), '/locks/a');
    const created = world.once('create2', { delay: 200 });
    const controller = new AbortController();
    const acquiring = outcome(mutex.acquire({ signal: controller.signal }));
    await created;
    const reason = new Error('changed my mind');
    controller.abort(reason);
    const start = performance.now();
    expect(await acquiring).toBe(reason);
    expect(performance.now() - start).toBeLessThan(100);
    await settled(world, '/locks/a', 0);
  });

  for (const layout of ['curator', 'kazoo'] as const) {
    for (const free of [true, false]) {
      it(`at any moment leaves no znode and no watch (${layout}, ${free ? 'free' : 'held by another'})`, async () => {
        await using world = await World.start();
        const holder = await world.client();
        // Each request takes a while, so that the moments fall into all the phases of an acquire.
        world.server.intercept(({ sessionId }) => (sessionId === holder.session?.id ? 'pass' : { delay: 12 }));
        const phases = new Set<string>();
        await Promise.all(
          Array.from({ length: 4 }, async (_, lane) => {
            const zk = await world.client();
            const path = `/locks/${lane}`;
            const held = free ? null : await new Mutex(holder, path, { layout }).acquire();
            const mutex = new Mutex(zk, path, { layout });
            for (let ms = 5 * lane; ms <= 200; ms += 20) {
              const controller = new AbortController();
              const acquiring = mutex.acquire({ signal: controller.signal }).then(
                (granted) => granted.release(),
                (error: unknown) => error,
              );
              await sleep(ms);
              controller.abort('moment');
              const result = await acquiring;
              phases.add(String(result));
              expect(['moment', 'released']).toContain(result);
              await until(() => world.names(path).length === (free ? 0 : 1), `nothing is left after ${ms} ms`);
              await until(() => world.server.watches(held?.path ?? '/').length === 0, `no watch after ${ms} ms`);
            }
            await held?.release();
          }),
        );
        expect(phases).toEqual(free ? new Set(['moment', 'released']) : new Set(['moment']));
        expect(world.server.watches()).toEqual([]);
      }, 20_000);
    }
  }

  it('keeps its place from nobody: the next in line goes on', async () => {
    await using world = await World.start();
    const [first, second, third] = (await world.clients(3)) as [ZooKeeper, ZooKeeper, ZooKeeper];
    const held = await new Mutex(first, '/locks/a').acquire();
    const controller = new AbortController();
    const leaving = outcome(new Mutex(second, '/locks/a').acquire({ signal: controller.signal }));
    await until(() => world.server.watches().length === 1, 'the second waits');
    const staying = new Mutex(third, '/locks/a').acquire();
    await until(() => world.server.watches().length === 2, 'the third waits');
    controller.abort();
    await leaving;
    await until(
      () => world.server.watches(held.path).some(({ sessionId }) => sessionId === third.session?.id),
      'moved up',
    );
    await held.release();
    expect((await staying).isHeld).toBe(true);
  });

  it('cleans up though the server refuses it the first time', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Mutex(first, '/locks/a').acquire();
    const controller = new AbortController();
    const leaving = outcome(new Mutex(second, '/locks/a').acquire({ signal: controller.signal }));
    await until(() => world.server.watches().length === 1, 'the second waits');
    const cut = world.once('delete', 'disconnect-before', second);
    controller.abort('enough');
    expect(await leaving).toBe('enough');
    await cut;
    await settled(world, '/locks/a', 1);
    await held.release();
  });
});

describe('a wait whose client is closed', () => {
  it('rejects with ClosedError, and the session takes its znode along', async () => {
    await using world = await World.start();
    const [first, second] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const held = await new Mutex(first, '/locks/a').acquire();
    const waiting = outcome(new Mutex(second, '/locks/a').acquire());
    await until(() => world.server.watches().length === 1, 'the second waits');
    await second.close();
    expect(await waiting).toBeInstanceOf(ClosedError);
    await settled(world, '/locks/a', 1);
    await held.release();
  });
});

describe('a wait that is given up while its znode is made', () => {
  for (const layout of ['curator', 'kazoo'] as const) {
    it(`is not in the way of the next try (${layout})`, async () => {
      await using world = await World.start();
      const zk = await world.client();
      const mutex = new Mutex(zk, '/locks/a', { layout });
      await zk.ensurePath('/locks/a');
      const abort = new AbortController();
      const off = world.server.intercept(({ type }) => {
        if (type !== 'create') return 'pass';
        off();
        abort.abort(new Error('enough'));
        return 'pass';
      });
      expect(await outcome(mutex.acquire({ signal: abort.signal }))).toBe(abort.signal.reason);
      const held = await mutex.tryAcquire();
      expect(held?.isHeld).toBe(true);
      expect(world.names('/locks/a')).toHaveLength(1);
      await held?.release();
      await settled(world, '/locks/a', 0);
    });
  }
});
