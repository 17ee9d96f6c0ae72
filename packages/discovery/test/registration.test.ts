import { describe, expect, it } from '@jest/globals';
import {
  ACL,
  BadArgumentsError,
  ClosedError,
  NoAuthError,
  NodeExistsError,
  PathError,
  TimeoutError,
  ZooKeeper,
} from '@zookit/client';
import { outcome, until } from '@zookit/test-world';
import { FaultProxy } from '@zookit/testing';
import { ServiceDiscovery, type ServiceType, serviceInstance } from '../src/index.ts';
import { reconnected, svc, World } from './support/world.ts';

const types: readonly ServiceType[] = ['DYNAMIC', 'STATIC', 'PERMANENT', 'DYNAMIC_SEQUENTIAL'];

describe.each(types)('an instance that is %s', (serviceType) => {
  const isDynamic = serviceType.startsWith('DYNAMIC');
  const znode = serviceType === 'DYNAMIC_SEQUENTIAL' ? 'i10000000000' : 'i1';

  it('is registered, updated and taken back where Curator has it', async () => {
    await using world = await World.start();
    const { zk, discovery } = await world.service();
    await discovery.register(svc('i1', { serviceType, payload: 'one' }));
    expect(world.names('svc')).toEqual([znode]);
    const node = world.server.node(`/services/svc/${znode}`);
    expect(node?.stat.ephemeralOwner).toBe(isDynamic ? zk.session?.id : 0n);
    expect(node?.data?.toString()).toBe(
      `{"name":"svc","id":"i1","address":"10.0.0.1","port":80,"sslPort":null,"payload":"one","registrationTimeUTC":1,"serviceType":"${serviceType}","uriSpec":null}`,
    );
    expect(world.server.node('/services')?.data).toEqual(Buffer.alloc(0));
    await discovery.update(svc('i1', { serviceType, payload: 'two' }));
    expect(world.names('svc')).toEqual([znode]);
    expect(world.json(`svc/${znode}`)).toContain('"payload":"two"');
    // Registered once more, it is an update.
    await discovery.register(svc('i1', { serviceType, payload: 'three' }));
    expect(world.names('svc')).toEqual([znode]);
    expect(world.json(`svc/${znode}`)).toContain('"payload":"three"');
    await discovery.unregister(svc('i1', { serviceType }));
    expect(world.names('svc')).toEqual([]);
    await until(() => world.server.watches().length === 0, 'no watch is left');
    await discovery.unregister(svc('i1', { serviceType }));
    expect(world.errors).toEqual([]);
  });

  it('stays as it is when the connection is lost and the session lives on', async () => {
    await using world = await World.start();
    const { zk, discovery } = await world.service();
    await discovery.register(svc('i1', { serviceType }));
    const czxid = world.server.node(`/services/svc/${znode}`)?.stat.czxid;
    const writes = world.writes();
    for (let round = 0; round < 3; round += 1) await reconnected(zk, () => world.server.dropConnections());
    const other = await world.client();
    await other.sync();
    expect(writes).toEqual([]);
    expect(world.names('svc')).toEqual([znode]);
    expect(world.server.node(`/services/svc/${znode}`)?.stat.czxid).toBe(czxid);
    expect(world.server.watches().length).toBeLessThanOrEqual(1);
  });

  it('is back in the next session, as it was updated last', async () => {
    await using world = await World.start();
    const { zk, discovery } = await world.service();
    await discovery.register(svc('i1', { serviceType, payload: 'one' }));
    await discovery.update(svc('i1', { serviceType, payload: 'two' }));
    const id = zk.session?.id;
    world.server.expireSession(id ?? 0n);
    const owner = (): bigint | undefined =>
      world.server.node(`/services/svc/${world.names('svc')[0]}`)?.stat.ephemeralOwner;
    await until(
      () => zk.session !== null && zk.session.id !== id && owner() === (isDynamic ? zk.session.id : 0n),
      'it is back',
    );
    expect(world.names('svc')).toHaveLength(1);
    expect(world.json(`svc/${world.names('svc')[0]}`)).toContain('"payload":"two"');
    await discovery.unregister(svc('i1', { serviceType }));
    expect(world.names('svc')).toEqual([]);
  });

  it('is there once when the reply of its create is lost, and gone when it is taken back', async () => {
    await using world = await World.start();
    const { zk, discovery } = await world.service();
    await zk.ensurePath('/services/svc');
    const cut = world.once(['create', 'create2'], 'disconnect-after', zk);
    await discovery.register(svc('i1', { serviceType }));
    await cut;
    expect(world.names('svc')).toEqual([znode]);
    await discovery.unregister(svc('i1', { serviceType }));
    expect(world.names('svc')).toEqual([]);
  });

  it('that is taken back before the lost reply of its create is known leaves nothing', async () => {
    await using world = await World.start();
    const { zk, discovery } = await world.service();
    await zk.ensurePath('/services/svc');
    const cut = world.once(['create', 'create2'], 'disconnect-after', zk);
    const registering = outcome(discovery.register(svc('i1', { serviceType })));
    await cut;
    const back = reconnected(zk, () => discovery.unregister(svc('i1', { serviceType })));
    expect(await registering).toBeInstanceOf(ClosedError);
    await back;
    await until(() => world.names('svc').length === 0, 'it is gone');
    await reconnected(zk, () => world.server.dropConnections());
    expect(world.names('svc')).toEqual([]);
  });

  it('that is taken back during an outage is gone for good', async () => {
    await using world = await World.start();
    await using proxy = await FaultProxy.start(world.server.connectString);
    const { zk, discovery } = await world.service({}, proxy.connectString);
    await discovery.register(svc('i1', { serviceType }));
    await proxy.refuse();
    await proxy.cut();
    await until(() => zk.state === 'suspended', 'it is cut off');
    await discovery.unregister({ name: 'svc', id: 'i1' });
    await discovery.unregister(svc('i1', { serviceType }));
    expect(world.names('svc')).toEqual([znode]);
    await proxy.restore();
    await until(() => world.names('svc').length === 0, 'it is gone');
    await reconnected(zk, () => proxy.cut());
    expect(world.names('svc')).toEqual([]);
    await until(() => zk.listenerCount('state') === 0, 'nothing listens');
    expect(world.errors).toEqual([]);
  }, 20_000);

  it('that is taken back while the link is dead and whose session ends does not come back', async () => {
    await using world = await World.start();
    await using proxy = await FaultProxy.start(world.server.connectString);
    const { zk, discovery } = await world.service({ sessionTimeout: 1_000 }, proxy.connectString);
    await discovery.register(svc('i1', { serviceType }));
    const lost = new Promise<void>((resolve) => zk.once('lost', resolve));
    await proxy.blackhole();
    await discovery.unregister(svc('i1', { serviceType }));
    await lost;
    const renewed = new Promise<void>((resolve) => zk.once('renewed', resolve));
    await proxy.restore();
    await renewed;
    await zk.sync();
    await until(() => world.names('svc').length === 0, 'it is gone');
  }, 20_000);

  it('goes when the discovery is closed, unless it is PERMANENT', async () => {
    await using world = await World.start();
    const { zk, discovery } = await world.service();
    await discovery.register(svc('i1', { serviceType }));
    await discovery.close();
    await discovery.close();
    expect(world.names('svc')).toEqual(serviceType === 'PERMANENT' ? ['i1'] : []);
    await until(() => world.server.watches().length === 0, 'no watch is left');
    expect(zk.listenerCount('state')).toBe(0);
    expect(await outcome(discovery.register(svc('i2')))).toBeInstanceOf(ClosedError);
  });

  it('comes back when somebody deletes it', async () => {
    await using world = await World.start();
    const { discovery } = await world.service();
    const other = await world.client();
    await discovery.register(svc('i1', { serviceType }));
    for (let round = 0; round < 3; round += 1) {
      const [name] = world.names('svc');
      const czxid = world.server.node(`/services/svc/${name}`)?.stat.czxid ?? 0n;
      await other.delete(`/services/svc/${name}`);
      const again = (): bigint => world.server.node(`/services/svc/${world.names('svc')[0]}`)?.stat.czxid ?? 0n;
      await until(() => again() > czxid && world.server.watches().length === 1, 'it is back, and watched');
    }
    expect(world.names('svc')).toHaveLength(1);
  });

  it('is registered on the first connection when the server is away at the start', async () => {
    await using world = await World.start();
    await using proxy = await FaultProxy.start(world.server.connectString);
    await proxy.refuse();
    await using zk = new ZooKeeper(proxy.connectString, { connectTimeout: 0 });
    const connecting = zk.connect();
    const discovery = world.discovery(zk);
    const registering = discovery.register(svc('i1', { serviceType }));
    await proxy.restore();
    await connecting;
    await registering;
    expect(world.names('svc')).toEqual([znode]);
    await discovery.close();
  }, 20_000);
});

describe('registering', () => {
  it('that can not be done within its time is taken back', async () => {
    await using world = await World.start();
    await using proxy = await FaultProxy.start(world.server.connectString);
    const { zk, discovery } = await world.service({}, proxy.connectString);
    await proxy.refuse();
    await proxy.cut();
    await until(() => zk.state === 'suspended', 'it is cut off');
    expect(await outcome(discovery.register(svc('i1'), { timeout: 20 }))).toBeInstanceOf(TimeoutError);
    const given = new AbortController();
    const aborted = outcome(discovery.register(svc('i2'), { signal: given.signal }));
    given.abort(new Error('enough'));
    expect(await aborted).toBe(given.signal.reason);
    const kept = discovery.register(svc('i3'));
    await reconnected(zk, () => proxy.restore());
    await kept;
    expect(world.names('svc')).toEqual(['i3']);
  }, 20_000);

  it('an update during an outage is written when the server is back', async () => {
    await using world = await World.start();
    await using proxy = await FaultProxy.start(world.server.connectString);
    const { zk, discovery } = await world.service({}, proxy.connectString);
    await discovery.register(svc('i1', { payload: 0 }));
    await proxy.refuse();
    await proxy.cut();
    await until(() => zk.state === 'suspended', 'it is cut off');
    const updates = [1, 2, 3].map((payload) => discovery.update(svc('i1', { payload })));
    expect(await outcome(discovery.update(svc('i1', { payload: 4 }), { timeout: 10 }))).toBeInstanceOf(TimeoutError);
    await proxy.restore();
    await Promise.all(updates);
    expect(world.json('svc/i1')).toContain('"payload":4');
  }, 20_000);

  it('is refused: it rejects with that, and leaves nothing', async () => {
    await using world = await World.start();
    const { zk, discovery } = await world.service();
    const admin = await world.client();
    await admin.addAuth('digest', 'me:secret');
    await admin.create('/services/svc', null, { parents: true });
    await admin.setAcl('/services/svc', [...ACL.CREATOR, ...ACL.READ]);
    expect(await outcome(discovery.register(svc('i1')))).toBeInstanceOf(NoAuthError);
    expect(await outcome(discovery.update(svc('i1')))).toBeInstanceOf(BadArgumentsError);
    await until(() => zk.listenerCount('state') === 0, 'nothing listens');
    expect(world.errors).toEqual([]);
  });

  it('takes over what another session has left under its id, and does not fight for it', async () => {
    await using world = await World.start();
    const [one, two] = [await world.service(), await world.service()];
    await one.discovery.register(svc('i1', { payload: 'one' }));
    await two.discovery.register(svc('i1', { payload: 'two' }));
    await until(() => world.errors.length > 0, 'the first one says so');
    expect(world.errors[0]).toBeInstanceOf(NodeExistsError);
    expect(world.json('svc/i1')).toContain('"payload":"two"');
    await reconnected(one.zk, () => world.server.dropConnections());
    await two.zk.sync();
    expect(world.json('svc/i1')).toContain('"payload":"two"');
    // Its own is the one that counts again when the other has left.
    await two.discovery.unregister(svc('i1'));
    await until(() => world.json('svc/i1')?.includes('"payload":"one"') === true, 'the first one is back');
    // What the first takes back is its own alone.
    await two.discovery.register(svc('i1', { payload: 'two' }));
    await one.discovery.unregister(svc('i1'));
    expect(world.json('svc/i1')).toContain('"payload":"two"');
  });

  it('replaces an instance of another type, and removes what an earlier process left', async () => {
    await using world = await World.start();
    const { zk, discovery } = await world.service();
    await discovery.register(svc('i1', { serviceType: 'PERMANENT' }));
    await discovery.update(svc('i1', { serviceType: 'DYNAMIC' }));
    expect(world.server.node('/services/svc/i1')?.stat.ephemeralOwner).toBe(zk.session?.id);
    await discovery.update(svc('i1', { serviceType: 'PERMANENT' }));
    await discovery.close();
    expect(world.names('svc')).toEqual(['i1']);
    const next = world.discovery(zk);
    await next.unregister(svc('i1', { serviceType: 'PERMANENT' }));
    expect(world.names('svc')).toEqual([]);
  });

  it('leaves alone what somebody else writes into the znode, until it reconnects', async () => {
    await using world = await World.start();
    const { zk, discovery } = await world.service();
    const other = await world.client();
    await discovery.register(svc('i1'));
    const json = world.json('svc/i1') ?? '';
    await other.set('/services/svc/i1', json.replace('80', '81'));
    await until(() => world.server.watches('/services/svc/i1').length === 1, 'it is watched again');
    expect(world.json('svc/i1')).toContain('81');
    await other.delete('/services/svc/i1');
    await until(() => world.json('svc/i1') === json, 'it is back');
    await other.set('/services/svc/i1', json.replace('80', '81'));
    await reconnected(zk, () => world.server.dropConnections());
    await until(() => world.json('svc/i1') === json, 'it is what was registered');
  });

  it('says what is wrong with its arguments', async () => {
    await using world = await World.start();
    const { zk, discovery } = await world.service();
    expect(await outcome(discovery.register({ ...svc('i1'), port: -1 }))).toBeInstanceOf(BadArgumentsError);
    expect(await outcome(discovery.register({ ...svc('i1'), payload: () => {} }))).toBeInstanceOf(BadArgumentsError);
    expect(await outcome(discovery.register(svc('i1'), { timeout: -1 }))).toBeInstanceOf(BadArgumentsError);
    expect(await outcome(discovery.update(svc('i1')))).toBeInstanceOf(BadArgumentsError);
    const permanent = svc('i1', { serviceType: 'PERMANENT' });
    expect(await outcome(discovery.unregister(permanent, { timeout: -1 }))).toBeInstanceOf(BadArgumentsError);
    expect(await outcome(discovery.instances('a/b'))).toBeInstanceOf(BadArgumentsError);
    expect(() => discovery.cache('..')).toThrow(PathError);
    for (const nothing of [undefined, null, 'i1', {}] as never[]) {
      expect(await outcome(discovery.register(nothing))).toBeInstanceOf(BadArgumentsError);
      expect(await outcome(discovery.update(nothing))).toBeInstanceOf(BadArgumentsError);
      expect(await outcome(discovery.unregister(nothing))).toBeInstanceOf(BadArgumentsError);
      expect(() => serviceInstance(nothing)).toThrow(BadArgumentsError);
    }
    expect(() => discovery.provider(undefined as never)).toThrow(BadArgumentsError);
    expect(() => discovery.cache(undefined as never)).toThrow(BadArgumentsError);
    expect(() => new ServiceDiscovery(zk, { basePath: 'services' })).toThrow(PathError);
    expect(() => new ServiceDiscovery(zk, { policy: 'x' as never })).toThrow(BadArgumentsError);
    expect(zk.listenerCount('state')).toBe(0);
  });

  it('takes what is missing as where JSON lacks it', async () => {
    await using world = await World.start();
    const { discovery } = await world.service();
    const { enabled, ...most } = svc('i1', { payload: 5 });
    await discovery.register(most);
    expect(await discovery.instances('svc')).toEqual([{ ...most, enabled }]);
    await discovery.update({ name: 'svc', id: 'i1' });
    const [instance] = await discovery.instances('svc');
    expect(instance).toEqual({
      name: 'svc',
      id: 'i1',
      address: null,
      port: null,
      sslPort: null,
      payload: null,
      registrationTimeUTC: 0,
      serviceType: 'DYNAMIC',
      uriSpec: null,
      enabled: true,
    });
  });

  it('a thousand times over leaves nothing', async () => {
    await using world = await World.start();
    const { zk, discovery } = await world.service();
    for (let round = 0; round < 1_000; round += 1) {
      await discovery.register(svc('i1'));
      await discovery.unregister(svc('i1'));
    }
    expect(world.names('svc')).toEqual([]);
    await until(() => world.server.watches().length === 0, 'no watch is left');
    expect(zk.listenerCount('state')).toBe(0);
    expect(zk.health()).toMatchObject({ inFlight: 0, queued: 0, watches: 0 });
  }, 60_000);
});
