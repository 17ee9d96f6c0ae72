import { describe, expect, it } from '@jest/globals';
import {
  ACL,
  BadArgumentsError,
  type CallOptions,
  ClosedError,
  ConnectionLossError,
  NoAuthError,
  PathError,
  TimeoutError,
  type ZooKeeper,
} from '@zookit/client';
import { outcome, until, World } from '@zookit/test-world';
import { Barrier } from '../src/index.ts';

const PATH = '/gates/a';

describe('a barrier', () => {
  it("is Curator's znode: persistent, with this end's address, under containers", async () => {
    await using world = await World.start();
    const barrier = new Barrier(await world.client(), PATH);
    expect(barrier.path).toBe(PATH);
    await barrier.set();
    expect(world.server.node(PATH)).toMatchObject({ kind: 'persistent', children: [] });
    expect(world.server.node(PATH)?.data?.toString()).toBe('127.0.0.1');
    expect(world.server.node('/gates')?.kind).toBe('container');
    await barrier.remove();
    expect(world.server.node(PATH)).toBeNull();
  });

  it('is open where there is nothing', async () => {
    await using world = await World.start();
    await new Barrier(await world.client(), '/nowhere/at/all').wait();
    expect(world.server.watches()).toEqual([]);
  });

  it('holds all that wait until it is removed, by whomever', async () => {
    await using world = await World.start();
    const [first, second, third] = (await world.clients(3)) as [ZooKeeper, ZooKeeper, ZooKeeper];
    await new Barrier(first, PATH).set();
    let through = 0;
    const waits = [second, second, third].map(async (zk) => {
      await new Barrier(zk, PATH).wait();
      through += 1;
    });
    await until(() => world.server.watches(PATH).length === 2, 'both clients watch');
    expect(through).toBe(0);
    await new Barrier(third, PATH).remove();
    await Promise.all(waits);
    expect(world.server.watches()).toEqual([]);
  });

  it('may be set twice and removed twice', async () => {
    await using world = await World.start();
    const barrier = new Barrier(await world.client(), PATH);
    await barrier.set();
    await barrier.set();
    await barrier.remove();
    await barrier.remove();
    expect(world.server.node(PATH)).toBeNull();
  });

  it('does not open because its data changes', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const barrier = new Barrier(zk, PATH);
    await barrier.set();
    const waiting = barrier.wait();
    await until(() => world.server.watches(PATH).length === 1, 'it waits');
    await zk.set(PATH, 'changed');
    await until(() => world.server.watches(PATH).length === 1, 'it waits again');
    await barrier.remove();
    await waiting;
  });

  it('takes an ACL', async () => {
    await using world = await World.start();
    const zk = await world.client();
    await zk.create('/gates');
    await new Barrier(zk, PATH, { acl: ACL.READ }).set();
    expect(world.server.node(PATH)?.acl).toMatchObject([{ perms: 1 }]);
  });

  it('refuses what is no path and what is no timeout', async () => {
    await using world = await World.start();
    const zk = await world.client();
    expect(() => new Barrier(zk, 'gates')).toThrow(PathError);
    expect(() => new Barrier({} as ZooKeeper, PATH)).toThrow(BadArgumentsError);
    expect(() => new Barrier(zk, PATH, { policy: 'never' as never })).toThrow(BadArgumentsError);
    const barrier = new Barrier(zk, PATH);
    const requests = world.requests();
    for (const bad of [{ signal: 5 }, { signal: null }, { timeout: -1 }, { timeout: '5' }]) {
      const options = bad as CallOptions;
      for (const call of [barrier.set(options), barrier.remove(options), barrier.wait(options)]) {
        expect(await outcome(call)).toBeInstanceOf(BadArgumentsError);
      }
    }
    expect(requests).toEqual([]);
  });
});

describe('a wait at a barrier', () => {
  it('ends by its timeout, its signal or the end of the client, and leaves no watch', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    await new Barrier(zk, PATH).set();
    expect(await outcome(new Barrier(zk, PATH).wait({ timeout: 30 }))).toBeInstanceOf(TimeoutError);
    const controller = new AbortController();
    const aborted = outcome(new Barrier(zk, PATH).wait({ signal: controller.signal }));
    await until(() => world.server.watches(PATH).length === 1, 'it waits');
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await aborted).toBe(reason);
    await until(() => world.server.watches().length === 0, 'the watch is taken back');
    const closed = outcome(new Barrier(other, PATH).wait());
    await until(() => world.server.watches(PATH).length === 1, 'it waits');
    await other.close();
    expect(await closed).toBeInstanceOf(ClosedError);
  });

  it('goes on through lost connections and lost sessions', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    await new Barrier(zk, PATH).set();
    const waiting = new Barrier(zk, PATH).wait();
    await until(() => world.server.watches(PATH).length === 1, 'it waits');
    world.server.dropConnections();
    await until(() => zk.state === 'connected' && world.server.watches(PATH).length === 1, 'it waits again');
    world.expire(zk);
    await until(() => zk.state === 'connected' && world.server.watches(PATH).length === 1, 'it waits in a new session');
    await new Barrier(other, PATH).remove();
    await waiting;
  });

  it('sees that the gate was opened while it was cut off', async () => {
    await using world = await World.start({ members: 2 });
    const zk = await world.client({}, world.server.members[0]?.connectString);
    const other = await world.client({}, world.server.members[1]?.connectString);
    await new Barrier(zk, PATH).set();
    const waiting = new Barrier(zk, PATH).wait();
    await until(() => world.server.watches(PATH).length === 1, 'it waits');
    await world.server.stopMember(0);
    await new Barrier(other, PATH).remove();
    await world.server.startMember(0);
    await waiting;
  });

  it('says so when it may not read', async () => {
    await using world = await World.start();
    const zk = await world.client();
    await zk.create('/gates');
    await new Barrier(zk, PATH, { acl: [{ perms: 4, scheme: 'world', id: 'anyone' }] }).set();
    expect(await outcome(new Barrier(zk, PATH).wait())).toBeInstanceOf(NoAuthError);
  });
});

describe('a set whose connection breaks', () => {
  for (const verdict of ['disconnect-before', 'disconnect-after'] as const) {
    it(`closes the gate once: ${verdict}`, async () => {
      await using world = await World.start();
      const zk = await world.client();
      await zk.create('/gates');
      const before = world.server.node('/gates')?.stat.cversion as number;
      const broken = world.once('create2', verdict);
      await new Barrier(zk, PATH).set();
      await broken;
      expect(world.server.node(PATH)).not.toBeNull();
      expect(world.server.node('/gates')?.stat.cversion).toBe(before + 1);
    });
  }

  it('does not close it again when it has been opened meanwhile: nobody can tell', async () => {
    await using world = await World.start({ members: 2 });
    const zk = await world.client({}, world.server.members[0]?.connectString);
    const other = await world.client({}, world.server.members[1]?.connectString);
    await zk.create('/gates');
    const broken = world.once('create2', 'disconnect-after');
    const setting = outcome(new Barrier(zk, PATH).set());
    await broken;
    await world.server.stopMember(0);
    await until(() => world.server.node(PATH) !== null, 'it is closed');
    await new Barrier(other, PATH).remove();
    await world.server.startMember(0);
    const error = (await setting) as ConnectionLossError;
    expect(error).toBeInstanceOf(ConnectionLossError);
    expect(error.maybeApplied).toBe(true);
    expect(world.server.node(PATH)).toBeNull();
  });
});

describe('a remove whose connection breaks', () => {
  for (const verdict of ['disconnect-before', 'disconnect-after'] as const) {
    it(`opens the gate: ${verdict}`, async () => {
      await using world = await World.start();
      const barrier = new Barrier(await world.client(), PATH);
      await barrier.set();
      const broken = world.once('delete', verdict);
      await barrier.remove();
      await broken;
      expect(world.server.node(PATH)).toBeNull();
    });
  }

  it('does not open a gate that has been closed anew', async () => {
    await using world = await World.start({ members: 2 });
    const zk = await world.client({}, world.server.members[0]?.connectString);
    const other = await world.client({}, world.server.members[1]?.connectString);
    await new Barrier(zk, PATH).set();
    const broken = world.once('delete', 'disconnect-after');
    const removing = new Barrier(zk, PATH).remove();
    await broken;
    await world.server.stopMember(0);
    await until(() => world.server.node(PATH) === null, 'it is open');
    await new Barrier(other, PATH).set();
    await world.server.startMember(0);
    await removing;
    expect(world.server.node(PATH)).not.toBeNull();
  });
});
