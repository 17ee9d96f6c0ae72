import { describe, expect, it } from '@jest/globals';
import { BadArgumentsError, ClosedError, PathError, TimeoutError, type ZooKeeper } from '@zookit/client';
import type { Held } from '@zookit/recipe-core';
import { outcome, until, World } from '@zookit/test-world';
import { Partitioner } from '../src/index.ts';
import { isSettled, Ledger, names, PATH, sizes, split } from './support/split.ts';

describe('a partitioner', () => {
  it('splits many items among five in a few packets each, and nobody has one twice', async () => {
    await using world = await World.start();
    const zks = await world.clients(5);
    const requests = world.requests();
    const ledger = new Ledger();
    const all = zks.map((zk, at) => split(zk, `m${at}`, { items: names(300) }));
    for (const each of all) ledger.follow(each);
    await Promise.all(all.map((each) => each.start()));
    await until(() => isSettled(300, all), 'each has 60', 20_000);
    expect(requests.length).toBeLessThan(300 * 9);
    requests.length = 0;
    await all[0]?.close();
    await until(() => isSettled(300, all.slice(1)), 'each has 75', 20_000);
    expect(requests.length).toBeLessThan(60 * 9 + 100);
    expect(ledger.overlaps).toEqual([]);
  }, 50_000);

  it('that is alone has everything when it has started', async () => {
    await using world = await World.start();
    const [zk] = (await world.clients(1)) as [ZooKeeper];
    const one = split(zk, 'one');
    await one.start();
    const mine = one.mine();
    expect([...mine.keys()].sort()).toEqual(names(12));
    for (const [item, held] of mine) {
      expect(held.isHeld).toBe(true);
      expect(held.path).toMatch(new RegExp(`^${PATH}/items/${item}/_c_[0-9a-f-]{36}-lock-\\d{10}$`));
      expect(world.server.node(held.path)?.stat.ephemeralOwner).toBe(zk.session?.id);
      expect(world.server.node(held.path)?.data?.toString()).toBe('one');
    }
    expect(JSON.parse(world.server.node(`${PATH}/assignment`)?.data?.toString() ?? '')).toEqual({ one: names(12) });
    expect(world.server.node(`${PATH}/members`)?.children).toEqual(['one']);
    await one.close();
    expect(one.mine().size).toBe(0);
    for (const held of mine.values()) expect(held.signal.aborted).toBe(true);
    const left = Object.keys(world.server.dump(PATH)).filter((path) => /lock-|assignment|members\/./.test(path));
    expect(left).toEqual([]);
    await until(() => world.server.watches().length === 0, 'no watch is left');
  });

  it('shares with those who come, and gets back from those who go: nobody twice, no more moves than need be', async () => {
    await using world = await World.start();
    const zks = await world.clients(4);
    const ledger = new Ledger();
    const all = zks.map((zk, at) => split(zk, `m${at}`, { items: names(100) }));
    for (const each of all) ledger.follow(each);
    const [one, two, three, four] = all as [Partitioner, Partitioner, Partitioner, Partitioner];
    await one.start();
    expect(ledger.moves).toBe(100);
    await two.start();
    await until(() => isSettled(100, [one, two]), 'two have it');
    expect(ledger.moves).toBe(150);
    await three.start();
    await until(() => isSettled(100, [one, two, three]), 'three have it');
    expect(ledger.moves).toBe(183);
    await four.start();
    await until(() => isSettled(100, all), 'four have it');
    expect(ledger.moves).toBe(208);
    await two.close();
    await until(() => isSettled(100, [one, three, four]), 'three have it');
    expect(ledger.moves).toBe(233);
    const last = one.mine().size;
    await (zks[0] as ZooKeeper).close();
    await until(() => isSettled(100, [three, four]), 'two have it');
    expect(ledger.moves).toBe(233 + last);
    expect(ledger.overlaps).toEqual([]);
  });

  it('keeps what is to move until its work is done, if somebody listens for it', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const one = split(zk, 'one');
    await one.start();
    const asked: Held[] = [];
    for (const held of one.mine().values()) held.on('revoke', () => asked.push(held));
    const two = split(other, 'two');
    await two.start();
    await until(() => asked.length === 6, 'half is asked for');
    expect(sizes(one, two)).toEqual([12, 0]);
    const [first, ...rest] = asked as [Held, ...Held[]];
    expect(await first.release()).toBe('released');
    await until(() => two.mine().size === 1, 'that one moves');
    expect(one.mine().size).toBe(11);
    expect(asked).toHaveLength(6);
    await Promise.all(rest.map((held) => held.release()));
    await until(() => isSettled(12, [one, two]), 'half has moved');
    await Promise.all([one.close(), two.close()]);
  });

  it('tells of the loss before the next owner has it', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const [one, two] = [split(zk, 'one'), split(other, 'two')];
    await one.start();
    const before = one.mine();
    let told = 0;
    one.on('change', (mine) => {
      for (const item of before.keys()) if (!mine.has(item)) expect(two.mine().has(item)).toBe(false);
      told += 1;
    });
    await two.start();
    await until(() => isSettled(12, [one, two]), 'both have their share');
    // What goes in one go is told once.
    expect(told).toBe(1);
  });

  it('gets back what it let go without being asked', async () => {
    await using world = await World.start();
    const [zk] = (await world.clients(1)) as [ZooKeeper];
    const one = split(zk, 'one');
    await one.start();
    const held = one.mine().get('item-0003') as Held;
    await held.release();
    await until(() => one.mine().size === 12, 'it is back');
    expect(one.mine().get('item-0003')?.fencingToken).toBeGreaterThan(held.fencingToken);
  });

  it('gives a member that comes back quickly, with the same id, what it had', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const [one, two] = [split(zk, 'one'), split(other, 'two')];
    await Promise.all([one.start(), two.start()]);
    await until(() => isSettled(12, [one, two]), 'both have their share');
    const before = [...one.mine().keys()].sort();
    world.expire(zk);
    await until(() => one.mine().size === 0, 'it has lost all');
    await until(() => one.mine().size === 6, 'it has its share again');
    expect([...one.mine().keys()].sort()).toEqual(before);
  });

  it('takes any text for an item', async () => {
    await using world = await World.start();
    const [zk] = (await world.clients(1)) as [ZooKeeper];
    const items = ['a/b', '.', '..', 'ü b', '%2E', '/', '__proto__', '\u{1F600}'];
    const one = split(zk, '__proto__', { items });
    await one.start();
    expect([...one.mine().keys()].sort()).toEqual([...items].sort());
    await one.close();
  });

  it('may have more members than items', async () => {
    await using world = await World.start();
    const zks = await world.clients(3);
    const all = zks.map((zk, at) => split(zk, `m${at}`, { items: ['x'] }));
    await Promise.all(all.map((each) => each.start()));
    await until(() => isSettled(1, all), 'one has it');
    await all.find((each) => each.mine().size === 1)?.close();
    await until(() => isSettled(1, all), 'another has it');
    const none = new Partitioner(zks[0] as ZooKeeper, '/split/none', { items: [] });
    await none.start();
    expect(none.mine().size).toBe(0);
  });

  it('does not wait for ever for a member whose turn it is to write', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    // As a process that stands still: its znode is there, and it does nothing.
    await other.create(`${PATH}/members/a-silent-one`, null, { mode: 'ephemeral', parents: 'container' });
    const one = split(zk, 'one');
    await one.start();
    expect(one.mine().size).toBe(6);
  });

  it('puts a split right that is not what it should be', async () => {
    await using world = await World.start();
    const [zk] = (await world.clients(1)) as [ZooKeeper];
    const one = split(zk, 'one');
    await one.start();
    for (const data of ['nonsense', '{"one":5}', null]) {
      await zk.set(`${PATH}/assignment`, data);
      await until(
        () => world.server.node(`${PATH}/assignment`)?.data?.toString().startsWith('{"one":[') === true,
        'it is right',
      );
    }
    await zk.delete(`${PATH}/assignment`);
    await until(() => world.server.node(`${PATH}/assignment`) !== null, 'it is there again');
    await until(() => one.mine().size === 12, 'it has all');
  });

  it('survives that somebody deletes everything', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const [one, two] = [split(zk, 'one'), split(other, 'two')];
    await Promise.all([one.start(), two.start()]);
    await until(() => isSettled(12, [one, two]), 'both have their share');
    await other.delete(PATH, { recursive: true });
    await until(() => world.server.node(`${PATH}/members`)?.children.length === 2, 'both are there again');
    await until(() => world.server.node(`${PATH}/assignment`) !== null, 'the split is there again');
    await Promise.all([one.close(), two.close()]);
  });

  it('refuses what makes no sense', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    expect(() => new Partitioner(zk, 'split', { items: [] })).toThrow(PathError);
    for (const items of ['text', undefined, ['a', 'a'], [''], [5], ['\ud800']]) {
      expect(() => new Partitioner(zk, PATH, { items: items as never })).toThrow(BadArgumentsError);
    }
    expect(() => new Partitioner(zk, PATH, undefined as never)).toThrow(BadArgumentsError);
    expect(() => new Partitioner(zk, PATH, { items: ['a'], policy: 'x' as never })).toThrow(BadArgumentsError);
    for (const id of ['', 'a/b', 5]) {
      expect(() => split(zk, id as never)).toThrow(BadArgumentsError);
    }
    const one = split(zk, 'one');
    await one.start();
    const two = split(other, 'two', { items: ['others'] });
    expect(await outcome(two.start())).toBeInstanceOf(BadArgumentsError);
    await until(() => world.server.node(`${PATH}/members`)?.children.length === 1, 'it has left');
    expect(one.mine().size).toBe(12);
    const closed = split(other, 'three');
    await closed.close();
    expect(await outcome(closed.start())).toBeInstanceOf(ClosedError);
    await one.close();
    expect(await outcome(one.start())).toBeInstanceOf(ClosedError);
  });

  it('refuses what is no signal and no timeout, and starts after that', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const one = split(zk, 'one');
    for (const options of [{ timeout: -5 }, { signal: 5 }] as object[]) {
      expect(await outcome(one.start(options))).toBeInstanceOf(BadArgumentsError);
    }
    await one.start();
    for (const options of [{ timeout: -5 }, { signal: 5 }] as object[]) {
      expect(await outcome(one.close(options))).toBeInstanceOf(BadArgumentsError);
    }
    await one.close();
    expect(one.mine().size).toBe(0);
  });

  it('that can not start leaves nothing behind', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 15_000 });
    await world.server.stopMember(0);
    const one = split(zk, 'one');
    expect(await outcome(one.start({ timeout: 30 }))).toBeInstanceOf(TimeoutError);
    await world.server.startMember(0);
    await zk.sync();
    expect(world.server.node('/split')).toBeNull();
  });
});
