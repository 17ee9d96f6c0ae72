import { describe, expect, it } from '@jest/globals';
import {
  ACL,
  BadArgumentsError,
  ClosedError,
  NoAuthError,
  PathError,
  TimeoutError,
  type ZooKeeper,
} from '@zookit/client';
import { outcome, until } from '@zookit/test-world';
import { FaultProxy } from '@zookit/testing';
import { type Cache, NodeCache, TreeCache } from '../src/index.ts';
import { dumpOf, once, Replay, World } from './support/world.ts';

/** 3.5 has no recursive watches. */
const profiles = ['3.9', '3.5'] as const;

/** That cache and events show what the server has. */
async function inStep(world: World, cache: Cache, replay: Replay): Promise<void> {
  const wanted = (): string => JSON.stringify(world.server.dump(cache.path));
  await until(() => !cache.stale && JSON.stringify(dumpOf(cache)) === wanted(), `in step: ${wanted()}`);
  expect(replay.dump()).toEqual(world.server.dump(cache.path));
  expect(replay.errors).toEqual([]);
}

async function tree(zk: ZooKeeper, paths: readonly string[]): Promise<void> {
  for (const path of paths) await zk.create(path, path.slice(1));
}

describe.each(profiles)('a tree on a server of %s', (profile) => {
  it('is all there when start resolves, and follows', async () => {
    await using world = await World.start({ profile });
    const zk = await world.client();
    await tree(zk, ['/a', '/a/b', '/a/b/c', '/a/d', '/other']);
    const cache = world.keep(new TreeCache(zk, '/a'));
    const replay = new Replay(cache);
    expect(cache.stale).toBe(true);
    await cache.start();
    expect(cache.stale).toBe(false);
    expect(replay.told.slice(0, 1)).toEqual(['created /a']);
    expect(replay.told.at(-1)).toBe('ready');
    expect(cache.get('/a/b/c')).toEqual({ data: Buffer.from('a/b/c'), stat: world.server.node('/a/b/c')?.stat });
    expect(cache.get('/other')).toBeUndefined();
    expect(cache.children('/a')).toEqual(['b', 'd']);
    expect(cache.children('/a/b/c')).toEqual([]);
    expect(cache.children('/nope')).toEqual([]);
    await inStep(world, cache, replay);
    const other = await world.client();
    await other.set('/a/d', 'new');
    await other.create('/a/b/c/e', 'deep');
    await other.create('/a/b/c/e/f', null);
    await other.delete('/a/d');
    await inStep(world, cache, replay);
    await other.delete('/a', { recursive: true });
    await inStep(world, cache, replay);
    expect(cache.get('/a')).toBeUndefined();
    expect([...cache.entries()]).toEqual([]);
  });

  it('keeps some levels, and what the filter lets through', async () => {
    await using world = await World.start({ profile });
    const zk = await world.client();
    await tree(zk, ['/a', '/a/b', '/a/b/c', '/a/x', '/a/x/y']);
    const shallow = world.keep(new TreeCache(zk, '/a', { depth: 1 }));
    const alone = world.keep(new TreeCache(zk, '/a', { depth: 0 }));
    const filtered = world.keep(new TreeCache(zk, '/a', { filter: (path) => !path.endsWith('/x') }));
    await Promise.all([shallow.start(), alone.start(), filtered.start()]);
    expect(Object.keys(dumpOf(shallow))).toEqual(['/a', '/a/b', '/a/x']);
    expect(Object.keys(dumpOf(alone))).toEqual(['/a']);
    expect(Object.keys(dumpOf(filtered))).toEqual(['/a', '/a/b', '/a/b/c']);
    const other = await world.client();
    await tree(other, ['/a/b/d', '/a/x/z', '/a/e', '/a/e/x', '/a/last']);
    await until(() => shallow.get('/a/last') !== undefined && filtered.get('/a/last') !== undefined, 'it follows');
    expect(Object.keys(dumpOf(shallow))).toEqual(['/a', '/a/b', '/a/e', '/a/last', '/a/x']);
    expect(Object.keys(dumpOf(filtered))).toEqual(['/a', '/a/b', '/a/b/c', '/a/b/d', '/a/e', '/a/last']);
    await other.set('/a', 'new');
    await until(() => alone.get()?.data?.toString() === 'new', 'the root follows');
    expect(Object.keys(dumpOf(alone))).toEqual(['/a']);
  });

  it('may be the whole of a view', async () => {
    await using world = await World.start({ profile });
    const zk = await world.client();
    await tree(zk, ['/app', '/app/a', '/app/a/b']);
    const cache = world.keep(new TreeCache(zk.namespace('/app'), '/', { filter: (path) => path !== '/no' }));
    await cache.start();
    expect(cache.get('/')?.data?.toString()).toBe('app');
    await tree(zk, ['/app/c', '/app/no', '/app/no/c', '/app/d']);
    await until(() => cache.get('/d') !== undefined, 'it follows');
    expect(Object.keys(dumpOf(cache))).toEqual(['/', '/a', '/a/b', '/c', '/d']);
  });

  it('whose root is missing is empty, is not made, and is there when somebody makes it, again and again', async () => {
    await using world = await World.start({ profile });
    const [zk, other] = [await world.client(), await world.client()];
    const cache = world.keep(new TreeCache(zk, '/x/a'));
    const node = world.keep(new NodeCache(zk, '/x/a'));
    const replay = new Replay(cache);
    await Promise.all([cache.start(), node.start()]);
    expect(replay.told).toEqual(['ready']);
    for (let round = 0; round < 3; round += 1) {
      await other.create('/x/a/b', `round ${round}`, { parents: true });
      await inStep(world, cache, replay);
      expect(cache.get('/x/a/b')?.data?.toString()).toBe(`round ${round}`);
      await until(() => node.get() !== undefined, 'the node is there');
      await other.delete('/x', { recursive: true });
      await inStep(world, cache, replay);
      await until(() => node.get() === undefined, 'the node is gone');
    }
    await zk.sync();
    expect(world.server.node('/x')).toBeNull();
  });

  it('goes on after the server has removed its root, an emptied container', async () => {
    await using world = await World.start({ profile, containerCheckInterval: 20 });
    const [zk, other] = [await world.client(), await world.client()];
    const cache = world.keep(new TreeCache(zk, '/box/a'));
    const replay = new Replay(cache);
    await other.create('/box/a/x', 'first', { parents: 'container' });
    await cache.start();
    await other.delete('/box/a/x');
    await until(() => world.server.node('/box/a') === null, 'the reaper has been there');
    await inStep(world, cache, replay);
    await other.create('/box/a/x', 'second', { parents: 'container' });
    await inStep(world, cache, replay);
    expect(cache.get('/box/a/x')?.data?.toString()).toBe('second');
  });

  it('is stale while the connection is lost, serves what it has, and tells what changed meanwhile before resynced', async () => {
    await using world = await World.start({ profile });
    await using proxy = await FaultProxy.start(world.server.connectString);
    const zk = await world.client({}, proxy.connectString);
    const other = await world.client();
    await tree(other, ['/a', '/a/same', '/a/again', '/a/again/below', '/a/changed', '/a/gone']);
    const cache = world.keep(new TreeCache(zk, '/a'));
    const replay = new Replay(cache);
    await cache.start();
    replay.told.length = 0;
    const stale = once(cache, 'stale');
    const resynced = once(cache, 'resynced');
    await proxy.refuse();
    await proxy.cut();
    await stale;
    expect(cache.stale).toBe(true);
    expect(cache.get('/a/gone')?.data?.toString()).toBe('a/gone');
    await other.delete('/a/again', { recursive: true });
    // The same path, data and version: another znode.
    await other.create('/a/again', 'a/again');
    await other.set('/a/changed', 'new');
    await other.delete('/a/gone');
    await other.create('/a/new', 'new');
    await proxy.restore();
    await resynced;
    expect(cache.stale).toBe(false);
    expect(replay.told[0]).toBe('stale');
    expect(replay.told.at(-1)).toBe('resynced');
    expect(replay.told.slice(1, -1).sort()).toEqual([
      'changed /a/changed',
      'created /a/again',
      'created /a/new',
      'deleted /a/again',
      'deleted /a/again/below',
      'deleted /a/gone',
    ]);
    await inStep(world, cache, replay);
    await other.set('/a/new', 'newer');
    await inStep(world, cache, replay);
  }, 20_000);

  it('goes on in the next session', async () => {
    await using world = await World.start({ profile });
    const [zk, other] = [await world.client(), await world.client()];
    await tree(other, ['/a', '/a/b']);
    await zk.create('/a/mine', null, { mode: 'ephemeral' });
    const cache = world.keep(new TreeCache(zk, '/a'));
    const replay = new Replay(cache);
    await cache.start();
    for (let round = 0; round < 3; round += 1) {
      const resynced = once(cache, 'resynced');
      world.server.expireSession(zk.session?.id ?? 0n);
      await resynced;
      await other.set('/a/b', `round ${round}`);
      await inStep(world, cache, replay);
    }
    expect(cache.get('/a/mine')).toBeUndefined();
  }, 30_000);

  it('is ready although znodes vanish between being listed and being read', async () => {
    await using world = await World.start({ profile });
    const [zk, other] = [await world.client(), await world.client()];
    await tree(other, ['/a', '/a/b', '/a/c', '/a/c/d', '/a/e']);
    const victims = new Set(['/a/b', '/a/c', '/a/c/d']);
    world.server.intercept(({ type, path, sessionId }) => {
      if (type !== 'getData' || sessionId !== zk.session?.id || path === null || !victims.delete(path)) return 'pass';
      return other.delete(path, { recursive: true }).then(() => 'pass' as const);
    });
    const cache = world.keep(new TreeCache(zk, '/a'));
    const replay = new Replay(cache);
    await cache.start();
    await inStep(world, cache, replay);
    expect(Object.keys(dumpOf(cache))).toEqual(['/a', '/a/e']);
  });

  it('that is closed leaves nothing: no watch, no listener, a thousand times over', async () => {
    await using world = await World.start({ profile });
    const zk = await world.client();
    await tree(zk, ['/a', '/a/b', '/a/b/c']);
    const events = ['state', 'reconnected', 'renewed', 'lost', 'closed'] as const;
    const listeners = (): number[] => events.map((event) => zk.listenerCount(event));
    const before = listeners();
    for (let round = 0; round < 1_000; round += 1) {
      const cache = round % 2 === 0 ? new TreeCache(zk, '/a') : new NodeCache(zk, '/a/b');
      await cache.start();
      await cache.close();
      expect(cache.get('/a/b')).toBeUndefined();
    }
    await until(() => world.server.watches().length === 0, 'no watch is left');
    expect(listeners()).toEqual(before);
    await until(() => zk.health().inFlight === 0, 'the last watch taken back is answered');
    expect(zk.health()).toMatchObject({ queued: 0, watches: 0 });
  }, 60_000);

  it('that can not start within its time leaves nothing', async () => {
    await using world = await World.start({ profile });
    const zk = await world.client();
    await tree(zk, ['/a']);
    world.server.intercept(({ type }) => (type === 'getData' ? { delay: 400 } : 'pass'));
    const late = new TreeCache(zk, '/a');
    expect(await outcome(late.start({ timeout: 50 }))).toBeInstanceOf(TimeoutError);
    const given = new AbortController();
    const waiting = outcome(new TreeCache(zk, '/a').start({ signal: given.signal }));
    given.abort(new Error('enough'));
    expect(await waiting).toBe(given.signal.reason);
    expect(await outcome(late.start())).toBeInstanceOf(ClosedError);
    await until(() => world.server.watches().length === 0, 'no watch is left');
  });

  it('of what may not be read: the root rejects, others are left out and reported', async () => {
    await using world = await World.start({ profile });
    const [zk, other] = [await world.client(), await world.client()];
    await tree(other, ['/a', '/a/b', '/a/c']);
    await other.addAuth('digest', 'me:secret');
    await other.setAcl('/a/b', ACL.CREATOR);
    const cache = world.keep(new TreeCache(zk, '/a'));
    const replay = new Replay(cache);
    await cache.start();
    expect(Object.keys(dumpOf(cache))).toEqual(['/a', '/a/c']);
    expect(replay.errors).toEqual([expect.objectContaining({ code: 'NO_AUTH', path: '/a/b' })]);
    expect(await outcome(new TreeCache(zk, '/a/b').start())).toBeInstanceOf(NoAuthError);
  });

  it('ends with its client', async () => {
    await using world = await World.start({ profile });
    const zk = await world.client();
    const cache = world.keep(new TreeCache(zk, '/a'));
    const replay = new Replay(cache);
    await cache.start();
    await zk.close();
    expect(replay.told).toEqual(['ready', 'stale']);
    expect(await outcome(new TreeCache(zk, '/a').start())).toBeInstanceOf(ClosedError);
  });
});

describe('a cache', () => {
  it('goes on when the client moves to a server without recursive watches, and back', async () => {
    await using world = await World.start({ members: 2 });
    world.server.intercept(({ type, member }) =>
      member === 1 && (type === 'addWatch' || type === 'setWatches') ? { error: -6 } : 'pass',
    );
    const zk = await world.client({ shuffle: false });
    await tree(zk, ['/a', '/a/b']);
    const cache = world.keep(new TreeCache(zk, '/a'));
    const replay = new Replay(cache);
    await cache.start();
    for (const [left, comesTo] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const resynced = once(cache, 'resynced');
      await world.server.stopMember(left);
      await resynced;
      const other = await world.client({}, world.server.members[comesTo]?.connectString);
      await other.set('/a/b', `on ${comesTo}`);
      await other.create(`/a/b/${comesTo}`, null);
      await inStep(world, cache, replay);
      await world.server.startMember(left);
    }
    await cache.close();
    await until(() => world.server.watches().length === 0, 'no watch is left');
  }, 30_000);

  it('whose watch the server takes back says so, is stale, and goes on when it may', async () => {
    await using world = await World.start();
    const zk = await world.client();
    await tree(zk, ['/a', '/a/b']);
    const cache = world.keep(new TreeCache(zk, '/a'));
    const replay = new Replay(cache);
    await cache.start();
    const off = world.server.intercept(({ type }) =>
      type === 'addWatch' || type === 'setWatches' ? { error: -102 } : 'pass',
    );
    world.server.dropConnections();
    await until(() => replay.errors.length > 0, 'it says so');
    expect(replay.errors[0]).toBeInstanceOf(NoAuthError);
    expect(cache.stale).toBe(true);
    expect(cache.get('/a/b')?.data?.toString()).toBe('a/b');
    off();
    await until(() => !cache.stale, 'it is resynced');
    expect(replay.told.slice(-2)).toEqual(['stale', 'resynced']);
    replay.errors.length = 0;
    await zk.set('/a/b', 'new');
    await inStep(world, cache, replay);
  }, 30_000);

  it('tells nothing after it has been closed, also of what was just read', async () => {
    await using world = await World.start();
    const zk = await world.client();
    await tree(zk, ['/a', '/a/b', '/a/c', '/a/d', '/a/e']);
    const cache = world.keep(new TreeCache(zk, '/a'));
    const replay = new Replay(cache);
    cache.on('created', ({ path }) => {
      if (path === '/a/b') void cache.close();
    });
    expect(await outcome(cache.start())).toBeInstanceOf(ClosedError);
    await zk.sync();
    expect(replay.told.at(-1)).toBe('created /a/b');
    expect([...cache.entries()]).toEqual([]);
  });

  it('refuses what it can not understand', async () => {
    await using world = await World.start();
    const zk = await world.client();
    expect(() => new TreeCache(zk, 'a')).toThrow(PathError);
    expect(() => new NodeCache(zk, '/a/')).toThrow(PathError);
    expect(() => new TreeCache(zk, '/a', { depth: -1 })).toThrow(BadArgumentsError);
    expect(() => new TreeCache(zk, '/a', { depth: Number.NaN })).toThrow(BadArgumentsError);
    expect(() => new TreeCache(zk, '/a', { filter: 'x' as never })).toThrow(BadArgumentsError);
    expect(() => new TreeCache({} as never, '/a')).toThrow(BadArgumentsError);
    expect(() => new TreeCache(zk, '/a', { policy: 'x' as never })).toThrow(BadArgumentsError);
    expect(() => new NodeCache(zk, '/a', { policy: 'x' as never })).toThrow(BadArgumentsError);
    for (const cache of [
      new TreeCache(zk, '/a', { acl: ACL.OPEN, policy: 'suspended' }),
      new NodeCache(zk, '/a', { acl: ACL.OPEN, policy: 'suspended' }),
    ]) {
      for (const options of [{ timeout: -5 }, { signal: 5 }] as object[]) {
        expect(await outcome(cache.start(options))).toBeInstanceOf(BadArgumentsError);
      }
      await cache.start();
      for (const options of [{ timeout: -5 }, { signal: 5 }] as object[]) {
        expect(await outcome(cache.close(options))).toBeInstanceOf(BadArgumentsError);
      }
      await cache.close();
    }
  });

  it('is closed within the patience of whoever waits, and all the same after that', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const [one, two] = [new TreeCache(zk, '/a'), new TreeCache(zk, '/b')];
    await Promise.all([one.start(), two.start()]);
    const off = world.server.intercept(({ type }) => (type === 'removeWatches' ? 'drop-request' : 'pass'));
    expect(await outcome(one.close({ timeout: 20 }))).toBeInstanceOf(TimeoutError);
    const reason = new Error('enough');
    expect(await outcome(two.close({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    off();
    world.server.dropConnections();
    await Promise.all([one.close(), two.close()]);
    await until(() => world.server.watches().length === 0, 'no watch is left');
  });

  it('goes on when a listener or the filter throws, and says so', async () => {
    await using world = await World.start();
    const zk = await world.client();
    await tree(zk, ['/a', '/a/b']);
    const errors: unknown[] = [];
    const filter = (path: string): boolean => {
      if (path === '/a/bad') throw new Error('filter');
      return true;
    };
    const cache = world.keep(new TreeCache(zk, '/a', { filter }));
    cache.on('error', (error) => errors.push(error));
    cache.on('created', ({ path }) => {
      if (path === '/a/b') throw new Error('listener');
    });
    await cache.start();
    await tree(zk, ['/a/bad', '/a/good']);
    await until(() => cache.get('/a/good') !== undefined, 'it goes on');
    expect(new Set(errors.map((error) => (error as Error).message))).toEqual(new Set(['filter', 'listener']));
    expect(cache.get('/a/bad')).toBeUndefined();
  });

  it('that is started before there is a server is ready once there is one', async () => {
    await using world = await World.start();
    await using proxy = await FaultProxy.start(world.server.connectString);
    await tree(await world.client(), ['/a']);
    const zk = await world.client({}, proxy.connectString);
    await proxy.refuse();
    await proxy.cut();
    await until(() => zk.state === 'suspended', 'it is cut off');
    const cache = world.keep(new TreeCache(zk, '/a'));
    const starting = Promise.all([cache.start(), cache.start()]);
    await proxy.restore();
    await starting;
    expect(cache.get()?.data?.toString()).toBe('a');
  }, 20_000);

  it('of one znode knows nothing of its children', async () => {
    await using world = await World.start();
    const zk = await world.client();
    await tree(zk, ['/a', '/a/b']);
    const cache = world.keep(new NodeCache(zk, '/a'));
    const replay = new Replay(cache);
    await cache.start();
    await tree(zk, ['/a/c', '/a/c/d']);
    await zk.set('/a', 'new');
    await until(() => replay.told.includes('changed /a'), 'it follows');
    expect(replay.told).toEqual(['created /a', 'ready', 'changed /a']);
    expect(dumpOf(cache)).toEqual({ '/a': 'new' });
  });
});
