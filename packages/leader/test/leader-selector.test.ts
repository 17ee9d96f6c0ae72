import { EventEmitter, once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import {
  BadArgumentsError,
  type CallOptions,
  ClosedError,
  NoAuthError,
  PathError,
  TimeoutError,
  type ZooKeeper,
} from '@zookit/client';
import type { Held } from '@zookit/recipe-core';
import { outcome, until, World } from '@zookit/test-world';
import { LeaderSelector } from '../src/index.ts';
import { own } from './support/record.ts';

/** Resolves when the term is over. */
function untilOver(held: Held): Promise<void> {
  return new Promise((resolve) => held.signal.addEventListener('abort', () => resolve()));
}

function watched(selector: LeaderSelector): { states: string[]; errors: unknown[] } {
  const states: string[] = [];
  const errors: unknown[] = [];
  selector.on('state', (state, previous) => states.push(`${previous} -> ${state}`));
  selector.on('error', (error) => errors.push(error));
  return { states, errors };
}

describe('a selector', () => {
  it('writes what Curator writes: a mutex’s znode with its id, or this end’s address', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const selectors = [{ id: 'zoë-1' }, {}, { id: '' }].map(
      (options) => new LeaderSelector(zk, '/leaders/a', options, untilOver),
    );
    for (const selector of selectors) await selector.start();
    const names = world.names('/leaders/a');
    expect(names).toHaveLength(3);
    for (const name of names) {
      expect(name).toMatch(/^_c_[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}-lock-\d{10}$/);
    }
    expect(names.map((name) => world.server.node(`/leaders/a/${name}`)?.data?.toString())).toEqual([
      'zoë-1',
      '127.0.0.1',
      '127.0.0.1',
    ]);
    expect(world.server.node('/leaders/a')?.kind).toBe('container');
    expect(await (selectors[1] as LeaderSelector).participants()).toEqual([
      { id: 'zoë-1', isLeader: true },
      { id: '127.0.0.1', isLeader: false },
      { id: '127.0.0.1', isLeader: false },
    ]);
    expect(await (selectors[2] as LeaderSelector).leader()).toEqual({ id: 'zoë-1', isLeader: true });
    for (const selector of selectors) await selector.close();
  });

  it('has terms that are runs of its function, one after the other; everybody gets a turn', async () => {
    await using world = await World.start();
    const clients = await world.clients(3);
    const turns: string[] = [];
    let leading = 0;
    const selectors = clients.map(
      (zk, at) =>
        new LeaderSelector(zk, '/a', { id: String(at), requeue: true }, async (held) => {
          leading += 1;
          expect(leading).toBe(1);
          expect(held.isHeld).toBe(true);
          await until(() => world.names('/a').length === 3 || turns.length >= 9, 'all are in line');
          turns.push(String(at));
          leading -= 1;
        }),
    );
    for (const selector of selectors) await selector.start();
    await until(() => turns.length >= 9, 'nine turns');
    for (const selector of selectors) await selector.close();
    expect(turns.slice(0, 9)).toEqual(['0', '1', '2', '0', '1', '2', '0', '1', '2']);
    expect(world.names('/a')).toEqual([]);
  });

  it('has one term only without requeue, and another when it is started again', async () => {
    await using world = await World.start();
    const terms: bigint[] = [];
    const selector = new LeaderSelector(await world.client(), '/a', {}, ({ fencingToken }) => terms.push(fencingToken));
    const { states } = watched(selector);
    expect(selector.state).toBe('idle');
    await selector.start();
    await until(() => selector.state === 'idle', 'its term is over');
    expect(terms).toHaveLength(1);
    expect(world.names('/a')).toEqual([]);
    await selector.start();
    await until(() => selector.state === 'idle', 'its term is over');
    expect(terms).toHaveLength(2);
    expect(terms[1]).toBeGreaterThan(terms[0] as bigint);
    const term = ['idle -> queued', 'queued -> leading', 'leading -> idle'];
    expect(states).toEqual([...term, ...term]);
    await selector.close();
    expect(selector.state).toBe('closed');
  });

  it('stands once, however often it is started', async () => {
    await using world = await World.start();
    const selector = new LeaderSelector(await world.client(), '/a', {}, untilOver);
    await Promise.all([selector.start(), selector.start()]);
    await until(() => selector.state === 'leading', 'it leads');
    await selector.start();
    expect(world.names('/a')).toHaveLength(1);
    expect(selector.isLeader).toBe(true);
    await selector.close();
    expect(selector.isLeader).toBe(false);
  });

  it('rejects what can’t be meant', async () => {
    await using world = await World.start();
    const zk = await world.client();
    expect(() => new LeaderSelector(zk, 'a', {}, untilOver)).toThrow(PathError);
    expect(() => new LeaderSelector(zk, '/a', { id: 7 as never }, untilOver)).toThrow(BadArgumentsError);
    expect(() => new LeaderSelector(zk, '/a', {}, undefined as never)).toThrow(BadArgumentsError);
    const selector = new LeaderSelector(zk, '/a', undefined, untilOver);
    const requests = world.requests();
    for (const bad of [{ signal: 5 }, { signal: null }, { timeout: -1 }, { timeout: '5' }]) {
      const options = bad as CallOptions;
      for (const call of [
        selector.start(options),
        selector.participants(options),
        selector.leader(options),
        selector.close(options),
      ]) {
        expect(await outcome(call)).toBeInstanceOf(BadArgumentsError);
      }
    }
    expect(requests).toEqual([]);
    expect(selector.state).toBe('idle');
    await selector.start();
    await until(() => selector.state === 'leading', 'it leads');
    await selector.close();
  });
});

describe.each([{ requeue: false }, { requeue: true }])('start() that is given up, with %j', (options) => {
  it.each(['timeout', 'signal'])(
    'by its %s leaves no znode; the selector is idle, and may be started again',
    async (by) => {
      await using world = await World.start();
      const zk = await world.client();
      await zk.create('/a');
      const selector = new LeaderSelector(zk, '/a', options, untilOver);
      const { states, errors } = watched(selector);
      const controller = new AbortController();
      const reason = new Error('no longer wanted');
      const created = world.once('create2', { delay: 60 });
      const starting = outcome(selector.start(by === 'timeout' ? { timeout: 20 } : { signal: controller.signal }));
      if (by === 'signal') await created;
      controller.abort(reason);
      const error = await starting;
      if (by === 'timeout') expect(error).toBeInstanceOf(TimeoutError);
      else expect(error).toBe(reason);
      expect(selector.state).toBe('idle');
      expect(selector.failure).toBeNull();
      await selector.start({ timeout: 5_000 });
      await until(() => selector.state === 'leading', 'it leads');
      await until(() => world.names('/a').length === 1, 'nothing is left of the first start');
      await selector.close();
      expect(world.names('/a')).toEqual([]);
      expect(states.slice(0, 4)).toEqual(['idle -> queued', 'queued -> idle', 'idle -> queued', 'queued -> leading']);
      expect(errors).toEqual([]);
    },
  );

  it('by a signal that has aborted asks for nothing', async () => {
    await using world = await World.start();
    const selector = new LeaderSelector(await world.client(), '/a', options, untilOver);
    const requests = world.requests();
    const reason = new Error('no longer wanted');
    expect(await outcome(selector.start({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(selector.state).toBe('idle');
    expect(requests).toEqual([]);
    await selector.close();
  });

  it('leaves alone what an earlier call has begun', async () => {
    await using world = await World.start();
    const selector = new LeaderSelector(await world.client(), '/a', options, untilOver);
    const created = world.once('create2', { delay: 60 });
    const first = selector.start();
    const second = outcome(selector.start({ timeout: 5 }));
    await created;
    expect(await second).toBeInstanceOf(TimeoutError);
    await first;
    await until(() => selector.state === 'leading', 'it leads');
    await selector.close();
  });
});

describe('a function that fails', () => {
  it('ends its term, is told of, and is followed by the next with requeue', async () => {
    await using world = await World.start();
    const failures = [new Error('one'), new Error('two'), 'three', null];
    let runs = 0;
    const selector = new LeaderSelector(await world.client(), '/a', { requeue: true }, (held) => {
      runs += 1;
      if (runs <= failures.length) throw failures[runs - 1];
      return untilOver(held);
    });
    const { states, errors } = watched(selector);
    await selector.start();
    await until(() => runs === 5 && selector.state === 'leading', 'it leads a fifth time', 10_000);
    expect(errors).toEqual(failures);
    const term = ['queued -> leading', 'leading -> failed', 'failed -> queued'];
    expect(states).toEqual(['idle -> queued', ...term, ...term, ...term, ...term, 'queued -> leading']);
    await selector.close();
    expect(selector.failure).toBeNull();
  });

  it('leaves it failed without requeue', async () => {
    await using world = await World.start();
    const failure = new Error('not today');
    const selector = new LeaderSelector(await world.client(), '/a', {}, () => Promise.reject(failure));
    const { errors } = watched(selector);
    await selector.start();
    await until(() => selector.state === 'failed', 'it has failed');
    expect(selector.failure).toBe(failure);
    expect(errors).toEqual([failure]);
    await until(() => world.names('/a').length === 0, 'its znode is gone');
    await selector.close();
    expect(selector.state).toBe('closed');
  });

  it('because its term is over has not failed', async () => {
    await using world = await World.start();
    const zk = await world.client();
    let runs = 0;
    const selector = new LeaderSelector(zk, '/a', { requeue: true }, async ({ signal }) => {
      runs += 1;
      await once(new EventEmitter(), 'never', { signal });
    });
    const { states, errors } = watched(selector);
    await selector.start();
    await until(() => runs === 1, 'it leads');
    world.expire(zk);
    await until(() => runs === 2, 'it leads again');
    await selector.close();
    expect(errors).toEqual([]);
    expect(states).toEqual([
      'idle -> queued',
      'queued -> leading',
      'leading -> stopping',
      'stopping -> queued',
      'queued -> leading',
      'leading -> stopping',
      'stopping -> closed',
    ]);
  });
});

describe('what the server refuses', () => {
  it('is a failure, and with requeue it goes on trying', async () => {
    await using world = await World.start();
    const zk = await world.client();
    await zk.create('/a', null, { acl: [{ perms: 1 + 16, scheme: 'world', id: 'anyone' }] });
    const selector = new LeaderSelector(zk, '/a', { requeue: true }, untilOver);
    const { states, errors } = watched(selector);
    await selector.start();
    await until(() => errors.length === 2, 'it has tried twice');
    expect(errors).toEqual([expect.any(NoAuthError), expect.any(NoAuthError)]);
    expect(states).toEqual(['idle -> queued', 'queued -> failed', 'failed -> queued', 'queued -> failed']);
    await zk.setAcl('/a', [{ perms: 31, scheme: 'world', id: 'anyone' }]);
    await until(() => selector.state === 'leading', 'it leads');
    await selector.close();
  });
});

describe('a selector’s znode', () => {
  it('is a claim of its own session alone', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const terms: Held[] = [];
    const selector = new LeaderSelector(zk, '/a', { requeue: true }, (held) => {
      terms.push(held);
      return untilOver(held);
    });
    await selector.start();
    await until(() => terms.length === 1, 'it leads');
    world.expire(zk);
    await until(() => terms.length === 2, 'it leads again');
    expect(world.server.node(terms[1]?.path ?? '')?.stat.ephemeralOwner).toBe(zk.session?.id);
    expect(world.names('/a')).toEqual([own(terms[1] as Held)]);
    await selector.close();
  });

  it('that somebody deletes ends the term at once; it queues again', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const terms: Held[] = [];
    const selector = new LeaderSelector(zk, '/a', { requeue: true }, (held) => {
      terms.push(held);
      return untilOver(held);
    });
    await selector.start();
    await until(() => terms.length === 1, 'it leads');
    await other.delete(terms[0]?.path ?? '');
    await until(() => terms.length === 2, 'it leads again');
    await selector.close();
  });

  it('that goes while it waits, with its session, is missed: it queues again', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const first = new LeaderSelector(other, '/a', { id: 'first' }, untilOver);
    const second = new LeaderSelector(zk, '/a', { id: 'second' }, untilOver);
    await first.start();
    await second.start();
    await until(() => first.state === 'leading', 'the first leads');
    const [, old] = world.names('/a');
    world.expire(zk);
    await until(() => world.names('/a').length === 2 && !world.names('/a').includes(old as string), 'it queues again');
    await other.delete(`/a/${world.names('/a')[1]}`);
    await until(() => world.names('/a').length === 2, 'it queues again');
    expect(second.state).toBe('queued');
    await first.close();
    await until(() => second.state === 'leading', 'the second leads');
    await second.close();
  });

  for (const fate of ['disconnect-before', 'disconnect-after'] as const) {
    it(`whose deletion fails after a cut (${fate}) does not block its successor`, async () => {
      await using world = await World.start();
      const zk = await world.client({ sessionTimeout: 10_000 });
      let runs = 0;
      const selector = new LeaderSelector(zk, '/a', { requeue: true, policy: 'suspended' }, (held) => {
        runs += 1;
        return untilOver(held);
      });
      await selector.start();
      await until(() => runs === 1, 'it leads');
      const [old] = world.names('/a');
      const broken = world.once('delete', fate);
      world.server.dropConnections();
      await broken;
      await until(() => runs === 2, 'it leads again');
      expect(world.names('/a')).toHaveLength(1);
      expect(world.names('/a')).not.toContain(old);
      await selector.close();
      expect(world.names('/a')).toEqual([]);
    });
  }

  it('is one, whatever becomes of the reply of its create', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 10_000 });
    await zk.create('/a');
    const broken = world.once('create2', 'disconnect-after');
    const selector = new LeaderSelector(zk, '/a', {}, untilOver);
    await selector.start();
    await broken;
    await until(() => selector.state === 'leading', 'it leads');
    expect(world.names('/a')).toHaveLength(1);
    await selector.close();
  });

  it('is left behind the others in line when the function returns', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const order: string[] = [];
    const go: (() => void)[] = [];
    const work = (id: string) => async (): Promise<void> => {
      order.push(id);
      await new Promise<void>((resolve) => go.push(resolve));
    };
    const first = new LeaderSelector(zk, '/a', { requeue: true }, work('first'));
    const second = new LeaderSelector(other, '/a', { requeue: true }, work('second'));
    await first.start();
    await second.start();
    for (let turn = 0; turn < 4; turn += 1) {
      await until(() => go.length === turn + 1 && world.names('/a').length === 2, 'somebody leads, and another waits');
      go[turn]?.();
    }
    await until(() => order.length === 5, 'the fifth term');
    expect(order).toEqual(['first', 'second', 'first', 'second', 'first']);
    for (const each of go) each();
    const closing = [first.close(), second.close()];
    await until(() => go.length >= 5, 'the last term');
    for (const each of go) each();
    await Promise.all(closing);
  });
});

describe('close()', () => {
  it('aborts the function, waits for it, and our znode is gone', async () => {
    await using world = await World.start();
    const zk = await world.client();
    let cleanUp = (): void => {};
    const cleanedUp = new Promise<void>((resolve) => {
      cleanUp = resolve;
    });
    const selector = new LeaderSelector(zk, '/a', { requeue: true }, async (held) => {
      await untilOver(held);
      expect(held.isHeld).toBe(false);
      await cleanedUp;
    });
    await selector.start();
    await until(() => selector.state === 'leading', 'it leads');
    let closed = false;
    const closing = selector.close().then(() => {
      closed = true;
    });
    await until(() => world.names('/a').length === 0, 'the znode is gone');
    await zk.sync();
    expect(closed).toBe(false);
    cleanUp();
    await closing;
    expect(selector.state).toBe('closed');
    expect(world.names('/a')).toEqual([]);
    expect(world.server.watches()).toEqual([]);
    expect(await outcome(selector.start())).toBeInstanceOf(ClosedError);
    for (const event of ['state', 'suspended', 'reconnected', 'suspect'] as const) {
      expect([event, zk.listenerCount(event)]).toEqual([event, 0]);
    }
  });

  it('of one that waits leaves the line, and its function never runs', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const first = new LeaderSelector(other, '/a', {}, untilOver);
    let runs = 0;
    const second = new LeaderSelector(zk, '/a', {}, () => {
      runs += 1;
    });
    await first.start();
    await second.start();
    await second.close();
    expect(world.names('/a')).toHaveLength(1);
    await first.close();
    expect(runs).toBe(0);
  });

  it('does not wait for ever for a function that ignores its signal, and says so', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 300 });
    let finish = (): void => {};
    const selector = new LeaderSelector(zk, '/a', {}, () => new Promise<void>((resolve) => (finish = resolve)));
    const { errors } = watched(selector);
    await selector.start();
    await until(() => selector.state === 'leading', 'it leads');
    expect(await outcome(selector.close({ timeout: 30 }))).toBeInstanceOf(TimeoutError);
    expect(world.names('/a')).toEqual([]);
    await selector.close();
    expect(errors.at(-1)).toMatchObject({ code: 'TIMEOUT', path: '/a' });
    expect(selector.state).toBe('stopping');
    finish();
    await until(() => selector.state === 'closed', 'it is closed');
  });

  it('may be called by the function itself', async () => {
    await using world = await World.start();
    const done: string[] = [];
    const selector = new LeaderSelector(await world.client(), '/a', { requeue: true }, async (held) => {
      await selector.close();
      done.push(`held ${held.isHeld}`);
    });
    await selector.start();
    await until(() => selector.state === 'closed', 'it is closed');
    await selector.close();
    expect(done).toEqual(['held false']);
    expect(world.names('/a')).toEqual([]);
  });

  it('in an outage aborts the function at once; the znode goes later', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 10_000 });
    const selector = new LeaderSelector(zk, '/a', {}, untilOver);
    await selector.start();
    await until(() => selector.state === 'leading', 'it leads');
    await world.server.stopMember(0);
    await until(() => zk.state === 'suspended', 'it is cut off');
    await selector.close();
    expect(selector.state).toBe('closed');
    await world.server.startMember(0);
    await until(() => world.names('/a').length === 0, 'it is gone');
  });

  it('of its client closes it', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const selector = new LeaderSelector(zk, '/a', { requeue: true }, untilOver);
    const { errors } = watched(selector);
    await selector.start();
    await until(() => selector.state === 'leading', 'it leads');
    await zk.close();
    await until(() => selector.state === 'closed', 'it is closed');
    expect(await outcome(selector.start())).toBeInstanceOf(ClosedError);
    expect(errors).toEqual([]);
    await selector.close();
  });
});
