import { describe, expect, it } from '@jest/globals';
import { BadArgumentsError, ClosedError, NoAuthError, TimeoutError, type ZooKeeper } from '@zookit/client';
import { outcome, until } from '@zookit/test-world';
import { FaultProxy } from '@zookit/testing';
import {
  type InstancesChange,
  type InvalidInstance,
  type ServiceCache,
  type ServiceInstance,
  serviceInstance,
  weighted,
} from '../src/index.ts';
import { reconnected, svc, World } from './support/world.ts';

const ids = (instances: readonly ServiceInstance[]): string[] => instances.map(({ id }) => id).sort();

/** What a cache told, in words. */
function told(cache: ServiceCache): string[] {
  const words: string[] = [];
  cache.on('change', ({ added, removed, updated }: InstancesChange) => {
    for (const { id } of added) words.push(`+${id}`);
    for (const { id } of removed) words.push(`-${id}`);
    for (const { id } of updated) words.push(`=${id}`);
  });
  cache.on('stale', () => words.push('stale'));
  cache.on('resynced', () => words.push('resynced'));
  return words;
}

async function register(world: World, ...names: readonly string[]): Promise<ZooKeeper> {
  const { zk, discovery } = await world.service();
  await Promise.all(names.map((id) => discovery.register(svc(id))));
  return zk;
}

describe('finding', () => {
  it('lists names and instances, and knows of none where nothing is', async () => {
    await using world = await World.start();
    const { discovery } = await world.service();
    expect(await discovery.names()).toEqual([]);
    expect(await discovery.instances('svc')).toEqual([]);
    const one = svc('i1', { payload: { zone: 'a' } });
    await discovery.register(one);
    await discovery.register(serviceInstance({ name: 'another', port: 1 }));
    expect(await discovery.names()).toEqual(['another', 'svc']);
    expect(await discovery.instances('svc')).toEqual([one]);
  });

  it('reads enabled with compatible: false, and writes it', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const discovery = world.discovery(zk, { compatible: false, basePath: '/apps' });
    await discovery.register(svc('i1', { enabled: false }));
    expect(world.server.node('/apps/svc/i1')?.data?.toString()).toContain(',"enabled":false}');
    expect((await discovery.instances('svc'))[0]?.enabled).toBe(false);
  });

  it('a broken instance hides no other, and is told of', async () => {
    await using world = await World.start();
    const { zk, discovery } = await world.service();
    await register(world, 'i1', 'i2');
    await zk.create('/services/svc/broken', '127.0.0.1');
    const invalid: InvalidInstance[] = [];
    discovery.on('invalid', (each) => invalid.push(each));
    expect(ids(await discovery.instances('svc'))).toEqual(['i1', 'i2']);
    expect(invalid).toEqual([
      {
        path: '/services/svc/broken',
        data: Buffer.from('127.0.0.1'),
        error: expect.objectContaining({ name: 'SyntaxError' }),
      },
    ]);
    await using cache = discovery.cache('svc');
    const words = told(cache);
    await cache.start();
    expect(ids(cache.instances)).toEqual(['i1', 'i2']);
    expect(invalid).toHaveLength(2);
    // It leaves when it breaks, and is back when it is whole.
    const json = world.json('svc/i1') ?? '';
    await zk.set('/services/svc/i1', '{');
    await until(() => words.includes('-i1'), 'it has left');
    expect(invalid).toHaveLength(3);
    await zk.set('/services/svc/i1', json);
    await until(() => words.includes('+i1'), 'it is back');
    expect(ids(cache.instances)).toEqual(['i1', 'i2']);
  });

  it('what may not be read is told of', async () => {
    await using world = await World.start();
    const { discovery } = await world.service();
    const owner = await register(world, 'i1', 'i2');
    await owner.addAuth('digest', 'me:secret');
    await owner.setAcl('/services/svc/i2', [{ perms: 31, scheme: 'auth', id: '' }]);
    const invalid: InvalidInstance[] = [];
    discovery.on('invalid', (each) => invalid.push(each));
    expect(ids(await discovery.instances('svc'))).toEqual(['i1']);
    expect(invalid).toEqual([{ path: '/services/svc/i2', data: null, error: expect.any(NoAuthError) }]);
  });

  it('takes part of thousands', async () => {
    await using world = await World.start();
    const { zk, discovery } = await world.service();
    await zk.create('/services/svc', null, { parents: true });
    const json = (id: string): string => JSON.stringify({ name: 'svc', id, payload: 'x'.repeat(100) });
    await Promise.all(Array.from({ length: 3_000 }, (_, i) => zk.create(`/services/svc/${i}`, json(String(i)))));
    expect(await discovery.instances('svc')).toHaveLength(3_000);
    await using cache = discovery.cache('svc');
    await cache.start();
    expect(cache.instances).toHaveLength(3_000);
  }, 20_000);
});

describe('a cache of instances', () => {
  it('is complete when start resolves, and says what was added, removed and updated', async () => {
    await using world = await World.start();
    const { discovery } = await world.service();
    const { discovery: other } = await world.service();
    await other.register(svc('i1'));
    const cache = discovery.cache('svc');
    const words = told(cache);
    expect(cache.instances).toEqual([]);
    await Promise.all([cache.start(), cache.start()]);
    expect(cache.instances).toEqual([svc('i1')]);
    await other.register(svc('i2'));
    await until(() => words.length === 1, 'it is told');
    await other.update(svc('i2', { port: 81 }));
    await until(() => words.length === 2, 'it is told');
    expect(cache.instances.find(({ id }) => id === 'i2')?.port).toBe(81);
    await other.unregister(svc('i1'));
    await until(() => words.length === 3, 'it is told');
    expect(words).toEqual(['+i2', '=i2', '-i1']);
    await cache.close();
    await cache.close();
    expect(cache.instances).toEqual([]);
    expect(await outcome(cache.start())).toBeInstanceOf(ClosedError);
    await until(() => world.server.watches('/services/svc').length === 0, 'no watch is left');
  });

  it('of a service that does not exist yet is empty, makes nothing, and fills', async () => {
    await using world = await World.start();
    const { discovery } = await world.service();
    const cache = discovery.cache('svc');
    await cache.start();
    expect(cache.instances).toEqual([]);
    expect(world.server.node('/services')).toBeNull();
    await register(world, 'i1');
    await until(() => cache.instances.length === 1, 'it is there');
  });

  it('serves what it knew while it is cut off, marked stale, and tells then what changed, as one change', async () => {
    await using world = await World.start();
    await using proxy = await FaultProxy.start(world.server.connectString);
    const { zk, discovery } = await world.service({}, proxy.connectString);
    const { discovery: other } = await world.service();
    for (const id of ['i1', 'i2', 'i3', 'i4']) await other.register(svc(id));
    const provider = discovery.provider('svc');
    const words = told(provider);
    const changes: InstancesChange[] = [];
    provider.on('change', (change) => changes.push(change));
    await provider.start();
    expect(provider.stale).toBe(false);
    await proxy.refuse();
    await proxy.cut();
    await until(() => words.includes('stale'), 'it knows');
    expect(provider.stale).toBe(true);
    await other.unregister(svc('i1'));
    await other.update(svc('i2', { port: 81 }));
    await other.register(svc('i5'));
    // Comes back as it was: the znode is another one, the instance is not.
    await other.unregister(svc('i3'));
    await other.register(svc('i3'));
    expect(ids(provider.all())).toEqual(['i1', 'i2', 'i3', 'i4']);
    expect(provider.get()).not.toBeNull();
    await reconnected(zk, () => proxy.restore());
    await until(() => words.includes('resynced'), 'it is in step');
    expect(words).toEqual(['stale', '+i5', '-i1', '=i2', 'resynced']);
    expect(changes).toHaveLength(1);
    expect(provider.stale).toBe(false);
    expect(ids(provider.all())).toEqual(['i2', 'i3', 'i4', 'i5']);
  }, 20_000);

  it('sees nobody leave when the connection of a service is cut', async () => {
    await using world = await World.start();
    await using proxy = await FaultProxy.start(world.server.connectString);
    const { zk, discovery } = await world.service({}, proxy.connectString);
    const { discovery: observer } = await world.service();
    for (const serviceType of ['DYNAMIC', 'DYNAMIC_SEQUENTIAL', 'STATIC'] as const) {
      await discovery.register(svc(serviceType, { serviceType }));
    }
    const cache = observer.cache('svc');
    await cache.start();
    const words = told(cache);
    for (let round = 0; round < 3; round += 1) await reconnected(zk, () => proxy.cut());
    await discovery.register(svc('last'));
    await until(() => words.length > 0, 'the last one is there');
    expect(words).toEqual(['+last']);
  }, 20_000);

  it('costs the server one watch for a service, however many there are, and nothing is left after a thousand', async () => {
    await using world = await World.start();
    const { zk, discovery } = await world.service();
    await register(world, 'i1');
    const first = discovery.provider('svc');
    await first.start();
    const before = zk.listenerCount('state');
    let requests = 0;
    world.server.intercept(() => {
      requests += 1;
      return 'pass';
    });
    for (let round = 0; round < 1_000; round += 1) {
      await using provider = discovery.provider('svc');
      await provider.start();
      expect(provider.get()?.id).toBe('i1');
    }
    // Pings aside.
    expect(requests).toBeLessThan(10);
    expect(zk.listenerCount('state')).toBe(before);
    expect(world.server.watches().filter(({ sessionId }) => sessionId === zk.session?.id)).toHaveLength(1);
    await first.close();
    for (let round = 0; round < 300; round += 1) {
      await using provider = discovery.provider('svc');
      await provider.start();
    }
    await until(
      () => world.server.watches().every(({ sessionId }) => sessionId !== zk.session?.id),
      'no watch is left',
    );
    expect(zk.listenerCount('state')).toBe(0);
  }, 30_000);

  it('that can not be started in time is closed, and the next one begins anew', async () => {
    await using world = await World.start();
    const { zk, discovery } = await world.service();
    const off = world.server.intercept(({ type }) => (type === 'getData' ? { delay: 300 } : 'pass'));
    await zk.create('/services/svc', null, { parents: true });
    expect(await outcome(discovery.cache('svc').start({ timeout: 20 }))).toBeInstanceOf(TimeoutError);
    off();
    await using next = discovery.cache('svc');
    await next.start();
    const owner = await world.client();
    await owner.addAuth('digest', 'me:secret');
    await owner.create('/services/secret', null, { acl: [{ perms: 31, scheme: 'auth', id: '' }] });
    expect(await outcome(discovery.cache('secret').start())).toBeInstanceOf(NoAuthError);
    await owner.setAcl('/services/secret', [{ perms: 31, scheme: 'world', id: 'anyone' }]);
    await discovery.cache('secret').start();
  });

  it('refuses what is no signal and no timeout, and so does the discovery', async () => {
    await using world = await World.start();
    const { discovery } = await world.service();
    const all = [discovery.cache('svc'), discovery.provider('svc')];
    for (const options of [{ timeout: -5 }, { signal: 5 }] as object[]) {
      for (const each of all) expect(await outcome(each.start(options))).toBeInstanceOf(BadArgumentsError);
      expect(await outcome(discovery.register(svc('i1'), options))).toBeInstanceOf(BadArgumentsError);
      expect(await outcome(discovery.names(options))).toBeInstanceOf(BadArgumentsError);
      expect(await outcome(discovery.instances('svc', options))).toBeInstanceOf(BadArgumentsError);
    }
    for (const each of all) await each.start();
    for (const options of [{ timeout: -5 }, { signal: 5 }] as object[]) {
      for (const each of [...all, discovery])
        expect(await outcome(each.close(options))).toBeInstanceOf(BadArgumentsError);
    }
    await Promise.all([...all, discovery].map((each) => each.close({ timeout: 5_000 })));
  });

  it('ends with its discovery', async () => {
    await using world = await World.start();
    const { zk, discovery } = await world.service();
    const [cache, provider] = [discovery.cache('svc'), discovery.provider('svc')];
    await Promise.all([cache.start(), provider.start()]);
    await discovery.close();
    expect(await outcome(cache.start())).toBeInstanceOf(ClosedError);
    expect(provider.get()).toBeNull();
    expect(() => discovery.cache('svc')).toThrow(ClosedError);
    await until(() => world.server.watches().length === 0, 'no watch is left');
    expect(zk.listenerCount('state')).toBe(0);
  });
});

describe('a provider', () => {
  it('gives out each in turn', async () => {
    await using world = await World.start();
    const { discovery } = await world.service();
    await register(world, 'i1', 'i2', 'i3');
    await using provider = discovery.provider('svc');
    expect(provider.get()).toBeNull();
    await provider.start();
    const given = Array.from({ length: 6 }, () => provider.get()?.id);
    expect(new Set(given.slice(0, 3))).toEqual(new Set(['i1', 'i2', 'i3']));
    expect(given.slice(3)).toEqual(given.slice(0, 3));
  });

  it('gives out one at random, or the same again, or by weight, or as it is told', async () => {
    await using world = await World.start();
    const numbers = [0, 0.5, 0.99];
    const environment = { random: () => numbers.shift() ?? 0 };
    const { discovery } = await world.service();
    const { discovery: loaded } = await world.service();
    const weights: Record<string, number> = { i1: 1, i2: 3, i3: 0 };
    for (const id of ['i1', 'i2', 'i3']) await loaded.register(svc(id, { payload: weights[id] }));
    const client = await world.client({ environment, shuffle: false });
    numbers.splice(0, numbers.length, 0, 0.5, 0.99);
    const random = world.discovery(client).provider('svc', { strategy: 'random' });
    await random.start();
    numbers.splice(0, numbers.length, 0, 0.5, 0.99);
    expect([random.get(), random.get(), random.get()].map((each) => each?.id).sort()).toEqual(['i1', 'i2', 'i3']);
    const sticky = discovery.provider('svc', { strategy: 'sticky', downAfter: 1 });
    await sticky.start();
    const chosen = sticky.get() as ServiceInstance;
    expect(Array.from({ length: 10 }, () => sticky.get()?.id)).toEqual(Array(10).fill(chosen.id));
    sticky.noteError(chosen);
    expect(sticky.get()?.id).not.toBe(chosen.id);
    let turn = 0;
    const strategy = weighted(
      ({ payload }) => payload as number,
      () => (turn++ % 4) / 4,
    );
    const byWeight = discovery.provider('svc', { strategy });
    await byWeight.start();
    const counts: Record<string, number> = {};
    for (let i = 0; i < 40; i += 1) {
      const { id } = byWeight.get() as ServiceInstance;
      counts[id] = (counts[id] ?? 0) + 1;
    }
    expect(counts).toEqual({ i1: 10, i2: 30 });
    const last = discovery.provider('svc', { strategy: (all) => all.find(({ id }) => id === 'i3') });
    await last.start();
    expect(last.get()?.id).toBe('i3');
  });

  it('keeps to the filter and to those that are enabled', async () => {
    await using world = await World.start();
    const { zk } = await world.service();
    const discovery = world.discovery(zk, { compatible: false });
    await discovery.register(svc('i1', { payload: 'a' }));
    await discovery.register(svc('i2', { payload: 'b' }));
    await discovery.register(svc('i3', { payload: 'b', enabled: false }));
    await using provider = discovery.provider('svc', { filter: ({ payload }) => payload === 'b' });
    await provider.start();
    expect(ids(provider.all())).toEqual(['i2']);
    expect(ids(provider.instances)).toEqual(['i1', 'i2', 'i3']);
    await using none = discovery.provider('svc', { filter: () => false });
    await none.start();
    expect(none.get()).toBeNull();
  });

  it('leaves one out that fails, for a while, or until it comes anew', async () => {
    await using world = await World.start();
    let now = 0;
    const clock = { now: () => performance.now() + now };
    const zk = await world.client({ environment: { clock }, sessionTimeout: 20_000 });
    const discovery = world.discovery(zk);
    const { discovery: other } = await world.service();
    await other.register(svc('i1'));
    await other.register(svc('i2'));
    await using provider = discovery.provider('svc', { downAfter: 2, downFor: 4_000 });
    await provider.start();
    const one = svc('i1');
    provider.noteError(one);
    expect(ids(provider.all())).toEqual(['i1', 'i2']);
    // Too far apart.
    now += 4_001;
    provider.noteError(one);
    expect(ids(provider.all())).toEqual(['i1', 'i2']);
    provider.noteError(one);
    expect(ids(provider.all())).toEqual(['i2']);
    provider.noteError(one);
    now += 3_000;
    expect(ids(provider.all())).toEqual(['i2']);
    now += 1_001;
    expect(ids(provider.all())).toEqual(['i1', 'i2']);
    provider.noteError(one);
    provider.noteError(one);
    expect(ids(provider.all())).toEqual(['i2']);
    await other.unregister(one);
    await other.register(one);
    await until(() => ids(provider.all()).length === 2, 'it has come anew');
  });

  it.each<[string, object]>([
    ['strategy', { strategy: 'best' }],
    ['filter', { filter: 'x' }],
    ['downAfter', { downAfter: 0 }],
    ['downFor', { downFor: -1 }],
  ])('refuses a %s that it can not understand', async (what, options) => {
    await using world = await World.start();
    const { discovery } = await world.service();
    expect(() => discovery.provider('svc', options)).toThrow(BadArgumentsError);
    expect(() => discovery.provider('svc', options)).toThrow(what);
  });
});
