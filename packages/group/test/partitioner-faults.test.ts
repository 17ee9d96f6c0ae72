import { channel } from 'node:diagnostics_channel';
import { describe, expect, it } from '@jest/globals';
import { SessionExpiredError, type ZooKeeper } from '@zookit/client';
import { coreOf } from '@zookit/client/internal';
import type { Held } from '@zookit/recipe-core';
import { until, World } from '@zookit/test-world';
import { FaultProxy, TestServer } from '@zookit/testing';
import type { Partitioner } from '../src/index.ts';
import { isSettled, Ledger, names, PATH, split } from './support/split.ts';

const verdicts = ['disconnect-before', 'disconnect-after'] as const;

async function pair(world: World): Promise<{ zks: [ZooKeeper, ZooKeeper]; both: Partitioner[]; ledger: Ledger }> {
  const zks = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
  const ledger = new Ledger();
  const both = zks.map((zk, at) => split(zk, `m${at}`));
  for (const each of both) ledger.follow(each);
  return { zks, both, ledger };
}

describe('a session that ends', () => {
  it('between the grant of an item and its news: the item is asked for again', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const granted = channel('zookit:lock:granted');
    const end = (message: unknown): void => {
      if ((message as { recipe: string }).recipe !== 'partitioner') return;
      granted.unsubscribe(end);
      world.expire(zk);
      coreOf(zk).session.sessionOver(new SessionExpiredError('SESSION_EXPIRED'));
    };
    granted.subscribe(end);
    const one = split(zk, 'one');
    await one.start();
    await until(() => one.mine().size === 12, 'it has all of them');
    await one.close();
  });
});

describe('a connection that breaks', () => {
  for (const verdict of verdicts) {
    for (const type of ['create2', 'getChildren2', 'getData', 'setData', 'delete', 'createContainer']) {
      it(`at a ${type}, ${verdict}: everything has one owner, and in the end none`, async () => {
        await using world = await World.start();
        const { both, ledger } = await pair(world);
        const [one, two] = both as [Partitioner, Partitioner];
        if (type === 'createContainer') {
          const broken = world.once(type, verdict);
          await one.start();
          await broken;
        } else await one.start();
        const broken = type === 'createContainer' ? null : world.once(type, verdict);
        await two.start();
        await until(() => isSettled(12, both), 'both have their share', 10_000);
        await Promise.all(both.map((each) => each.close()));
        await broken;
        expect(ledger.overlaps).toEqual([]);
        await until(() => {
          return Object.keys(world.server.dump(PATH)).every((path) => !/lock-|assignment|members\/./.test(path));
        }, 'nothing stays');
        await until(() => world.server.watches().length === 0, 'no watch is left');
      });
    }
  }

  it('again and again moves nothing', async () => {
    await using world = await World.start();
    const { zks, both, ledger } = await pair(world);
    await Promise.all(both.map((each) => each.start()));
    await until(() => isSettled(12, both), 'both have their share');
    const before = both.map((each) => [...each.mine().values()].map(({ fencingToken }) => fencingToken));
    const { moves } = ledger;
    for (let cut = 0; cut < 5; cut += 1) {
      const back = zks.map((zk) => new Promise<void>((resolve) => zk.once('reconnected', resolve)));
      world.server.dropConnections();
      await Promise.all(back);
      await Promise.all(zks.map((zk) => zk.sync()));
    }
    expect(both.map((each) => [...each.mine().values()].map(({ fencingToken }) => fencingToken))).toEqual(before);
    expect(ledger.moves).toBe(moves);
  });
});

describe('a member that is cut off past its session', () => {
  it('has nothing any more before the others have it, and gets a share when it is back', async () => {
    const server = await TestServer.start({ tickTime: 100 });
    await using proxy = await FaultProxy.start(server.connectString);
    await using world = new World(server);
    const far = await world.client({ sessionTimeout: 1_000 }, proxy.connectString);
    const near = await world.client();
    const ledger = new Ledger();
    const [one, two] = [split(far, 'far'), split(near, 'near')];
    for (const each of [one, two]) ledger.follow(each);
    await Promise.all([one.start(), two.start()]);
    await until(() => isSettled(12, [one, two]), 'both have their share');
    const before = [...one.mine().values()];
    await proxy.blackhole();
    await until(() => isSettled(12, [two]), 'the other has all', 10_000);
    expect(one.mine().size).toBe(0);
    for (const held of before) expect(held.isHeld).toBe(false);
    await proxy.restore();
    await until(() => isSettled(12, [one, two]), 'both have their share again', 10_000);
    expect(ledger.overlaps).toEqual([]);
    // 12 at first, or a share moved once more; then 6 away and 6 back.
    expect(ledger.moves).toBeLessThanOrEqual(12 + 6 + 12);
  });
});

describe('a holder that does not let go', () => {
  it('keeps what it has, and nothing else is held up', async () => {
    await using world = await World.start();
    const { zks, both, ledger } = await pair(world);
    const [one, two] = both as [Partitioner, Partitioner];
    await one.start();
    const slow: Held[] = [];
    for (const [item, held] of one.mine()) if (item >= 'item-0009') held.on('revoke', () => slow.push(held));
    await two.start();
    await until(() => slow.length > 0 && two.mine().size + slow.length === 6, 'all others have moved');
    expect(one.mine().size).toBe(6 + slow.length);
    await zks[0].close();
    await until(() => isSettled(12, [two]), 'they move with its session');
    expect(ledger.overlaps).toEqual([]);
  });

  it('is not asked any more when the item comes back to it', async () => {
    await using world = await World.start();
    const { both } = await pair(world);
    const [one, two] = both as [Partitioner, Partitioner];
    await one.start();
    let asked = 0;
    for (const held of one.mine().values()) {
      held.on('revoke', () => {
        asked += 1;
      });
    }
    await two.start();
    await until(() => asked === 6, 'half is asked for');
    await two.close();
    await until(() => [...one.mine().keys()].length === 12, 'it has all');
    await until(() => world.server.node(`${PATH}/members`)?.children.length === 1, 'the other is gone');
    expect([...one.mine().values()].every((held) => held.isHeld)).toBe(true);
    await one.close();
  });
});

describe('members that come and go at random, over connections that break', () => {
  for (let seed = 1; seed <= 4; seed += 1) {
    it(`never share an item, and have all of them in the end, seed ${seed}`, async () => {
      await using world = await World.start();
      let state = seed;
      const next = (): number => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 2 ** 32;
      };
      const off = world.server.intercept(({ type }) => {
        if (type === 'ping' || type === 'connect') return 'pass';
        const dice = next();
        return dice < 0.01 ? 'disconnect-before' : dice < 0.02 ? 'disconnect-after' : 'pass';
      });
      const ledger = new Ledger();
      let present: { zk: ZooKeeper; partitioner: Partitioner }[] = [];
      for (let turn = 0; turn < 14; turn += 1) {
        const dice = next();
        if (present.length < 2 || dice < 0.5) {
          const zk = await world.client();
          const partitioner = split(zk, `m${turn}`, { items: names(20) });
          ledger.follow(partitioner);
          await partitioner.start();
          present.push({ zk, partitioner });
        } else {
          const [one] = present.splice(Math.floor(next() * present.length), 1) as [(typeof present)[0]];
          if (dice < 0.7) await one.partitioner.close();
          else if (dice < 0.85) await one.zk.close();
          else {
            ledger.expire(one.partitioner);
            world.expire(one.zk);
            present.push(one);
          }
        }
      }
      off();
      await until(
        () =>
          isSettled(
            20,
            present.map(({ partitioner }) => partitioner),
          ),
        'all is settled',
        20_000,
      );
      expect(ledger.overlaps).toEqual([]);
      await Promise.all(present.map(({ partitioner }) => partitioner.close()));
      present = [];
    }, 60_000);
  }
});
