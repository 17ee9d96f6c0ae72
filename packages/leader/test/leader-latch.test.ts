import { describe, expect, it } from '@jest/globals';
import {
  BadArgumentsError,
  type CallOptions,
  ClosedError,
  type LeaseLostError,
  NoAuthError,
  PathError,
  TimeoutError,
  ZooKeeper,
} from '@zookit/client';
import type { Held } from '@zookit/recipe-core';
import { outcome, until, World } from '@zookit/test-world';
import type { Verdict } from '@zookit/testing';
import { LeaderLatch } from '../src/index.ts';
import { own, record } from './support/record.ts';

describe('a latch', () => {
  it('writes what Curator writes: a protected, sequential, ephemeral znode with its id, empty without one', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const named = new LeaderLatch(zk, '/leaders/a', { id: 'zoë-1' });
    const plain = new LeaderLatch(zk, '/leaders/a');
    await named.start();
    await plain.start();
    const [first, second] = world.names('/leaders/a');
    const name = /^_c_[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}-latch-\d{10}$/;
    expect(first).toMatch(name);
    expect(second).toMatch(name);
    expect(world.server.node(`/leaders/a/${first}`)?.data).toEqual(Buffer.from('zoë-1'));
    expect(world.server.node(`/leaders/a/${second}`)?.data).toEqual(Buffer.alloc(0));
    expect(world.server.node(`/leaders/a/${first}`)?.stat.ephemeralOwner).toBe(zk.session?.id);
    expect(world.server.node('/leaders/a')?.kind).toBe('container');
    expect(world.server.node('/leaders')?.kind).toBe('container');
  });

  it('leads for as long as it lives, and the next one follows', async () => {
    await using world = await World.start();
    const [zk, other] = await world.clients(2);
    const [one, two] = [new LeaderLatch(zk as ZooKeeper, '/a'), new LeaderLatch(other as ZooKeeper, '/a')];
    const [first, second] = [record(one), record(two)];
    await one.start();
    await two.start();
    const held = await one.wait();
    expect([one.isLeader, two.isLeader]).toEqual([true, false]);
    expect(held.path).toBe(`/a/${world.names('/a')[0]}`);
    expect(held.fencingToken).toBe(world.server.node(held.path)?.stat.czxid);
    await one.close();
    expect(one.isLeader).toBe(false);
    expect(first.told).toEqual(['leader', 'not-leader: released']);
    const next = await two.wait({ timeout: 5_000 });
    expect(second.told).toEqual(['leader']);
    expect(next.fencingToken).toBeGreaterThan(held.fencingToken);
    expect(world.names('/a')).toEqual([own(next)]);
  });

  it('steps down by release() and queues again, behind the others', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const one = new LeaderLatch(zk, '/a', { id: 'one' });
    const two = new LeaderLatch(zk, '/a', { id: 'two' });
    const { told } = record(one);
    await one.start();
    const held = await one.wait();
    expect(await held.release()).toBe('released');
    expect(told.slice(0, 2)).toEqual(['leader', 'not-leader: released']);
    const again = await one.wait();
    expect(again.fencingToken).toBeGreaterThan(held.fencingToken);
    await two.start();
    await again.release();
    expect((await two.wait()).isHeld).toBe(true);
    await until(() => world.names('/a').length === 2, 'it has queued again');
    expect(await one.participants()).toEqual([
      { id: 'two', isLeader: true },
      { id: 'one', isLeader: false },
    ]);
    await (await two.wait()).release();
    expect((await one.wait({ timeout: 5_000 })).isHeld).toBe(true);
    expect(told).toEqual(['leader', 'not-leader: released', 'leader', 'not-leader: released', 'leader']);
  });

  it('guards writes by its znode: a stale leader’s transaction fails', async () => {
    await using world = await World.start();
    const zk = await world.client();
    await zk.create('/work', 'none');
    const latch = new LeaderLatch(zk, '/a');
    await latch.start();
    const held = await latch.wait();
    await held.guard(zk.transaction()).set('/work', 'first').commit();
    await held.release();
    await latch.wait();
    expect(await outcome(held.guard(zk.transaction()).set('/work', 'stale').commit())).toMatchObject({
      code: 'NO_NODE',
    });
    expect(world.server.node('/work')?.data?.toString()).toBe('first');
  });

  it('is over with `await using`', async () => {
    await using world = await World.start();
    const zk = await world.client();
    {
      await using latch = new LeaderLatch(zk, '/a');
      await latch.start();
      await latch.wait();
      expect(world.names('/a')).toHaveLength(1);
    }
    expect(world.names('/a')).toEqual([]);
  });

  it('tells everybody in order, also when a listener steps down at once', async () => {
    await using world = await World.start();
    const latch = new LeaderLatch(await world.client(), '/a');
    const steps: Promise<unknown>[] = [];
    latch.on('leader', (held) => {
      if (steps.length < 2) steps.push(held.release());
    });
    const { told } = record(latch);
    await latch.start();
    const held = await latch.wait();
    expect(told).toEqual(['leader', 'not-leader: released', 'leader', 'not-leader: released', 'leader']);
    expect(held.isHeld).toBe(true);
    await Promise.all(steps);
  });

  it('goes on when a listener throws', async () => {
    await using world = await World.start();
    const latch = new LeaderLatch(await world.client(), '/a');
    latch.on('leader', () => {
      throw new Error('not today');
    });
    const { told, errors } = record(latch);
    await latch.start();
    await (await latch.wait()).release();
    await latch.wait();
    expect(told).toEqual(['leader', 'not-leader: released', 'leader']);
    expect(errors).toEqual([new Error('not today'), new Error('not today')]);
  });

  it('compares the clock: not the leader any more once its time is over, whatever it has heard', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 2_000 });
    const latch = new LeaderLatch(zk, '/a');
    const { told } = record(latch);
    await latch.start();
    const held = await latch.wait();
    expect(latch.isLeader).toBe(true);
    // The event loop stands still meanwhile, and nobody can be told of anything.
    while (performance.now() < held.deadline);
    expect(latch.isLeader).toBe(false);
    // Whichever was looked at first: the hold's time, or the session's.
    expect(told).toEqual(['leader', expect.stringMatching(/^not-leader: (?:time|session)$/)]);
  });
});

describe('wait()', () => {
  it('is given up by its signal and its timeout, and nothing remains of it', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const [one, two] = [new LeaderLatch(zk, '/a'), new LeaderLatch(zk, '/a')];
    await one.start();
    await two.start();
    expect(await outcome(two.wait({ timeout: 20 }))).toBeInstanceOf(TimeoutError);
    const controller = new AbortController();
    const waiting = outcome(two.wait({ signal: controller.signal }));
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await waiting).toBe(reason);
    expect(await outcome(two.wait({ signal: controller.signal }))).toBe(reason);
    expect(await outcome(two.wait({ timeout: -1 }))).toBeInstanceOf(BadArgumentsError);
    // It stands in line all the same.
    await one.close();
    expect((await two.wait()).isHeld).toBe(true);
  });

  it('may be called before start()', async () => {
    await using world = await World.start();
    const latch = new LeaderLatch(await world.client(), '/a');
    const waiting = latch.wait();
    await latch.start();
    expect((await waiting).isHeld).toBe(true);
  });

  it('rejects when the latch is closed, before or meanwhile', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const [one, two] = [new LeaderLatch(zk, '/a'), new LeaderLatch(zk, '/a')];
    await one.start();
    await two.start();
    const waiting = outcome(two.wait());
    await two.close();
    expect(await waiting).toBeInstanceOf(ClosedError);
    expect(await outcome(two.wait())).toBeInstanceOf(ClosedError);
    expect(await outcome(two.start())).toBeInstanceOf(ClosedError);
  });

  it('rejects when the client is closed', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const [one, two] = [new LeaderLatch(zk, '/a'), new LeaderLatch(other, '/a')];
    const { told } = record(one);
    await one.start();
    await two.start();
    const waiting = outcome(two.wait());
    await other.close();
    expect(await waiting).toBeInstanceOf(ClosedError);
    await one.wait();
    await zk.close();
    expect(one.isLeader).toBe(false);
    expect(told).toEqual(['leader', 'not-leader: session']);
    expect(await outcome(one.wait())).toBeInstanceOf(ClosedError);
    await one.close();
    await two.close();
  });
});

describe('terms()', () => {
  it('gives each term of leadership, and ends when the latch is closed', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const latch = new LeaderLatch(zk, '/a');
    await latch.start();
    const seen: Held[] = [];
    for await (const held of latch.terms()) {
      seen.push(held);
      expect(held.isHeld).toBe(true);
      if (seen.length === 1) await held.release();
      else if (seen.length === 2) world.expire(zk);
      else await latch.close();
    }
    expect(seen).toHaveLength(3);
    expect(new Set(seen.map(({ fencingToken }) => fencingToken)).size).toBe(3);
  });

  it('leaves out what was over before it was asked for', async () => {
    await using world = await World.start();
    const latch = new LeaderLatch(await world.client(), '/a');
    await latch.start();
    const terms = latch.terms();
    const first = (await terms.next()).value as Held;
    await first.release();
    const second = await latch.wait();
    await second.release();
    const third = await latch.wait();
    expect((await terms.next()).value).toBe(third);
    await terms.return();
    expect(latch.isLeader).toBe(true);
  });

  it('throws TimeoutError when there is no next term in time, anew for each', async () => {
    await using world = await World.start();
    const latch = new LeaderLatch(await world.client(), '/a');
    await latch.start();
    const terms = latch.terms({ timeout: 5_000 });
    const first = (await terms.next()).value as Held;
    await first.release();
    expect((await terms.next()).value).not.toBe(first);
    const short = latch.terms({ timeout: 20 });
    expect((await short.next()).done).toBe(false);
    expect(await outcome(short.next())).toBeInstanceOf(TimeoutError);
    expect(await outcome(latch.terms({ timeout: -1 }).next())).toBeInstanceOf(BadArgumentsError);
    await latch.close();
  });

  it('throws the reason of its signal', async () => {
    await using world = await World.start();
    const latch = new LeaderLatch(await world.client(), '/a');
    await latch.start();
    const controller = new AbortController();
    const reason = new Error('enough');
    const loop = async (): Promise<void> => {
      for await (const held of latch.terms({ signal: controller.signal })) {
        expect(held.isHeld).toBe(true);
        controller.abort(reason);
      }
    };
    expect(await outcome(loop())).toBe(reason);
    expect(latch.isLeader).toBe(true);
  });

  it('throws when the client is closed', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const latch = new LeaderLatch(zk, '/a');
    await latch.start();
    const loop = async (): Promise<void> => {
      for await (const _held of latch.terms()) await zk.close();
    };
    expect(await outcome(loop())).toBeInstanceOf(ClosedError);
  });
});

describe('participants() and leader()', () => {
  it('are those in line, by their ids, the leader first; nobody where there is no line', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const latches = ['a', 'b', ''].map((id) => new LeaderLatch(zk, '/a', { id }));
    const [latch] = latches as [LeaderLatch];
    expect(await latch.participants()).toEqual([]);
    expect(await latch.leader()).toBeNull();
    for (const each of latches) await each.start();
    expect(await latch.participants()).toEqual([
      { id: 'a', isLeader: true },
      { id: 'b', isLeader: false },
      { id: '', isLeader: false },
    ]);
    expect(await latch.leader()).toEqual({ id: 'a', isLeader: true });
  });

  it('leave out what vanishes between the list and the look', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const latches = ['a', 'b', 'c'].map((id) => new LeaderLatch(other, '/a', { id }));
    const [first, second] = latches as [LeaderLatch, LeaderLatch];
    for (const each of latches) await each.start();
    const reader = new LeaderLatch(zk, '/a');
    // The list is known, and the one that it is about leaves before it is read.
    const before = (latch: LeaderLatch): Promise<void> => {
      const [leader] = world.names('/a');
      return new Promise((resolve) => {
        const off = world.server.intercept(async ({ type, path, sessionId }): Promise<Verdict> => {
          if (type !== 'getData' || sessionId !== zk.session?.id || path !== `/a/${leader}`) return 'pass';
          off();
          await latch.close();
          resolve();
          return 'pass';
        });
      });
    };
    const gone = before(first);
    expect(await reader.leader()).toEqual({ id: 'b', isLeader: true });
    await gone;
    const goneToo = before(second);
    expect(await reader.participants()).toEqual([{ id: 'c', isLeader: true }]);
    await goneToo;
  });
});

describe('start()', () => {
  it('rejects what can’t be meant', async () => {
    await using world = await World.start();
    const zk = await world.client();
    expect(() => new LeaderLatch(zk, 'a')).toThrow(PathError);
    expect(() => new LeaderLatch(zk, '/a', { id: 7 as never })).toThrow(BadArgumentsError);
    expect(() => new LeaderLatch(zk, '/a', { policy: 'never' as never })).toThrow(BadArgumentsError);
    const latch = new LeaderLatch(zk, '/a');
    expect(await outcome(latch.start({ timeout: Number.NaN }))).toBeInstanceOf(BadArgumentsError);
    await latch.close();
  });

  it('after close() rejects, whether it had been started or not', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const [one, two] = [new LeaderLatch(zk, '/a'), new LeaderLatch(zk, '/a')];
    await one.start();
    for (const latch of [one, two]) {
      await latch.close();
      expect(await outcome(latch.start())).toBeInstanceOf(ClosedError);
    }
    expect(world.names('/a')).toEqual([]);
  });

  it('can be called again after one that was refused for its arguments', async () => {
    await using world = await World.start();
    const latch = new LeaderLatch(await world.client(), '/a');
    expect(await outcome(latch.start({ signal: 5 as never }))).toBeInstanceOf(BadArgumentsError);
    await latch.start();
    expect((await latch.wait()).isHeld).toBe(true);
    await latch.close();
  });

  it('with a signal that has aborted rejects with its reason, and the latch is closed', async () => {
    await using world = await World.start();
    const latch = new LeaderLatch(await world.client(), '/a');
    const reason = new Error('no longer wanted');
    expect(await outcome(latch.start({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(await outcome(latch.start())).toBeInstanceOf(ClosedError);
    expect(world.names('/a')).toEqual([]);
  });

  it('is one promise', async () => {
    await using world = await World.start();
    const latch = new LeaderLatch(await world.client(), '/a');
    expect(latch.start()).toBe(latch.start());
    await latch.start();
    expect(world.names('/a')).toHaveLength(1);
  });

  it('rejects with what the server refuses, and the latch is closed', async () => {
    await using world = await World.start();
    const zk = await world.client();
    await zk.create('/a', null, { acl: [{ perms: 1, scheme: 'world', id: 'anyone' }] });
    const latch = new LeaderLatch(zk, '/a');
    const { errors } = record(latch);
    expect(await outcome(latch.start())).toBeInstanceOf(NoAuthError);
    expect(await outcome(latch.wait())).toBeInstanceOf(NoAuthError);
    await latch.close();
    expect(errors).toEqual([]);
  });

  it('that is given up leaves no znode', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const latch = new LeaderLatch(zk, '/a');
    const created = world.once('create2', { delay: 60 });
    const starting = outcome(latch.start({ timeout: 20 }));
    await created;
    expect(await starting).toBeInstanceOf(TimeoutError);
    await latch.close();
    expect(world.names('/a')).toEqual([]);
    expect(await outcome(latch.wait())).toBeInstanceOf(ClosedError);
  });

  it('on a closed client rejects', async () => {
    await using world = await World.start();
    const zk = await world.client();
    await zk.close();
    const latch = new LeaderLatch(zk, '/a');
    expect(await outcome(latch.start())).toBeInstanceOf(ClosedError);
    await latch.close();
  });

  it('resolves though the server is away; the latch leads when it comes', async () => {
    await using world = await World.start();
    await world.server.stopMember(0);
    const zk = new ZooKeeper(world.server.connectString, { connectTimeout: 0 });
    const connecting = zk.connect();
    const latch = new LeaderLatch(zk, '/leaders/a');
    await latch.start();
    const waiting = latch.wait();
    await world.server.startMember(0);
    await connecting;
    expect((await waiting).isHeld).toBe(true);
    await zk.close();
  });

  it('goes on trying when it is refused later', async () => {
    await using world = await World.start();
    const [zk, admin] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    await admin.addAuth('digest', 'admin:secret');
    await admin.create('/a');
    const latch = new LeaderLatch(zk, '/a');
    const { told, errors } = record(latch);
    await latch.start();
    const held = await latch.wait();
    const open = [{ perms: 31, scheme: 'world', id: 'anyone' }];
    await admin.setAcl('/a', [{ perms: 31, scheme: 'auth', id: '' }]);
    await admin.delete(held.path);
    await until(() => errors.length > 0, 'it is refused');
    expect(errors[0]).toBeInstanceOf(NoAuthError);
    await admin.setAcl('/a', open);
    const again = await latch.wait({ timeout: 5_000 });
    expect(again.isHeld).toBe(true);
    expect(told).toEqual(['leader', 'not-leader: deleted', 'leader']);
  });
});

describe('options that can not be meant', () => {
  it.each([{ signal: 5 }, { signal: null }, { timeout: -1 }, { timeout: '5' }])('are refused: %j', async (bad) => {
    await using world = await World.start();
    const latch = new LeaderLatch(await world.client(), '/a');
    const requests = world.requests();
    const options = bad as CallOptions;
    for (const call of [
      latch.start(options),
      latch.wait(options),
      latch.terms(options).next(),
      latch.participants(options),
      latch.leader(options),
      latch.close(options),
    ]) {
      expect(await outcome(call)).toBeInstanceOf(BadArgumentsError);
    }
    expect(requests).toEqual([]);
    await latch.start();
    await latch.close();
  });
});

describe('the reason of not-leader', () => {
  it('is the LeaseLostError that the hold’s signal has', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const latch = new LeaderLatch(zk, '/a');
    await latch.start();
    const held = await latch.wait();
    const told = new Promise<LeaseLostError>((resolve) => latch.once('not-leader', resolve));
    world.expire(zk);
    const reason = await told;
    expect(reason.code).toBe('LEASE_LOST');
    expect(held.signal.reason).toBe(reason);
    expect((await latch.wait()).path).not.toBe(held.path);
  });
});
