import { describe, expect, it } from '@jest/globals';
import { zooKeeperError } from '@zookit/protocol';
import { Grant } from '../src/session/grant.ts';
import { deadlineOf, defaultMargin, Hearing, lostAt, pingInterval, termsOf } from '../src/session/lease.ts';

describe('the lease', () => {
  it.each([
    [100, 30],
    [1_000, 300],
    [2_000, 600],
    [3_000, 900],
    [3_666, 1_099.8],
    [4_000, 1_100],
    [10_000, 1_100],
    [20_000, 1_100],
    [22_000, 1_100],
    [30_000, 1_500],
    [40_000, 2_000],
    [100_000, 5_000],
  ])('of a timeout of %i ms is given up %d ms before its deadline', (timeout, margin) => {
    expect(defaultMargin(timeout)).toBeCloseTo(margin, 6);
    expect(termsOf(timeout, undefined).margin).toBeCloseTo(margin, 6);
    expect(pingInterval(timeout)).toBeLessThan(timeout / 6);
  });

  it.each([
    // Smaller than the default: taken at its word.
    [10_000, 0, 0, null],
    [10_000, 200, 200, null],
    // Larger: a ping interval and some slack on top, from the last ping before the follower was cut off.
    [6_000, 1_100, 1_100, 100],
    [6_000, 1_200, 1_300, 100],
    [6_000, 2_500, 3_100, 100],
    [30_000, 10_000, 10_800, 100],
    // Chosen for 30 s, negotiated down to 4 s: a third of the timeout is left for the way.
    [4_000, 10_000, 2_166.666_667, 100],
    [1_000, 900, 531.666_667, 30],
  ])('of %i ms with a chosen margin of %i is given up %i before the deadline', (timeout, chosen, margin, slack) => {
    const terms = termsOf(timeout, chosen);
    expect(terms.margin).toBeCloseTo(margin, 5);
    expect(terms.slack).toBe(slack);
  });

  it('runs from the sending of the newest request that was answered, and ends sooner by what the leader may not have heard', () => {
    const terms = { timeout: 10_000, margin: 1_100, slack: 100 };
    expect(deadlineOf(terms, 500)).toBe(10_500);
    expect(lostAt(terms, { newest: 5_000, certain: 4_500 })).toBe(13_900);
    expect(lostAt(terms, { newest: 5_000, certain: 500 })).toBe(10_400);
    expect(lostAt({ ...terms, slack: null }, { newest: 5_000, certain: 500 })).toBe(13_900);
  });
});

interface Sent {
  sentAt: number;
  /** When the server heard of it. */
  heardAt: number;
  answeredAt: number;
}

/** What the leader counts from when the follower dies right after the last touch: its own handshake, or the arrival of the last report that named the session. */
function heardByLeader(touches: readonly Sent[], interval: number, phase: number, isResumed: boolean): number {
  const [handshake, ...rest] = touches as [Sent, ...Sent[]];
  const reported = isResumed ? rest : touches;
  const death = (touches.at(-1) as Sent).heardAt;
  let heard = handshake.heardAt;
  for (let report = phase; report <= death; report += interval) {
    const isNamed = reported.some(({ heardAt }) => heardAt > report - interval && heardAt <= report);
    if (isNamed) heard = Math.max(heard, report);
  }
  return heard;
}

describe('what the leader has heard', () => {
  /** A seeded generator of numbers in [0, 1). */
  function seeded(seed: number): () => number {
    let state = seed;
    return () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
  }

  /** Mostly pings in time, at times a burst of calls or a blocked event loop, on a link that keeps the order. */
  function someTouches(random: () => number, timeout: number, way: number, jitter: number): Sent[] {
    const touches: Sent[] = [];
    let now = 0;
    for (let i = 0; i < 15; i += 1) {
      const last = touches.at(-1);
      const heardAt = Math.max(now + way + jitter * random(), last?.heardAt ?? 0);
      const answeredAt = Math.max(heardAt + way + jitter * random(), last?.answeredAt ?? 0);
      touches.push({ sentAt: now, heardAt, answeredAt });
      const kind = random();
      const gap =
        kind < 0.5 ? pingInterval(timeout) : kind < 0.9 ? random() * pingInterval(timeout) : random() * timeout * 0.6;
      now = Math.max(now + gap, i === 0 ? answeredAt : 0);
    }
    return touches;
  }

  it.each([
    ['a fast link', 0, 0],
    ['a slow link', 150, 0],
    ['an uneven link', 10, 150],
    ['a very uneven link', 10, 300],
  ])('is never less than what is certain, on %s, whatever the tick, its phase and the gaps', (_, way, jitter) => {
    const random = seeded(7);
    for (let round = 0; round < 400; round += 1) {
      const timeout = [1_000, 4_000, 10_000, 30_000][round % 4] as number;
      const touches = someTouches(random, timeout, way, jitter);
      const hearing = new Hearing(0, timeout);
      const isResumed = random() < 0.5;
      for (const [index, { sentAt, answeredAt }] of touches.entries()) {
        if (index === 0) continue;
        hearing.answered(sentAt, answeredAt);
        for (let trial = 0; trial < 4; trial += 1) {
          const interval = (trial === 0 ? 1 : 0.05 + 0.95 * random()) * Math.min(timeout / 4, 1_000);
          const heard = heardByLeader(touches.slice(0, index + 1), interval, random() * interval, isResumed);
          expect(heard).toBeGreaterThanOrEqual(hearing.certain);
        }
      }
    }
  });

  it('is covered by the default margin on a link without gaps: nothing is given up sooner for it', () => {
    for (const timeout of [1_000, 2_000, 4_000, 10_000, 30_000, 60_000]) {
      const hearing = new Hearing(0, timeout);
      for (let i = 1; i < 40; i += 1) hearing.answered(i * pingInterval(timeout), i * pingInterval(timeout) + 0.01);
      const terms = termsOf(timeout, undefined);
      expect(lostAt(terms, hearing)).toBeCloseTo(deadlineOf(terms, hearing.newest) - defaultMargin(timeout), 3);
    }
  });

  it('is in doubt for a while after a blocked event loop has left a gap', () => {
    const hearing = new Hearing(0, 10_000);
    for (const sent of [500, 1_000, 1_500, 7_000]) hearing.answered(sent, sent + 10);
    expect(hearing.certain).toBe(1_500);
    hearing.answered(7_500, 7_510);
    expect(hearing.certain).toBe(1_500);
    for (const sent of [8_000, 8_500]) hearing.answered(sent, sent + 10);
    expect(hearing.certain).toBeGreaterThanOrEqual(7_000);
  });

  it('keeps few touches, however many there are', () => {
    const hearing = new Hearing(0, 10_000);
    for (let sent = 0; sent <= 100_000; sent += 1) hearing.answered(sent, sent + 1);
    expect(hearing.newest - hearing.certain).toBeLessThan(1_200);
  });
});

describe('a session', () => {
  function granted(leaseMargin?: number) {
    const time = { now: 1_000 };
    const terms = { timeout: 10_000, leaseMargin, readOnly: false, now: () => time.now };
    return { time, grant: new Grant(-2n, Buffer.alloc(16, 1), terms) };
  }

  it('is extended by answers, and by nothing else', () => {
    const { time, grant } = granted();
    grant.carried(900, 10_000);
    expect([grant.deadline, grant.lostAt]).toEqual([10_900, 9_800]);
    time.now = 5_000;
    expect(grant.deadline).toBe(10_900);
    expect(grant.remaining()).toBe(5_900);
    grant.heard(2_900, 2_910);
    grant.heard(4_000, 4_010);
    expect(grant.deadline).toBe(14_000);
    expect(grant.lostAt).toBe(12_800);
    expect(grant.remaining()).toBe(9_000);
    grant.heard(3_000, 4_020);
    expect(grant.deadline).toBe(14_000);
    time.now = 99_999;
    expect(grant.remaining()).toBe(0);
  });

  it('takes the terms of the next connection', () => {
    const { grant } = granted();
    grant.carried(900, 10_000);
    grant.heard(2_000, 2_010);
    expect(grant.deadline).toBe(12_000);
    grant.carried(5_000, 4_000);
    expect([grant.timeout, grant.deadline, grant.lostAt]).toEqual([4_000, 9_000, 7_900]);
  });

  it('has a margin that was chosen, whatever is negotiated', () => {
    const { grant } = granted(2_500);
    grant.carried(1_000, 20_000);
    expect([grant.deadline, grant.lostAt]).toEqual([21_000, 17_900]);
  });

  it('ends once, and its signal says why', () => {
    const { grant } = granted();
    const reason = zooKeeperError('SESSION_EXPIRED');
    expect(grant.signal.aborted).toBe(false);
    grant.end(reason);
    grant.end(zooKeeperError('CLOSED'));
    expect(grant.signal.reason).toBe(reason);
  });

  it('is in doubt until something that was sent later is answered', () => {
    const { time, grant } = granted();
    grant.carried(900, 10_000);
    expect(grant.doubtful).toBe(false);
    time.now = 2_000;
    grant.doubt();
    grant.heard(1_999, 2_001);
    expect(grant.doubtful).toBe(true);
    grant.heard(2_000, 2_002);
    expect(grant.doubtful).toBe(false);
  });
});
