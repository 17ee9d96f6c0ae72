import { describe, expect, it } from '@jest/globals';
import { BadArgumentsError, ClosedError, PathError, TimeoutError, type ZooKeeper } from '@zookit/client';
import { outcome, until, World } from '@zookit/test-world';
import { DoubleBarrier } from '../src/index.ts';
import { members, membersOf, PATH, READY } from './support/members.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('a double barrier', () => {
  it("is Curator's znodes: an ephemeral UUID each, and a persistent ready", async () => {
    await using world = await World.start();
    const [zk] = (await world.clients(1)) as [ZooKeeper];
    const barrier = new DoubleBarrier(zk, PATH, { members: 1 });
    await barrier.enter();
    const [name = ''] = membersOf(world);
    expect(name).toMatch(UUID);
    const node = world.server.node(`${PATH}/${name}`);
    expect(node?.stat.ephemeralOwner).toBe(zk.session?.id);
    expect(node?.data?.toString()).toBe('127.0.0.1');
    expect(world.server.node(READY)).toMatchObject({ kind: 'persistent' });
    expect(world.server.node(READY)?.data?.toString()).toBe('127.0.0.1');
    expect(world.server.node(PATH)?.kind).toBe('container');
    await barrier.leave();
    expect(world.server.node(PATH)?.children).toEqual([]);
    await until(() => world.server.watches().length === 0, 'no watch is left');
  });

  it('lets nobody in before all have come, nor out before all have left', async () => {
    await using world = await World.start();
    const barriers = await members(world, 3);
    let inside = 0;
    let outside = 0;
    const last = barriers.pop() as DoubleBarrier;
    const enters = barriers.map(async (barrier) => {
      await barrier.enter();
      inside += 1;
    });
    await until(() => membersOf(world).length === 2, 'two have come');
    await until(() => world.server.watches(READY).length === 2, 'two wait');
    expect(inside).toBe(0);
    await last.enter();
    await Promise.all(enters);
    await until(() => world.server.watches().length === 0, 'no watch is left');
    const leaves = barriers.map(async (barrier) => {
      await barrier.leave();
      outside += 1;
    });
    await until(() => world.server.watches(READY).length === 2, 'two wait for the last');
    expect(outside).toBe(0);
    await last.leave();
    await Promise.all(leaves);
    expect(world.server.node(PATH)?.children).toEqual([]);
    await until(() => world.server.watches().length === 0, 'no watch is left');
  });

  it('lets a member in that comes when a round is under way; the others wait for it, too', async () => {
    await using world = await World.start();
    const [first, second, third] = (await members(world, 3, 2)) as [DoubleBarrier, DoubleBarrier, DoubleBarrier];
    await Promise.all([first.enter(), second.enter()]);
    await third.enter();
    let out = 0;
    const leaves = [first, second].map(async (barrier) => {
      await barrier.leave();
      out += 1;
    });
    await until(() => world.server.watches(READY).length === 2, 'two wait for the third');
    expect(out).toBe(0);
    await third.leave();
    await Promise.all(leaves);
    expect(world.server.node(PATH)?.children).toEqual([]);
  });

  it('may be used again and again by the same members, as fast as they can', async () => {
    await using world = await World.start();
    const barriers = await members(world, 4);
    const rounds = barriers.map(() => 0);
    await Promise.all(
      barriers.map(async (barrier, at) => {
        for (let round = 1; round <= 15; round += 1) {
          await barrier.enter({ timeout: 20_000 });
          rounds[at] = round;
          // All have entered this round; none can have entered the next.
          for (const other of rounds) expect([round - 1, round]).toContain(other);
          await barrier.leave({ timeout: 20_000 });
        }
      }),
    );
    expect(world.server.node(PATH)?.children).toEqual([]);
    await until(() => world.server.watches().length === 0, 'no watch is left');
  });

  it('works with more members in one process, each with an object of its own', async () => {
    await using world = await World.start();
    const [zk] = (await world.clients(1)) as [ZooKeeper];
    const barriers = Array.from({ length: 20 }, () => new DoubleBarrier(zk, PATH, { members: 20 }));
    await Promise.all(barriers.map((barrier) => barrier.enter()));
    await Promise.all(barriers.map((barrier) => barrier.leave()));
    expect(world.server.node(PATH)?.children).toEqual([]);
  });

  it('refuses what makes no sense', async () => {
    await using world = await World.start();
    const [zk] = (await world.clients(1)) as [ZooKeeper];
    expect(() => new DoubleBarrier(zk, 'nowhere', { members: 2 })).toThrow(PathError);
    for (const count of [0, -1, 1.5, Number.NaN, '2' as never]) {
      expect(() => new DoubleBarrier(zk, PATH, { members: count })).toThrow(BadArgumentsError);
    }
    expect(() => new DoubleBarrier(zk, PATH, undefined as never)).toThrow(BadArgumentsError);
    expect(() => new DoubleBarrier(zk, PATH, { members: 2, policy: 'never' as never })).toThrow(BadArgumentsError);
    const barrier = new DoubleBarrier(zk, PATH, { members: 2 });
    expect(await outcome(barrier.enter({ signal: 5 as never }))).toBeInstanceOf(BadArgumentsError);
    expect(await outcome(barrier.leave())).toBeInstanceOf(BadArgumentsError);
    expect(await outcome(barrier.enter({ timeout: Number.NaN }))).toBeInstanceOf(BadArgumentsError);
    const entering = outcome(barrier.enter());
    expect(await outcome(barrier.enter())).toBeInstanceOf(BadArgumentsError);
    expect(await outcome(barrier.leave())).toBeInstanceOf(BadArgumentsError);
    await zk.close();
    expect(await entering).toBeInstanceOf(ClosedError);
    expect(await outcome(barrier.enter())).toBeInstanceOf(ClosedError);
  });
});

describe('an enter that is given up', () => {
  it('takes its znode and its watch away: one that comes later is not let in alone', async () => {
    await using world = await World.start();
    const [first, second, third] = (await members(world, 3)) as [DoubleBarrier, DoubleBarrier, DoubleBarrier];
    const early = await Promise.all([outcome(first.enter({ timeout: 50 })), outcome(second.enter({ timeout: 50 }))]);
    expect(early.every((error) => error instanceof TimeoutError && error.maybeApplied !== true)).toBe(true);
    expect(membersOf(world)).toEqual([]);
    await until(() => world.server.watches().length === 0, 'no watch is left');
    expect(await outcome(third.enter({ timeout: 50 }))).toBeInstanceOf(TimeoutError);
    expect(membersOf(world)).toEqual([]);
    expect(world.server.node(READY)).toBeNull();
  });

  it('by its signal does the same', async () => {
    await using world = await World.start();
    const [first] = (await members(world, 1, 2)) as [DoubleBarrier];
    const controller = new AbortController();
    const entering = outcome(first.enter({ signal: controller.signal }));
    await until(() => world.server.watches(READY).length === 1, 'it waits');
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await entering).toBe(reason);
    expect(world.server.node(PATH)?.children).toEqual([]);
    expect(await outcome(first.enter({ signal: controller.signal }))).toBe(reason);
  });

  it('may be tried again', async () => {
    await using world = await World.start();
    const [first, second] = (await members(world, 2)) as [DoubleBarrier, DoubleBarrier];
    expect(await outcome(first.enter({ timeout: 20 }))).toBeInstanceOf(TimeoutError);
    await Promise.all([first.enter(), second.enter()]);
    await Promise.all([first.leave(), second.leave()]);
  });

  it('does not wake those that take any change of ready for the start: it is never touched', async () => {
    await using world = await World.start();
    const [first] = (await members(world, 1, 2)) as [DoubleBarrier];
    const [zk] = (await world.clients(1)) as [ZooKeeper];
    const events: string[] = [];
    await zk.exists(READY, { watch: ({ type }) => events.push(type) });
    expect(await outcome(first.enter({ timeout: 20 }))).toBeInstanceOf(TimeoutError);
    await zk.sync();
    expect(events).toEqual([]);
  });
});

describe('a leave', () => {
  it('keeps its deadline, and has left then', async () => {
    await using world = await World.start();
    for (const at of [0, 1]) {
      const barriers = await members(world, 2, 2, `/deadline/${at}`);
      await Promise.all(barriers.map((barrier) => barrier.enter()));
      const [stays, goes] = [barriers[at], barriers[1 - at]] as [DoubleBarrier, DoubleBarrier];
      expect(await outcome(goes.leave({ timeout: 50 }))).toBeInstanceOf(TimeoutError);
      await until(() => membersOf(world, `/deadline/${at}`).length === 1, 'its znode is gone');
      await stays.leave({ timeout: 10_000 });
      expect(world.server.node(`/deadline/${at}`)?.children).toEqual([]);
      expect(await outcome(goes.leave())).toBeInstanceOf(BadArgumentsError);
    }
    await until(() => world.server.watches().length === 0, 'no watch is left');
  });

  it('does not wait for a member that died', async () => {
    await using world = await World.start();
    for (const dies of [0, 1, 2]) {
      const path = `/death/${dies}`;
      const zks = await world.clients(3);
      const barriers = zks.map((zk) => new DoubleBarrier(zk, path, { members: 3 }));
      await Promise.all(barriers.map((barrier) => barrier.enter()));
      const leaves = barriers.filter((_, at) => at !== dies).map((barrier) => barrier.leave());
      await until(() => world.server.watches(`${path}/ready`).length === 2, 'two wait');
      await (zks[dies] as ZooKeeper).close();
      await Promise.all(leaves);
      expect(world.server.node(path)?.children).toEqual([]);
    }
  });

  it('resolves for one whose session was lost once the others are out', async () => {
    await using world = await World.start();
    const [one, two] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const [first, second] = [one, two].map((zk) => new DoubleBarrier(zk, PATH, { members: 2 })) as [
      DoubleBarrier,
      DoubleBarrier,
    ];
    await Promise.all([first.enter(), second.enter()]);
    world.expire(one);
    await until(() => one.state !== 'connected', 'it is lost');
    const leaving = first.leave();
    await until(() => one.state === 'connected' && world.server.watches(READY).length === 1, 'it waits');
    await Promise.all([second.leave(), leaving]);
    expect(world.server.node(PATH)?.children).toEqual([]);
  });

  it('does not wait for members of the next round', async () => {
    await using world = await World.start();
    const zks = await world.clients(3);
    const [first, second, third] = zks.map((zk) => new DoubleBarrier(zk, PATH, { members: 2 })) as [
      DoubleBarrier,
      DoubleBarrier,
      DoubleBarrier,
    ];
    await Promise.all([first.enter(), second.enter()]);
    const [one] = membersOf(world).sort();
    const lowest = world.server.node(`${PATH}/${one}`)?.stat.ephemeralOwner === zks[0]?.session?.id ? 0 : 1;
    const [low, high] = lowest === 0 ? [first, second] : [second, first];
    // The one that leaves first waits for the lowest. It hears of its going late: meanwhile the next round has a member.
    const leaving = high.leave();
    await until(() => world.server.watches(READY).length === 1, 'it waits');
    const off = world.server.intercept(({ type, sessionId }) =>
      type === 'getChildren' && sessionId === zks[1 - lowest]?.session?.id ? { delay: 300 } : 'pass',
    );
    await low.leave();
    const next = outcome(third.enter({ timeout: 5_000 }));
    await until(() => membersOf(world).length === 1, 'the next round has a member');
    await leaving;
    off();
    await Promise.all([next, low.enter()]);
    expect(await next).toBeUndefined();
  });
});

describe('a ready that a round left behind', () => {
  it('does not let in one that comes alone: it is removed, and the count begins anew', async () => {
    await using world = await World.start();
    const zks = await world.clients(2);
    const dead = zks.map((zk) => new DoubleBarrier(zk, PATH, { members: 2 }));
    await Promise.all(dead.map((barrier) => barrier.enter()));
    for (const zk of zks) await zk.close();
    expect(world.server.node(PATH)?.children).toEqual(['ready']);
    const [first, second] = (await members(world, 2)) as [DoubleBarrier, DoubleBarrier];
    let inside = false;
    const entering = first.enter().then(() => {
      inside = true;
    });
    await until(() => world.server.node(READY) === null, 'it is removed');
    await until(() => world.server.watches(READY).length === 1, 'it waits');
    expect(inside).toBe(false);
    await Promise.all([entering, second.enter()]);
  });

  it('lets none of those in that come at once before all have come', async () => {
    await using world = await World.start();
    const zks = await world.clients(4);
    for (let round = 0; round < 10; round += 1) {
      const path = `/stale/${round}`;
      await zks[0]?.create(`${path}/ready`, 'x', { parents: true });
      const barriers = zks.map((zk) => new DoubleBarrier(zk, path, { members: 4 }));
      const last = barriers.pop() as DoubleBarrier;
      let inside = 0;
      const enters = barriers.map(async (barrier) => {
        await barrier.enter();
        inside += 1;
      });
      await until(
        () => world.server.watches(`${path}/ready`).filter(({ kind }) => kind === 'exist').length === 3,
        'all wait',
      );
      expect(inside).toBe(0);
      await Promise.all([...enters, last.enter()]);
      await Promise.all([...barriers, last].map((barrier) => barrier.leave()));
    }
  });
});
