import { describe, expect, it } from '@jest/globals';
import { zooKeeperError } from '@zookit/protocol';
import { Grant } from '../src/session/grant.ts';
import { deadlineOf, defaultMargin, lostAt, marginOf } from '../src/session/lease.ts';

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
  ])('of a timeout of %i ms is given up %d ms early', (timeout, margin) => {
    expect(defaultMargin(timeout)).toBeCloseTo(margin, 6);
    expect(marginOf(timeout, undefined)).toBeCloseTo(margin, 6);
  });

  it.each([
    [10_000, 0, 0],
    [10_000, 1, 1],
    [10_000, 8_000, 8_000],
    [10_000, 9_999, 8_000],
    // Chosen for 30 s, negotiated down to 4 s.
    [4_000, 10_000, 3_200],
  ])('of %i ms with a margin of %i that was chosen is given up %i ms early', (timeout, chosen, margin) => {
    expect(marginOf(timeout, chosen)).toBe(margin);
  });

  it('runs from the sending of the newest request that was answered', () => {
    const terms = { timeout: 10_000, margin: 1_100 };
    expect(deadlineOf(terms, 500)).toBe(10_500);
    expect(lostAt(terms, 500)).toBe(9_400);
  });
});

describe('a session', () => {
  function granted(leaseMargin?: number) {
    const time = { now: 1_000 };
    const terms = { timeout: 10_000, leaseMargin, readOnly: false, now: () => time.now };
    return { time, grant: new Grant(-2n, Buffer.alloc(16, 1), terms) };
  }

  it('is extended by the answers on the connection that carries it, and by nothing else', () => {
    const { time, grant } = granted();
    const source = { answeredSentAt: 900 };
    grant.carriedBy(source, 10_000);
    expect([grant.deadline, grant.lostAt]).toEqual([10_900, 9_800]);
    time.now = 5_000;
    expect(grant.deadline).toBe(10_900);
    expect(grant.remaining()).toBe(5_900);
    source.answeredSentAt = 4_000;
    expect([grant.deadline, grant.lostAt, grant.remaining()]).toEqual([14_000, 12_900, 9_000]);
    source.answeredSentAt = 3_000;
    expect(grant.deadline).toBe(14_000 - 1_000);
    time.now = 99_999;
    expect(grant.remaining()).toBe(0);
  });

  it('keeps its deadline when the connection is gone, and takes the new terms of the next one', () => {
    const { grant } = granted();
    const first = { answeredSentAt: 900 };
    grant.carriedBy(first, 10_000);
    first.answeredSentAt = 2_000;
    grant.released();
    first.answeredSentAt = 3_000;
    expect(grant.deadline).toBe(12_000);
    grant.carriedBy({ answeredSentAt: 5_000 }, 4_000);
    expect([grant.timeout, grant.deadline, grant.lostAt]).toEqual([4_000, 9_000, 7_900]);
  });

  it('has a margin that was chosen, whatever is negotiated', () => {
    const { grant } = granted(2_500);
    grant.carriedBy({ answeredSentAt: 1_000 }, 20_000);
    expect([grant.deadline, grant.lostAt]).toEqual([21_000, 18_500]);
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
    const source = { answeredSentAt: 900 };
    grant.carriedBy(source, 10_000);
    expect(grant.doubtful).toBe(false);
    time.now = 2_000;
    grant.doubt();
    source.answeredSentAt = 1_999;
    expect(grant.doubtful).toBe(true);
    source.answeredSentAt = 2_000;
    expect(grant.doubtful).toBe(false);
  });
});
