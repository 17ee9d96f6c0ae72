import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { ZooKeeper } from '@zookit/client';
import { type Core, coreOf } from '@zookit/client/internal';
import { RealServer } from '@zookit/testing';
import { Mutex } from '../../src/index.ts';
import { abortOf, Bench, contenders, pause, times, until } from './support.ts';

export interface FollowerDeath {
  title: string;
  /** Session timeouts, in ms; the holders take them in turn. */
  timeouts: readonly number[];
  /** How long before its last ping a holder sends another, as a part of a third of its timeout (at most of 10 s). */
  gap(holder: number): number;
  /** Between the answer to the last ping and the follower's death, in ms. */
  delay: number;
  /** How long the event loop is blocked right before the last ping, in ms. */
  blocked?: number;
  /** How long the server stands still before it answers the last ping, in ms. */
  stopped?: number;
  /** The leader dies instead. */
  leader?: boolean;
}

type Connection = NonNullable<Core['session']['connection']>;

/** What became of one holder. All times are `performance.now()` ms. */
interface Outcome {
  timeout: number;
  aborted: number;
  granted: number;
  /** When the last ping that was answered was sent. */
  pinged: number;
}

const HOLDERS = 30;

/** All send their last ping together, whatever they sent before. */
export const TOGETHER = (): number => 0;
/** From shortly before the last ping to long before it, so that some of it has been reported to the leader. */
export const AT_ANY_DISTANCE = (holder: number): number => (holder + 1) / HOLDERS;

/** Tests of an ensemble with this tick, one for each death. */
export function describeFollowerDeaths(tickTime: number, deaths: readonly FollowerDeath[]): void {
  describe(`a follower that is killed right after it has answered (tick ${tickTime} ms)`, () => {
    const bench = new Bench();
    let server: RealServer;

    beforeAll(async () => {
      server = await RealServer.start({ members: 3, tickTime });
    });
    afterEach(() => bench.end());
    afterAll(() => server.stop());

    it.each(deaths)('$title: each holder is told before another is granted', async (death) => {
      const outcomes = await followerDies(server, bench, death);
      process.stderr.write(report(`tick ${tickTime} ms, ${death.title}`, outcomes));
      for (const { aborted, granted } of outcomes) expect(aborted).toBeLessThan(granted);
    });
  });
}

/**
 * A follower with 30 holders on it, each of a lock of its own, dies right after it has answered a ping of all of them.
 * They have nowhere else to go; who waits for their locks is connected to the other members.
 */
async function followerDies(server: RealServer, bench: Bench, death: FollowerDeath): Promise<Outcome[]> {
  const { timeouts, gap, delay, blocked = 0, stopped = 0 } = death;
  const leader = await server.leader();
  const victim = death.leader ? leader : (leader + 1) % 3;
  const timeoutOf = (holder: number): number => timeouts[holder % timeouts.length] as number;
  const at = (member: number): string => server.members[member % 3]?.connectString ?? '';
  const holders = await times(HOLDERS, (index) => bench.client(at(victim), { sessionTimeout: timeoutOf(index) }));
  const waiters = [await bench.client(at(victim + 1)), await bench.client(at(victim + 2))] as const;
  const path = (index: number): string => `/locks/death-${index}`;
  const held = await Promise.all(holders.map((zk, index) => new Mutex(zk, path(index)).acquire()));
  const aborts = held.map(({ signal }) => abortOf(signal));
  const grants = held.map(async (_, index) => {
    const next = await new Mutex(waiters[index % 2] as ZooKeeper, path(index)).acquire();
    return { next, at: performance.now() };
  });
  await until('all wait', async () => {
    const queues = await times(HOLDERS, (index) => contenders(waiters[0], path(index)));
    return queues.every(({ length }) => length === 2);
  });

  const connections = holders.map((zk) => coreOf(zk).session.connection);
  const gaps = held.map((_, index) => gap(index) * Math.min(timeoutOf(index) / 3, 10_000));
  const last = performance.now() + Math.max(...gaps);
  await times(HOLDERS, async (index) => {
    await pause(last - performance.now() - (gaps[index] as number));
    connections[index]?.ping();
    await pause(last - performance.now());
  });
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blocked);
  if (stopped > 0) await server.pause(victim);
  await pause(stopped);
  const sent = performance.now();
  for (const connection of connections) connection?.ping();
  if (stopped > 0) await server.resume(victim);
  // One that had stood still may notice that it was left alone before it answers all of them.
  const isDone = (each: Connection | null): boolean => each === null || each.closed || each.answeredSentAt >= sent;
  await until('all are answered', () => connections.every(isDone));
  await pause(delay);
  const pinged = connections.map((each) => each?.answeredSentAt ?? 0);
  await server.kill(victim);

  const granted = await Promise.all(grants);
  const outcomes = await times(HOLDERS, async (index) => ({
    timeout: timeoutOf(index),
    // Should the abort be yet to come, it comes soon.
    aborted: (await aborts[index]) as number,
    granted: granted[index]?.at ?? 0,
    pinged: pinged[index] as number,
  }));
  for (const { next } of granted) await next.release();
  await bench.end();
  await server.start(victim);
  return outcomes;
}

/** One line for people: how early the leader was, and how much time there was between abort and grant. */
function report(title: string, outcomes: readonly Outcome[]): string {
  const lines = [...new Set(outcomes.map(({ timeout }) => timeout))].map((timeout) => {
    const those = outcomes.filter((each) => each.timeout === timeout);
    const early = Math.max(...those.map(({ pinged, granted }) => pinged + timeout - granted));
    const gap = Math.min(...those.map(({ granted, aborted }) => granted - aborted));
    return (
      `${title}, session ${timeout} ms: granted up to ${early.toFixed(0)} ms before the last answered request ` +
      `+ timeout; smallest gap from abort to grant ${gap.toFixed(0)} ms\n`
    );
  });
  return lines.join('');
}
