import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ZooKeeper } from '@zookit/client';
import { FaultProxy, RealServer } from '@zookit/testing';
import { type Held, Mutex } from '../../src/index.ts';
import { abortOf, Bench, contenders, pause, times, until } from './support.ts';

jest.setTimeout(60_000);

const TICK = 500;
const SYNC_LIMIT = 5;
const SESSION = 6_000;
const HOLDERS = 10;

const bench = new Bench();
const links = new Map<string, FaultProxy>();
let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start({
    members: 3,
    tickTime: TICK,
    config: { syncLimit: SYNC_LIMIT },
    peerPort: async (member, peer, port) => {
      const link = await FaultProxy.start({ host: '127.0.0.1', port });
      links.set(`${member}-${peer}`, link);
      return link.port;
    },
  });
});
afterEach(() => bench.end());
afterAll(async () => {
  await server.stop();
  await Promise.all([...links.values()].map((link) => link.stop()));
});

interface Handover {
  held: Held;
  aborted: number;
  next: Held;
  granted: number;
}

interface Scene {
  /** Given to the holders; undefined: their default. */
  leaseMargin: number | undefined;
  /** Told of each hold as it begins: the holder's, and that of the next. */
  onHeld?: (lock: number, held: Held) => void;
}

/** Holders on a follower that is cut off from its leader, and who gets their locks, from the leader. */
async function followerIsCutOff({ leaseMargin, onHeld }: Scene): Promise<Handover[]> {
  const leader = await server.leader();
  const follower = [0, 1, 2].find((index) => index !== leader) as number;
  const { connectString } = server.members[follower] as { connectString: string };
  const waiter = await bench.client(server.members[leader]?.connectString ?? '');
  const options = { sessionTimeout: SESSION, ...(leaseMargin === undefined ? {} : { leaseMargin }) };
  const holders: ZooKeeper[] = [];
  for (let index = 0; index < HOLDERS; index += 1) {
    holders.push(await bench.client(connectString, options));
    // So that their pings come at different times.
    await pause(100);
  }
  const path = (lock: number): string => `/locks/cut-off-${lock}`;
  const held = await Promise.all(holders.map((zk, lock) => new Mutex(zk, path(lock)).acquire()));
  held.forEach((each, lock) => {
    onHeld?.(lock, each);
  });
  const aborts = held.map(({ signal }) => abortOf(signal));
  const grants = held.map(async (_, lock) => {
    const next = await new Mutex(waiter, path(lock)).acquire();
    const granted = performance.now();
    onHeld?.(lock, next);
    return { next, granted };
  });
  await until('all wait', async () => {
    const queues = await times(HOLDERS, (lock) => contenders(waiter, path(lock)));
    return queues.every(({ length }) => length === 2);
  });

  const link = links.get(`${follower}-${leader}`) as FaultProxy;
  await link.blackhole();
  const handovers = await times(HOLDERS, async (lock) => ({
    ...(await grants[lock]),
    aborted: await aborts[lock],
    held: held[lock],
  }));
  for (const { next } of handovers) await next?.release();
  await bench.end();
  await link.restore();
  await until('the follower is back', async () => (await server.mode(follower)) === 'follower');
  return handovers as Handover[];
}

function report(title: string, handovers: readonly Handover[]): void {
  const overlaps = handovers.map(({ granted, aborted }) => aborted - granted);
  const some = overlaps.filter((each) => each > 0);
  process.stderr.write(
    `${title}: granted before the abort in ${some.length} of ${overlaps.length}, ` +
      `abort - grant from ${Math.min(...overlaps).toFixed(0)} to ${Math.max(...overlaps).toFixed(0)} ms\n`,
  );
}

describe('a follower that is cut off from its leader, with holders on it', () => {
  it('tells them in time when the margin is syncLimit ticks, three times', async () => {
    for (let round = 1; round <= 3; round += 1) {
      const handovers = await followerIsCutOff({ leaseMargin: SYNC_LIMIT * TICK });
      report('leaseMargin of syncLimit ticks', handovers);
      for (const { aborted, granted } of handovers) expect(aborted).toBeLessThan(granted);
    }
  });

  it('may tell them too late with the default margin, but tells them', async () => {
    const handovers = await followerIsCutOff({ leaseMargin: undefined });
    report('default leaseMargin', handovers);
    for (const { held, next } of handovers) {
      expect(held.signal.aborted).toBe(true);
      expect(await held.release()).toBe('lost');
      expect(next.fencingToken).toBeGreaterThan(held.fencingToken);
    }
  });

  it('does no harm to a resource that checks fencing tokens', async () => {
    const resources = Array.from({ length: HOLDERS }, () => new FencedResource());
    const writers: Promise<void>[] = [];
    const write = async (lock: number, { signal, fencingToken }: Held): Promise<void> => {
      while (!signal.aborted) {
        resources[lock]?.write(fencingToken);
        await pause(10);
      }
    };
    // Without a margin, so that they surely overlap.
    const handovers = await followerIsCutOff({
      leaseMargin: 0,
      onHeld: (lock, held) => writers.push(write(lock, held)),
    });
    await Promise.all(writers);
    report('no leaseMargin', handovers);
    for (const [lock, { held, next, aborted, granted }] of handovers.entries()) {
      expect(granted).toBeLessThan(aborted);
      const { accepted, refused } = resources[lock] as FencedResource;
      expect(refused.length).toBeGreaterThan(0);
      expect(new Set(refused)).toEqual(new Set([held.fencingToken]));
      // All of the first, then all of the second, as if there had been no overlap.
      expect(accepted).toEqual([...accepted].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
      expect(new Set(accepted)).toEqual(new Set([held.fencingToken, next.fencingToken]));
    }
  });
});

/** What a lock protects: it refuses whoever comes with a token smaller than the largest that it has seen. */
class FencedResource {
  readonly accepted: bigint[] = [];
  readonly refused: bigint[] = [];
  #largest = 0n;

  write(token: bigint): void {
    if (token < this.#largest) {
      this.refused.push(token);
      return;
    }
    this.#largest = token;
    this.accepted.push(token);
  }
}
