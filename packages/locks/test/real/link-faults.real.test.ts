import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ZooKeeper, ZooKeeperError } from '@zookit/client';
import { type FaultProxy, RealServer } from '@zookit/testing';
import { type Held, Mutex } from '../../src/index.ts';
import { abortOf, Bench, contenders, times, until } from './support.ts';

jest.setTimeout(60_000);

const ROUNDS = 20;
const bench = new Bench();
let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start();
});
afterEach(() => bench.end());
afterAll(() => server.stop());

describe.each([
  ['is blackholed', (proxy: FaultProxy) => proxy.blackhole()],
  ['is cut and stays cut', (proxy: FaultProxy) => proxy.cut({ stay: true })],
])('the link of a holder %s while another waits', (_, fault) => {
  it(`aborts the holder's signal before the other is granted, ${ROUNDS} times of ${ROUNDS}; a late release touches nobody`, async () => {
    const proxy = await bench.proxy(server.connectString);
    const holders = await times(ROUNDS, () => bench.client(proxy.connectString));
    const waiters = await times(ROUNDS, () => bench.client(server.connectString));
    const path = (index: number): string => `/locks/link-${index}`;
    const held = await Promise.all(holders.map((zk, index) => new Mutex(zk, path(index)).acquire()));
    const aborts = held.map(({ signal }) => abortOf(signal));
    const suspects = Promise.all(held.map((each) => new Promise<void>((resolve) => each.once('suspect', resolve))));
    const grants = waiters.map(async (zk, index) => {
      const next = await new Mutex(zk, path(index)).acquire();
      return { next, at: performance.now() };
    });
    await Promise.all(
      waiters.map((zk, index) => until('it waits', async () => (await contenders(zk, path(index))).length === 2)),
    );

    await fault(proxy);
    await suspects;
    const granted = await Promise.all(grants);
    const aborted = await Promise.all(aborts);
    for (const [index, { at }] of granted.entries()) expect(aborted[index]).toBeLessThan(at);
    for (const each of held) expect(each.isHeld).toBe(false);

    await proxy.restore();
    const [watcher] = waiters as [ZooKeeper];
    for (const [index, each] of held.entries()) {
      expect(await each.release()).toBe('lost');
      const { next } = granted[index] as { next: Held };
      await until('the holder is back', () => holders[index]?.state === 'connected');
      expect(await contenders(watcher, path(index))).toEqual([next.path.slice(next.path.lastIndexOf('/') + 1)]);
      expect(next.isHeld).toBe(true);
      expect(await next.release()).toBe('released');
    }
  });
});

describe("the reply to the lock's create is lost", () => {
  it(`leaves one znode a contender and no deadlock, ${ROUNDS} times`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const proxy = await bench.proxy(server.connectString);
      const [zk, other] = [await bench.client(proxy.connectString), await bench.client(server.connectString)];
      const path = `/locks/reply-${round}`;
      // With its base there, the first create is the one that makes the contender's znode.
      await other.create(path, null, { parents: true });
      const lost = proxy.once({ opcode: 'create2', direction: 'reply', action: 'cut' });
      const acquiring = new Mutex(zk, path).acquire();
      await lost;
      const held = await acquiring;
      expect(await contenders(other, path)).toHaveLength(1);
      const next = new Mutex(other, path).acquire();
      await until('the other waits', async () => (await contenders(other, path)).length === 2);
      expect(await held.release()).toBe('released');
      expect((await next).fencingToken).toBeGreaterThan(held.fencingToken);
      await (await next).release();
      expect(await contenders(other, path)).toEqual([]);
      await bench.end();
    }
  });

  it('and the link stays shut until the session is over: one znode each in the end, of live sessions, never both held', async () => {
    const proxy = await bench.proxy(server.connectString);
    const [first, second] = [await bench.client(proxy.connectString), await bench.client(server.connectString)];
    const path = '/locks/shut';
    // With its base there, the first create is the one that makes the contender's znode.
    await second.create(path, null, { parents: true });
    const session = first.session?.id;
    const lost = proxy.once({ opcode: 'create2', direction: 'reply', action: 'cut' });
    await proxy.refuse();
    const mine = new Mutex(first, path).acquire();
    await lost;
    const theirs = await new Mutex(second, path).acquire();
    // Granted only because the session of the first is over.
    expect(first.session?.id).not.toBe(session);
    await proxy.restore();
    await until('the first waits in its new session', async () => (await contenders(second, path)).length === 2);
    const owners = await Promise.all(
      (await contenders(second, path)).map(async (name) => (await second.exists(`${path}/${name}`))?.ephemeralOwner),
    );
    expect(new Set(owners)).toEqual(new Set([first.session?.id, second.session?.id]));
    const released = theirs.release();
    const held = await mine;
    expect(theirs.isHeld).toBe(false);
    await released;
    expect(held.isHeld).toBe(true);
    expect(held.fencingToken).toBeGreaterThan(theirs.fencingToken);
    await held.release();
  });
});

describe('an acquire that is aborted after 0, 5, 10 … 200 ms', () => {
  const faults: [string, (proxy: FaultProxy) => Promise<unknown>][] = [
    ['on a good link', async () => {}],
    // Every step of the way is cut off by one of the aborts.
    ['on a slow link', (proxy) => proxy.delay(15)],
    // The promise resolves when it has happened, which it may not.
    [
      'when the reply to its create is lost',
      async (proxy) => void proxy.once({ opcode: 'create2', direction: 'reply', action: 'cut' }).catch(() => {}),
    ],
    ['on a link that is blackholed', (proxy) => proxy.blackhole()],
  ];
  it.each(faults)('%s leaves no znode and no watch, 3 s after all is well', async (_, fault) => {
    const watcher = await bench.client(server.connectString);
    const path = '/locks/aborted';
    if ((await watcher.exists(path)) === null) await watcher.create(path, null, { parents: true });
    const holder = await new Mutex(watcher, path).acquire();
    const outcomes = await times(41, async (index) => {
      const proxy = await bench.proxy(server.connectString);
      const zk = await bench.client(proxy.connectString);
      await fault(proxy);
      const abort = new AbortController();
      const reason = new Error(`enough after ${index * 5} ms`);
      const acquiring = new Mutex(zk, path).acquire({ signal: abort.signal });
      const ended = acquiring.then(
        () => 'granted',
        (error: ZooKeeperError) => error,
      );
      setTimeout(() => abort.abort(reason), index * 5);
      return [await ended, reason, proxy] as const;
    });
    for (const [ended, reason] of outcomes) expect(ended).toBe(reason);
    await Promise.all(outcomes.map(([, , proxy]) => proxy.restore()));
    const own = holder.path.slice(holder.path.lastIndexOf('/') + 1);
    await until('only the holder is left', async () => (await contenders(watcher, path)).join() === own, 3_000);
    await until('no watch is left', async () => /Total watches:0/.test(await server.fourLetterWord(0, 'wchs')), 3_000);
    await holder.release();
  });
});
