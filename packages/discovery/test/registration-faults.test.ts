import { describe, expect, it } from '@jest/globals';
import { FaultProxy } from '@zookit/testing';
import type { ServiceType } from '../src/index.ts';
import { outcome, reconnected, svc, until, World } from './support/world.ts';

/** Loses the reply of the first create; the server that the client comes to then has not heard of it before a sync. */
function lagAfterCreate(world: World): void {
  let isLost = false;
  let lags = false;
  world.server.intercept(({ type, wireType, path, member }) => {
    if (!isLost && wireType === 'create2' && path?.startsWith('/services/svc/i1') === true) {
      isLost = true;
      lags = true;
      return 'disconnect-after';
    }
    if (member !== 1 || !lags) return 'pass';
    if (type === 'sync') lags = false;
    return type === 'exists' || type === 'getChildren' ? { error: -101 } : 'pass';
  });
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

    it('the instance that was taken back meanwhile goes', async () => {
      await using world = await World.start({ members: 2 });
      const { zk, discovery } = await world.service({ shuffle: false });
      await zk.ensurePath('/services/svc');
      lagAfterCreate(world);
      const registering = outcome(discovery.register(svc('i1', { serviceType })));
      await until(() => world.names('svc').length === 1, 'it is there');
      await reconnected(zk, () => discovery.unregister(svc('i1', { serviceType })));
      await registering;
      await until(() => world.names('svc').length === 0, 'it is gone');
    });
  },
);

describe('a numbered instance', () => {
  it('of a session that has ended is not taken for that of the present one', async () => {
    await using world = await World.start();
    await using proxy = await FaultProxy.start(world.server.connectString);
    const { zk, discovery } = await world.service({ sessionTimeout: 1_000 }, proxy.connectString);
    const { id, password } = zk.session as { id: bigint; password: Buffer };
    await zk.ensurePath('/services/svc');
    const lost = new Promise<void>((resolve) => zk.once('lost', resolve));
    const off = world.server.intercept(({ wireType }) =>
      wireType === 'create2' ? proxy.blackhole().then(() => 'pass' as const) : 'pass',
    );
    const registering = discovery.register(svc('i1', { serviceType: 'DYNAMIC_SEQUENTIAL' }));
    await until(() => world.names('svc').length === 1, 'it is there');
    off();
    // The old session lives on, and whoever comes to end it is hung up on.
    await world.client({ session: { id, password, timeout: 1_000 } });
    world.server.intercept(({ type, sessionId }) =>
      type === 'connect' && sessionId === id ? 'disconnect-before' : 'pass',
    );
    await lost;
    await proxy.restore();
    await registering;
    await until(() => world.names('svc').length === 1, 'that of the earlier session is gone');
    expect(world.names('svc')).toEqual(['i10000000001']);
    expect(world.server.node('/services/svc/i10000000001')?.stat.ephemeralOwner).toBe(zk.session?.id);
    await discovery.unregister(svc('i1', { serviceType: 'DYNAMIC_SEQUENTIAL' }));
    expect(world.names('svc')).toEqual([]);
  }, 30_000);

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
    await until(() => tries === 3, 'it is tried');
    const writes = world.writes();
    await discovery.close();
    expect(await updating).toMatchObject({ code: 'CLOSED' });
    // Longer than the pause that it was in.
    await new Promise((resolve) => setTimeout(resolve, 250));
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
