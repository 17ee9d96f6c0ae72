import { describe, expect, it } from '@jest/globals';
import type { ZooKeeper } from '@zookit/client';
import { outcome, sleep, until } from '@zookit/test-world';
import type { Verdict } from '@zookit/testing';
import type { ServiceType } from '../src/index.ts';
import { reconnected, svc, World } from './support/world.ts';

/** Loses the reply of the first create; the server that the client comes to then, the other one, has not heard of it before a sync. */
function lagAfterCreate(world: World, onCreate: () => void = () => {}): void {
  let isLost = false;
  let lags = false;
  world.server.intercept(({ type, wireType, path, member }) => {
    if (!isLost && wireType === 'create2' && path?.startsWith('/services/svc/i1') === true) {
      isLost = true;
      lags = true;
      onCreate();
      return 'disconnect-after';
    }
    if (member === 0 && lags && type === 'connect') return 'disconnect-before';
    if (member !== 1 || !lags) return 'pass';
    if (type === 'sync') lags = false;
    return type === 'exists' || type === 'getChildren' ? { error: -101 } : 'pass';
  });
}

/** Nothing is answered, and nobody let in, from the client's first create on, or its first read of what it made, which ends with that verdict. */
function outage(world: World, request: string, verdict: Verdict, zk: ZooKeeper): { began: Promise<void>; end(): void } {
  let end = (): void => {};
  const began = new Promise<void>((resolve) => {
    let isOut = false;
    end = world.server.intercept(({ wireType, sessionId }) => {
      if (isOut) return 'disconnect-before';
      if (wireType !== request || sessionId !== zk.session?.id) return 'pass';
      if (request !== 'create2' && world.names('svc').length === 0) return 'pass';
      isOut = true;
      resolve();
      return verdict;
    });
  });
  return { began, end: () => end() };
}

describe.each<ServiceType>(['DYNAMIC', 'DYNAMIC_SEQUENTIAL'])(
  'a lost reply and a server that lags, %s',
  (serviceType) => {
    it('the instance is registered once', async () => {
      await using world = await World.start({ members: 2 });
      const { zk, discovery } = await world.service({ shuffle: false });
      await zk.ensurePath('/services/svc');
      lagAfterCreate(world);
      await discovery.register(svc('i1', { serviceType }));
      expect(world.names('svc')).toHaveLength(1);
      await discovery.unregister(svc('i1', { serviceType }));
      expect(world.names('svc')).toEqual([]);
    });

    it('the instance that was taken back meanwhile goes, and stays away', async () => {
      await using world = await World.start({ members: 2 });
      const { zk, discovery } = await world.service({ shuffle: false });
      await zk.ensurePath('/services/svc');
      let unregistering: Promise<void> | undefined;
      lagAfterCreate(world, () => {
        unregistering = discovery.unregister(svc('i1', { serviceType }));
      });
      let registering: Promise<unknown> | undefined;
      await reconnected(zk, () => {
        registering = outcome(discovery.register(svc('i1', { serviceType })));
      });
      expect(await registering).toMatchObject({ code: 'CLOSED' });
      await unregistering;
      await until(() => world.names('svc').length === 0, 'it is gone');
      const writes = world.writes();
      await reconnected(zk, () => world.server.dropConnections());
      await discovery.close();
      expect(writes).toEqual([]);
      expect(world.names('svc')).toEqual([]);
    });
  },
);

describe('an outage that the server forgives and the client does not', () => {
  it.each<[string, string, Verdict, ServiceType, string]>([
    ['a numbered create that was applied', 'create2', 'disconnect-after', 'DYNAMIC_SEQUENTIAL', 'i10000000001'],
    ['a numbered create that was not', 'create2', 'disconnect-before', 'DYNAMIC_SEQUENTIAL', 'i10000000000'],
    ['the look for a numbered one that was made', 'exists', 'disconnect-before', 'DYNAMIC_SEQUENTIAL', 'i10000000001'],
    ['the read of a numbered one that was made', 'getData', 'disconnect-before', 'DYNAMIC_SEQUENTIAL', 'i10000000001'],
    ['a create that was applied', 'create2', 'disconnect-after', 'DYNAMIC', 'i1'],
    ['the read of one that was made', 'getData', 'disconnect-before', 'DYNAMIC', 'i1'],
  ])('at %s: one znode is there, of the present session', async (_, request, verdict, serviceType, expected) => {
    const timeout = 60_000;
    await using world = await World.start({ maxSessionTimeout: timeout });
    let ahead = 0;
    const clock = { now: () => performance.now() + ahead };
    const { zk, discovery } = await world.service({ sessionTimeout: timeout, environment: { clock } });
    const earlier = zk.session?.id;
    await zk.ensurePath('/services/svc');
    const out = outage(world, request, verdict, zk);
    const registering = discovery.register(svc('i1', { serviceType }));
    await out.began;
    await world.server.stopMember(0);
    // Its time is up, by its own clock, and so is the time in which it would have ended the session on the server.
    zk.once('lost', () => {
      ahead += 2 * timeout;
    });
    ahead += timeout;
    const answered = zk.sync();
    out.end();
    await world.server.startMember(0);
    await registering;
    expect(world.server.node(`/services/svc/${expected}`)?.stat.ephemeralOwner).toBe(zk.session?.id);
    await answered;
    await until(() => world.names('svc').length === 1, 'that of the earlier session is gone');
    expect(world.names('svc')).toEqual([expected]);
    expect(zk.session?.id).not.toBe(earlier);
    expect(world.server.sessions().map(({ id }) => id)).toContain(earlier);
    await discovery.unregister(svc('i1', { serviceType }));
    expect(world.names('svc')).toEqual([]);
  });
});

describe('a numbered instance', () => {
  it('of another discovery of the same client is not taken for its own', async () => {
    await using world = await World.start();
    const { zk, discovery } = await world.service();
    const other = world.discovery(zk);
    const instance = svc('i1', { serviceType: 'DYNAMIC_SEQUENTIAL' });
    await discovery.register(instance);
    const cut = world.once(['create2'], 'disconnect-before', zk);
    await other.register(instance);
    await cut;
    expect(world.names('svc')).toHaveLength(2);
    await other.unregister(instance);
    expect(world.names('svc')).toEqual(['i10000000000']);
  });
});

describe('an overloaded server', () => {
  it('does not make close() take back a PERMANENT instance whose update it has not let through', async () => {
    await using world = await World.start();
    const { zk, discovery } = await world.service({ retry: false });
    await discovery.register(svc('i1', { serviceType: 'PERMANENT' }));
    let tries = 0;
    world.server.intercept(({ type }) => {
      if (type !== 'setData') return 'pass';
      tries += 1;
      return { error: -127 };
    });
    const updating = outcome(discovery.update(svc('i1', { serviceType: 'PERMANENT', port: 2 })));
    await until(() => tries >= 3, 'it is tried');
    const writes = world.writes();
    await discovery.close();
    expect(await updating).toMatchObject({ code: 'CLOSED' });
    // Longer than the pause that it was in: what must not come has no condition to wait for.
    await sleep(250);
    await zk.sync();
    expect(writes).toEqual([]);
    expect(world.names('svc')).toEqual(['i1']);
  });

  it('that does not let a watch through is asked for it again', async () => {
    await using world = await World.start();
    const { zk, discovery } = await world.service({ retry: false });
    const other = await world.client();
    await discovery.register(svc('i1'));
    const throttled = world.once(['exists'], { error: -127 }, zk);
    await other.set('/services/svc/i1', 'theirs');
    await throttled;
    await until(() => world.server.watches('/services/svc/i1').length === 1, 'it is watched again');
    expect(world.json('svc/i1')).toBe('theirs');
    await other.delete('/services/svc/i1');
    await until(() => world.names('svc').length === 1, 'it is back');
  });
});
