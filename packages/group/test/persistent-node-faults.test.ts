import { describe, expect, it } from '@jest/globals';
import type { CreateMode, ZooKeeper } from '@zookit/client';
import { outcome, sleep, until, World } from '@zookit/test-world';
import { FaultProxy, TestServer } from '@zookit/testing';
import { PersistentNode } from '../src/index.ts';

const PATH = '/kept/a';
const verdicts = ['disconnect-before', 'disconnect-after'] as const;
const text = (world: World, path = PATH): string | undefined => world.server.node(path)?.data?.toString();

describe('a connection that breaks', () => {
  for (const verdict of verdicts) {
    for (const mode of ['persistent', 'ephemeral', 'ephemeral-sequential', 'container'] as const) {
      for (const isProtected of [false, true]) {
        it(`at the create of mode ${mode}${isProtected ? ', protected' : ''}, ${verdict}: one znode`, async () => {
          await using world = await World.start();
          const [zk] = (await world.clients(1)) as [ZooKeeper];
          await zk.create('/kept');
          const broken = world.once(['create2', 'createContainer'], verdict);
          const node = new PersistentNode(zk, PATH, { mode, data: 'x', protected: isProtected });
          await node.start();
          await broken;
          expect(world.server.node('/kept')?.children).toHaveLength(1);
          expect(text(world, node.path)).toBe('x');
          await node.close();
          expect(world.server.node('/kept')?.children).toEqual([]);
        });
      }
    }

    it(`at a set, ${verdict}: the data is there, written once`, async () => {
      await using world = await World.start();
      const [zk] = (await world.clients(1)) as [ZooKeeper];
      const node = new PersistentNode(zk, PATH, { data: '1' });
      await node.start();
      const broken = world.once('setData', verdict);
      await node.set('2');
      await broken;
      expect(text(world)).toBe('2');
      expect(world.server.node(PATH)?.stat.version).toBe(1);
      await node.close();
    });

    it(`at the delete of close, ${verdict}: it goes`, async () => {
      await using world = await World.start();
      const [zk] = (await world.clients(1)) as [ZooKeeper];
      const node = new PersistentNode(zk, PATH, { mode: 'persistent' });
      await node.start();
      const broken = world.once('delete', verdict);
      await node.close();
      await broken;
      await until(() => world.server.node(PATH) === null, 'it goes');
    });
  }

  it('again and again changes nothing: the same znode, never written', async () => {
    await using world = await World.start();
    const [zk] = (await world.clients(1)) as [ZooKeeper];
    const node = new PersistentNode(zk, PATH, { data: 'x' });
    await node.start();
    const before = world.server.node(PATH)?.stat;
    for (let cut = 0; cut < 10; cut += 1) {
      const back = new Promise<void>((resolve) => zk.once('reconnected', resolve));
      world.server.dropConnections();
      await back;
      await until(() => world.server.watches(PATH).length === 1, 'it is watched');
    }
    await node.set('x');
    expect(world.server.node(PATH)?.stat).toEqual(before);
    await node.close();
  });
});

describe('data that is set during an outage', () => {
  it('is there after it', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 15_000 });
    const node = new PersistentNode(zk, PATH, { data: '1' });
    await node.start();
    const before = world.server.node(PATH)?.stat.czxid;
    await world.server.stopMember(0);
    await until(() => zk.state === 'suspended', 'it is cut off');
    const setting = node.set('2');
    const given = outcome(node.set('3', { timeout: 10 }));
    expect(((await given) as Error).name).toBe('TimeoutError');
    await world.server.startMember(0);
    await setting;
    expect(text(world)).toBe('3');
    expect(world.server.node(PATH)?.stat.czxid).toBe(before);
    await node.close();
  });

  it('is there in the next session', async () => {
    const server = await TestServer.start({ tickTime: 100 });
    await using proxy = await FaultProxy.start(server.connectString);
    await using world = new World(server);
    const zk = await world.client({ sessionTimeout: 1_000 }, proxy.connectString);
    const node = new PersistentNode(zk, PATH, { data: '1' });
    await node.start();
    await proxy.blackhole();
    await until(() => zk.state === 'lost' || zk.state === 'connecting', 'the session is lost');
    const setting = node.set('2');
    await until(() => server.node(PATH) === null, 'the server has ended it');
    await proxy.restore();
    await setting;
    expect(text(world)).toBe('2');
    expect(server.node(PATH)?.stat.ephemeralOwner).toBe(zk.session?.id);
    await node.close();
  });

  it('is there when somebody deleted the znode meanwhile', async () => {
    await using world = await World.start({ members: 2 });
    const zk = await world.client({ sessionTimeout: 15_000 }, world.server.members[0]?.connectString);
    const other = await world.client({}, world.server.members[1]?.connectString);
    const node = new PersistentNode(zk, PATH, { mode: 'persistent', data: '1' });
    await node.start();
    await world.server.stopMember(0);
    await until(() => zk.state === 'suspended', 'it is cut off');
    const setting = node.set('2');
    await other.delete(PATH);
    await world.server.startMember(0);
    await setting;
    expect(text(world)).toBe('2');
    await node.close();
  });
});

describe('a znode of an earlier session of ours that the server still has', () => {
  it('is replaced by one of the present session', async () => {
    const server = await TestServer.start({ tickTime: 100 });
    await using proxy = await FaultProxy.start(server.connectString);
    await using world = new World(server);
    const zk = await world.client({ sessionTimeout: 1_000 }, proxy.connectString);
    const { id, password } = zk.session as { id: bigint; password: Buffer };
    const node = new PersistentNode(zk, PATH, { data: 'x' });
    await node.start();
    const lost = new Promise<void>((resolve) => zk.once('lost', resolve));
    await proxy.blackhole();
    // The old session lives on, and whoever comes to end it is hung up on.
    const keeper = await world.client({ session: { id, password, timeout: 1_000 } });
    server.intercept(({ type, sessionId }) => (type === 'connect' && sessionId === id ? 'disconnect-before' : 'pass'));
    await lost;
    await proxy.restore();
    await until(
      () => ![undefined, id].includes(server.node(PATH)?.stat.ephemeralOwner),
      'it is of the new session',
      10_000,
    );
    expect(keeper.state).toBe('connected');
    expect(server.node(PATH)?.stat.ephemeralOwner).toBe(zk.session?.id);
    await node.close();
    expect(server.node(PATH)).toBeNull();
  });
});

describe('a close', () => {
  it('during an outage resolves at once; the znode goes when it is over', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 15_000 });
    const node = new PersistentNode(zk, PATH, { mode: 'persistent' });
    await node.start();
    await world.server.stopMember(0);
    await until(() => zk.state === 'suspended', 'it is cut off');
    await node.close();
    await world.server.startMember(0);
    await until(() => world.server.node(PATH) === null, 'it goes');
  });

  for (const mode of ['ephemeral', 'ephemeral-sequential', 'persistent'] as const satisfies CreateMode[]) {
    for (const isProtected of [false, true]) {
      it(`at any moment leaves no znode, now or later: ${mode}${isProtected ? ', protected' : ''}`, async () => {
        await using world = await World.start();
        const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
        await zk.create('/kept');
        const off = world.server.intercept(({ wireType }) => (wireType === 'create2' ? { delay: 5 } : 'pass'));
        for (let turn = 0; turn < 8; turn += 1) {
          const node = new PersistentNode(zk, PATH, { mode, protected: isProtected });
          const starting = outcome(node.start());
          await sleep(turn);
          if (turn % 2 === 0) await other.delete(node.path).catch(() => {});
          await node.close();
          await starting;
          expect(world.server.node('/kept')?.children.filter((name) => !name.startsWith('_c_'))).toEqual([]);
        }
        off();
        await until(() => world.server.node('/kept')?.children.length === 0, 'none stays');
        await until(() => world.server.watches().length === 0, 'no watch is left');
      });
    }
  }

  it('when the client is closed does nothing and ends', async () => {
    await using world = await World.start();
    const [zk] = (await world.clients(1)) as [ZooKeeper];
    const node = new PersistentNode(zk, PATH, { mode: 'persistent' });
    await node.start();
    await zk.close();
    await node.close();
    expect(world.server.node(PATH)).not.toBeNull();
  });
});

describe('a TTL node', () => {
  it('is kept alive by its child, and goes when nobody keeps it', async () => {
    await using world = await World.start();
    const [zk] = (await world.clients(1)) as [ZooKeeper];
    const node = new PersistentNode(zk, PATH, { mode: 'persistent-ttl', ttl: 1_000, data: 'x' });
    await node.start();
    await until(() => world.server.node(`${PATH}/touch`) !== null, 'it is touched');
    expect(world.server.node(`${PATH}/touch`)).toMatchObject({ kind: 'ttl', ttl: 1_000 });
    expect(text(world, `${PATH}/touch`)).toBe('127.0.0.1');
    await until(() => (world.server.node(`${PATH}/touch`)?.stat.version ?? 0) >= 2, 'it is touched again and again');
    const { stat } = world.server.node(PATH) as { stat: { version: number } };
    expect(stat.version).toBe(0);
    await node.close();
    await until(() => world.server.node(PATH) === null, 'both go', 10_000);
  });

  it('goes by itself when its process dies before the first touch', async () => {
    await using world = await World.start();
    const zk = await world.client();
    let touches = 0;
    world.server.intercept(({ path }) => {
      if (path !== `${PATH}/touch`) return 'pass';
      touches += 1;
      return 'drop-request';
    });
    await new PersistentNode(zk, PATH, { mode: 'persistent-ttl', ttl: 200 }).start();
    await until(() => touches === 1, 'the first touch is lost');
    await zk.close({ timeout: 100 });
    await until(() => world.server.node(PATH) === null, 'it goes', 10_000);
  });
});
