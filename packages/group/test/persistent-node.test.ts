import { describe, expect, it } from '@jest/globals';
import {
  BadArgumentsError,
  ClosedError,
  type CreateMode,
  NoAuthError,
  NoNodeError,
  NotEmptyError,
  PathError,
  TimeoutError,
  ZooKeeper,
} from '@zookit/client';
import { outcome, until, World } from '@zookit/test-world';
import { PersistentNode } from '../src/index.ts';

const PATH = '/kept/a';
const text = (world: World, path = PATH): string | undefined => world.server.node(path)?.data?.toString();

describe('a persistent node', () => {
  it.each<[CreateMode, string, RegExp, number | undefined]>([
    ['persistent', 'persistent', /^\/kept\/a$/, undefined],
    ['ephemeral', 'ephemeral', /^\/kept\/a$/, undefined],
    ['container', 'container', /^\/kept\/a$/, undefined],
    ['persistent-sequential', 'persistent', /^\/kept\/a\d{10}$/, undefined],
    ['ephemeral-sequential', 'ephemeral', /^\/kept\/a\d{10}$/, undefined],
    ['persistent-ttl', 'ttl', /^\/kept\/a$/, 60_000],
    ['persistent-sequential-ttl', 'ttl', /^\/kept\/a\d{10}$/, 60_000],
  ])('of mode %s is there from start to close, and again when somebody deletes it', async (mode, kind, path, ttl) => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const node = new PersistentNode(zk, PATH, { mode, data: 'x', ttl });
    await node.start();
    expect(node.path).toMatch(path);
    expect(world.server.node(node.path)?.kind).toBe(kind);
    expect(text(world, node.path)).toBe('x');
    expect(world.server.node('/kept')?.kind).toBe('container');
    const before = world.server.node(node.path)?.stat.czxid as bigint;
    await other.delete(node.path, { recursive: true });
    await until(() => (world.server.node(node.path)?.stat.czxid ?? 0n) > before, 'it is there again');
    expect(world.server.node(node.path)?.kind).toBe(kind);
    expect(world.server.node('/kept')?.children).toHaveLength(1);
    await until(() => world.server.watches(node.path).length === 1, 'it is watched');
    await node.close();
    // A TTL node is left to its time.
    expect(world.server.node(node.path)?.kind).toBe(ttl === undefined ? undefined : kind);
    await until(() => world.server.watches().length === 0, 'no watch is left');
  });

  it.each<CreateMode>(['ephemeral', 'ephemeral-sequential'])(
    'of mode %s, protected, keeps its name, number included, in the next session',
    async (mode) => {
      await using world = await World.start();
      const [zk] = (await world.clients(1)) as [ZooKeeper];
      const node = new PersistentNode(zk, PATH, { mode, data: 'x', protected: true });
      await node.start();
      expect(node.path).toMatch(/^\/kept\/_c_[0-9a-f-]{36}-a(\d{10})?$/);
      const { path } = node;
      for (let times = 0; times < 2; times += 1) {
        const { id } = zk.session as { id: bigint };
        world.expire(zk);
        await until(() => ![undefined, 0n, id].includes(world.server.node(path)?.stat.ephemeralOwner), 'it is back');
        expect(node.path).toBe(path);
        expect(world.server.node('/kept')?.children).toHaveLength(1);
      }
      await node.close();
      expect(world.server.node('/kept')?.children).toEqual([]);
    },
  );

  it('says when it has been made, and where', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const node = new PersistentNode(zk, PATH);
    const made: string[] = [];
    node.on('created', (path) => made.push(path));
    await node.start();
    expect(text(world)).toBe('127.0.0.1');
    expect(world.server.node(PATH)?.stat.ephemeralOwner).toBe(zk.session?.id);
    await other.delete(PATH);
    await until(() => made.length === 2, 'it is told of');
    expect(made).toEqual([PATH, PATH]);
    await node.close();
  });

  it('changes its data, and takes what was set last', async () => {
    await using world = await World.start();
    const [zk] = (await world.clients(1)) as [ZooKeeper];
    const node = new PersistentNode(zk, PATH, { data: '1' });
    await node.set('2');
    await node.start();
    expect(text(world)).toBe('2');
    await node.set(Buffer.from('3'));
    expect(text(world)).toBe('3');
    await Promise.all(['4', '5', '6'].map((data) => node.set(data)));
    expect(text(world)).toBe('6');
    await node.set(null);
    expect(text(world)).toBeUndefined();
    expect(node.data).toBeNull();
    await node.close();
    expect(await outcome(node.set('7'))).toBeInstanceOf(ClosedError);
    expect(world.server.node(PATH)).toBeNull();
  });

  it('leaves alone what somebody else writes, until it is set or connected again', async () => {
    await using world = await World.start();
    const [one, two] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const writes: unknown[] = [];
    world.server.intercept(({ type, sessionId }) => {
      if (type === 'setData') writes.push(sessionId);
      return 'pass';
    });
    const node = new PersistentNode(one, PATH, { data: '1' });
    const twin = new PersistentNode(two, PATH, { data: '2' });
    await node.start();
    await twin.start();
    const rest = async (): Promise<void> => {
      for (let round = 0; round < 20; round += 1) await Promise.all([one.sync(), two.sync()]);
    };
    await rest();
    expect(writes).toEqual([two.session?.id]);
    expect(text(world)).toBe('2');
    await node.set('3');
    await rest();
    expect(text(world)).toBe('3');
    await twin.close();
    await two.set(PATH, 'theirs');
    const back = new Promise<void>((resolve) => one.once('reconnected', resolve));
    world.server.dropConnections();
    await back;
    await until(() => text(world) === '3', 'it is what was set');
    expect(writes).toHaveLength(4);
    await node.close();
  });

  it('adopts what is there, gives it its data, and leaves its kind alone', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    await other.create(PATH, 'old', { parents: true });
    const node = new PersistentNode(zk, PATH, { mode: 'ephemeral', data: 'new' });
    await node.start();
    expect(text(world)).toBe('new');
    expect(world.server.node(PATH)?.kind).toBe('persistent');
    await node.close();
    // Not ours: of no session of this client.
    expect(text(world)).toBe('new');
  });

  it('takes the place of a znode of another session once that ends', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    await other.create(PATH, 'old', { mode: 'ephemeral', parents: true });
    const node = new PersistentNode(zk, PATH, { data: 'new' });
    await node.start();
    expect(text(world)).toBe('new');
    expect(world.server.node(PATH)?.stat.ephemeralOwner).toBe(other.session?.id);
    await other.close();
    await until(() => world.server.node(PATH)?.stat.ephemeralOwner === zk.session?.id, 'it is ours');
    expect(text(world)).toBe('new');
    await node.close();
    expect(world.server.node(PATH)).toBeNull();
  });

  it('starts by itself when the server comes', async () => {
    await using world = await World.start();
    await world.server.stopMember(0);
    const zk = new ZooKeeper(world.server.connectString, { connectTimeout: 0 });
    await using _ = { [Symbol.asyncDispose]: () => zk.close() };
    void zk.connect().catch(() => {});
    const node = new PersistentNode(zk, PATH, { data: 'x' });
    const starting = node.start();
    await world.server.startMember(0);
    await starting;
    expect(text(world)).toBe('x');
  });

  it('leaves a persistent znode with children, and says so', async () => {
    await using world = await World.start();
    const [zk] = (await world.clients(1)) as [ZooKeeper];
    for (const mode of ['persistent', 'container'] as const) {
      const node = new PersistentNode(zk, `/kept/${mode}`, { mode });
      await node.start();
      await zk.create(`/kept/${mode}/child`);
      const result = await outcome(node.close());
      if (mode === 'container') expect(result).toBeUndefined();
      else expect(result).toBeInstanceOf(NotEmptyError);
      expect(world.server.node(`/kept/${mode}`)?.children).toEqual(['child']);
    }
  });

  it('refuses what makes no sense', async () => {
    await using world = await World.start();
    const [zk] = (await world.clients(1)) as [ZooKeeper];
    expect(() => new PersistentNode(zk, 'kept')).toThrow(PathError);
    for (const options of [
      { mode: 'eternal' },
      { mode: 'persistent-ttl' },
      { ttl: 5 },
      { mode: 'persistent-ttl', ttl: 0.5 },
      { data: 5 },
      { policy: 'x' },
    ]) {
      expect(() => new PersistentNode(zk, PATH, options as never)).toThrow(BadArgumentsError);
    }
    const node = new PersistentNode(zk, PATH);
    expect(await outcome(node.set(5 as never))).toBeInstanceOf(BadArgumentsError);
    await node.close();
    await node.close();
    expect(await outcome(node.start())).toBeInstanceOf(ClosedError);
    expect(world.server.node(PATH)).toBeNull();
  });

  it('refuses what is no signal and no timeout, and goes on', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const node = new PersistentNode(zk, PATH, { data: '1' });
    for (const options of [{ timeout: -5 }, { signal: 5 }] as object[]) {
      expect(await outcome(node.start(options))).toBeInstanceOf(BadArgumentsError);
      expect(await outcome(node.set('2', options))).toBeInstanceOf(BadArgumentsError);
    }
    await node.start();
    expect(text(world)).toBe('1');
    for (const options of [{ timeout: -5 }, { signal: 5 }] as object[]) {
      expect(await outcome(node.start(options))).toBeInstanceOf(BadArgumentsError);
      expect(await outcome(node.close(options))).toBeInstanceOf(BadArgumentsError);
    }
    await node.close();
  });

  it('that has been closed does not start again', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const node = new PersistentNode(zk, PATH);
    await node.start();
    await node.start();
    await node.close();
    expect(await outcome(node.start())).toBeInstanceOf(ClosedError);
    expect(world.server.node(PATH)).toBeNull();
  });
});

describe('a start that fails', () => {
  it('by its timeout or its signal leaves nothing behind', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 15_000 });
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    expect(await outcome(new PersistentNode(zk, PATH).start({ signal: controller.signal }))).toBe(
      controller.signal.reason,
    );
    await world.server.stopMember(0);
    expect(await outcome(new PersistentNode(zk, PATH).start({ timeout: 30 }))).toBeInstanceOf(TimeoutError);
    await world.server.startMember(0);
    await zk.sync();
    expect(world.server.node(PATH)).toBeNull();
    expect(world.server.watches()).toEqual([]);
  });

  it('because the server refuses says why', async () => {
    await using world = await World.start();
    const [zk] = (await world.clients(1)) as [ZooKeeper];
    await zk.create('/kept', '', { acl: [{ perms: 1, scheme: 'world', id: 'anyone' }] });
    const node = new PersistentNode(zk, PATH);
    node.on('error', () => {});
    expect(await outcome(node.start())).toBeInstanceOf(NoAuthError);
    expect(await outcome(node.set('x'))).toBeInstanceOf(ClosedError);
  });

  it('for want of parents, if they are not to be made', async () => {
    await using world = await World.start();
    const [zk] = (await world.clients(1)) as [ZooKeeper];
    const node = new PersistentNode(zk, PATH, { parents: false });
    node.on('error', () => {});
    expect(await outcome(node.start())).toBeInstanceOf(NoNodeError);
    expect(world.server.node('/kept')).toBeNull();
  });
});

describe('parents that somebody deletes', () => {
  it('are made again', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const node = new PersistentNode(zk, '/kept/by/whom', { data: 'x' });
    await node.start();
    await other.delete('/kept', { recursive: true });
    await until(() => text(world, '/kept/by/whom') === 'x', 'all is there again');
    await node.close();
  });

  it('stay away with `parents: false`, and so does the znode until they are back', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    await other.create('/kept');
    const node = new PersistentNode(zk, PATH, { data: 'x', parents: false });
    const refusals: unknown[] = [];
    node.on('error', (error) => refusals.push(error));
    await node.start();
    await other.delete('/kept', { recursive: true });
    await until(() => refusals.length === 1, 'it is told of');
    expect(refusals[0]).toBeInstanceOf(NoNodeError);
    await until(() => world.server.watches('/kept').length === 1, 'the parent is watched');
    expect(world.server.node('/kept')).toBeNull();
    await other.create('/kept');
    await until(() => text(world) === 'x', 'it is back');
    await node.close();
    await until(() => world.server.watches().length === 0, 'no watch is left');
  });
});
