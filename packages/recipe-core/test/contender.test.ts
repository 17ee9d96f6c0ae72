import { describe, expect, it } from '@jest/globals';
import { ConnectionLossError, NotReadOnlyError, SessionExpiredError, type ZooKeeper } from '@zookit/client';
import { coreOf } from '@zookit/client/internal';
import { outcome, until, World } from '@zookit/test-world';
import type { Verdict } from '@zookit/testing';
import { type Contest, contend, curatorTickets, type Driver, firstInLine, tryContend } from '../src/internal.ts';

const tickets = curatorTickets('lease-');

function contest(zk: ZooKeeper, driver: Driver = firstInLine(tickets)): Contest {
  return { zk, base: '/line', nodeName: 'lease-', driver, policy: 'deadline' };
}

describe('the contender loop', () => {
  it('asks the driver: two may hold at once, and each of the others watches the second before it', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const twoLeases: Driver = {
      ticketOf: tickets,
      judge: (line, own) => {
        const index = line.indexOf(own);
        return index < 2 ? { granted: true } : { granted: false, watch: line[index - 2] as string };
      },
    };
    const first = await contend(contest(zk, twoLeases), {});
    const second = await contend(contest(zk, twoLeases), {});
    expect(await tryContend(contest(zk, twoLeases), {})).toBeNull();
    const waiting = contend(contest(zk, twoLeases), {});
    await until(() => world.server.watches(first.path).length === 1, 'the third waits for the first');
    await second.release();
    await first.release();
    expect((await waiting).isHeld).toBe(true);
  });

  it('gives the whole order to the driver, our own name in it', async () => {
    await using world = await World.start();
    const zk = await world.client();
    await zk.create('/line/zzz', null, { parents: true });
    await zk.create('/line/000');
    const seen: { line: readonly string[]; own: string }[] = [];
    const driver: Driver = {
      ticketOf: tickets,
      judge: (line, own) => {
        seen.push({ line, own });
        return { granted: true };
      },
    };
    const held = await contend(contest(zk, driver), {});
    const own = held.path.slice('/line/'.length);
    expect(seen).toEqual([{ line: ['000', own, 'zzz'], own }]);
  });

  it('grants nothing through a znode that another session owns', async () => {
    await using world = await World.start();
    const zk = await world.client();
    await zk.ensurePath('/line');
    const last = zk.session?.id as bigint;
    const { session } = coreOf(zk);
    // The client gives its session up between the replies to the create and to the list; on the server it lives on.
    const off = world.server.intercept(async ({ type }): Promise<Verdict> => {
      if (type !== 'getChildren') return 'pass';
      off();
      const [name] = world.names('/line');
      const czxid = world.server.node(`/line/${name}`)?.stat.czxid as bigint;
      await until(() => session.lastZxid >= czxid, 'it has heard that its znode is made');
      session.sessionOver(new SessionExpiredError('SESSION_EXPIRED'));
      return 'pass';
    });
    const granting = contend(contest(zk), {});
    await until(() => world.names('/line').length === 2, 'it has taken a place once more', 8_000);
    const foreign = `/line/${world.names('/line')[0]}`;
    await until(() => world.server.watches(foreign).length === 1, 'it waits for the old one');
    world.server.expireSession(last);
    const held = await granting;
    expect(held.path).not.toBe(foreign);
    expect(world.server.node(held.path)?.stat.ephemeralOwner).toBe(zk.session?.id);
  });

  it('grants nothing on a server that has lost its data, until what was held before must be over', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const { session } = coreOf(zk);
    // As after the loss of a session that had seen more than there is now.
    const past = { zxid: 1_000_000n, until: performance.now(), timeout: 300 };
    Object.defineProperty(session, 'past', { value: past, configurable: true });
    const held = await contend(contest(zk), {});
    expect(performance.now()).toBeGreaterThanOrEqual(past.until + past.timeout);
    await held.release();
    Object.defineProperty(session, 'past', { value: { ...past, zxid: 1n, timeout: 60_000 } });
    expect((await contend(contest(zk), { timeout: 5_000 })).isHeld).toBe(true);
  });

  it('grants nothing while the connection is lost', async () => {
    await using world = await World.start();
    const zk = await world.client({ sessionTimeout: 10_000 });
    const held = await contend(contest(zk), {});
    const children = zk.children.bind(zk);
    let granted = false;
    // The list that shows it to be the first comes, and the connection is lost before it is judged.
    zk.children = async (path, options) => {
      const list = await children(path, options);
      zk.children = children;
      await world.server.stopMember(0);
      await until(() => zk.state === 'suspended', 'it is cut off');
      return list;
    };
    const releasing = held.release();
    const waiting = contend(contest(zk), {}).then((next) => {
      granted = true;
      return next;
    });
    await releasing;
    await until(() => zk.state === 'suspended', 'it is cut off');
    await new Promise((resolve) => setImmediate(resolve));
    expect(granted).toBe(false);
    await world.server.startMember(0);
    const next = await waiting;
    expect(zk.state).toBe('connected');
    expect(next.isHeld).toBe(true);
  });

  it('goes on after errors that pass, ever more slowly', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const children = zk.children.bind(zk);
    const calls: number[] = [];
    zk.children = (path, options) => {
      calls.push(performance.now());
      if (calls.length > 5) return children(path, options);
      const passing = calls.length % 2 === 0 ? ConnectionLossError : NotReadOnlyError;
      return Promise.reject(
        new passing(calls.length % 2 === 0 ? 'CONNECTION_LOSS' : 'NOT_READ_ONLY', { operation: 'children' }),
      );
    };
    const held = await contend(contest(zk), {});
    expect(held.isHeld).toBe(true);
    expect(world.names('/line')).toHaveLength(1);
    // The first of the six went along with the create; then once at once, and after 50, 100 and 200 ms.
    expect(calls).toHaveLength(6);
    expect((calls[5] as number) - (calls[2] as number)).toBeGreaterThanOrEqual(345);
  });

  it('ends with an error that does not pass, and leaves the line', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const failure = new Error('the driver is at a loss');
    const driver: Driver = {
      ticketOf: tickets,
      judge: () => {
        throw failure;
      },
    };
    expect(await outcome(contend(contest(zk, driver), {}))).toBe(failure);
    await until(() => world.names('/line').length === 0, 'it has left');
  });

  it('moves on when the one it watches only changes, and watches again', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const held = await contend(contest(zk), {});
    const waiting = contend(contest(zk), {});
    for (let round = 0; round < 3; round += 1) {
      await until(() => world.server.watches(held.path).length === 1, 'it waits');
      await zk.set(held.path, `round ${round}`);
    }
    await until(() => world.server.watches(held.path).length === 1, 'it waits');
    await held.release();
    expect((await waiting).isHeld).toBe(true);
  });
});
