import { describe, expect, it } from '@jest/globals';
import { zooKeeperError } from '@zookit/protocol';
import { Grant } from '../src/session/grant.ts';
import { deadlineOf, defaultMargin, Hearing, lostAt, reportDelay, termsOf } from '../src/session/lease.ts';

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
  });

  it('counts by default from what is certain, too, with room for a late timer', () => {
    expect(termsOf(1_000, undefined).certainMargin).toBe(30);
    expect(termsOf(4_000, undefined).certainMargin).toBe(100);
  });

  it.each([
    // Smaller than the default: taken at its word.
    [10_000, 0, 0, null],
    [10_000, 200, 200, null],
    // Larger: from what is certain.
    [6_000, 2_500, 2_500, 2_500],
    [30_000, 10_000, 10_000, 10_000],
    // Chosen for 30 s, negotiated down to 4 s: a session on a good link must live.
    [4_000, 10_000, 1_400, 1_400],
    [1_000, 900, 300, null],
  ])(
    'of %i ms with a chosen margin of %i: %i before the deadline, %p from what is certain',
    (timeout, chosen, margin, certain) => {
      const terms = termsOf(timeout, chosen);
      expect(terms.margin).toBeCloseTo(margin, 6);
      if (certain === null) expect(terms.certainMargin).toBeNull();
      else expect(terms.certainMargin).toBeCloseTo(certain, 6);
    },
  );

  it('runs from the sending of the newest request that was answered, and ends sooner by what the leader may not have heard', () => {
    const terms = { timeout: 10_000, margin: 1_100, certainMargin: 100 };
    expect(deadlineOf(terms, 500)).toBe(10_500);
    expect(lostAt(terms, { newest: 5_000, certain: 4_500 })).toBe(13_900);
    expect(lostAt(terms, { newest: 5_000, certain: 500 })).toBe(10_400);
    expect(lostAt({ ...terms, certainMargin: null }, { newest: 5_000, certain: 500 })).toBe(13_900);
  });
});

describe('what the leader has heard', () => {
  it('is certain of an answer once the same server answers a question that was asked half a tick later', () => {
    const delay = reportDelay(10_000);
    const hearing = new Hearing(0, 10_000);
    hearing.answered(1_000, 1_010);
    expect([hearing.newest, hearing.certain]).toEqual([1_000, 0]);
    hearing.answered(1_009 + delay, 3_000);
    expect(hearing.certain).toBe(0);
    hearing.answered(1_010 + delay, 3_000);
    expect(hearing.certain).toBe(1_000);
  });

  it('trails the newest by one ping on an idle link, and by little more than the delay on a busy one', () => {
    const [idle, busy] = [new Hearing(0, 10_000), new Hearing(0, 10_000)];
    for (let sent = 0; sent <= 22_000; sent += 1_100) {
      idle.answered(sent, sent + 20);
      if (sent >= 2_200) expect(idle.newest - idle.certain).toBe(1_100);
    }
    for (let sent = 0; sent <= 20_000; sent += 1) busy.answered(sent, sent + 1);
    expect(busy.newest - busy.certain).toBeLessThan(1.2 * reportDelay(10_000));
  });

  it('shows the gap that a blocked event loop has left', () => {
    const hearing = new Hearing(0, 10_000);
    hearing.answered(1_100, 1_110);
    hearing.answered(7_000, 7_010);
    expect([hearing.newest, hearing.certain]).toEqual([7_000, 1_100]);
  });

  it('is all there is after a handshake, which the leader itself grants', () => {
    const hearing = new Hearing(0, 10_000);
    hearing.answered(1_100, 1_110);
    hearing.granted(5_000, 4_000);
    expect([hearing.newest, hearing.certain]).toEqual([5_000, 5_000]);
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
    expect([grant.deadline, grant.lostAt, grant.remaining()]).toEqual([14_000, 12_800, 9_000]);
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
