import { describe, expect, it } from '@jest/globals';
import { atMost, breachesOf, oneWriter, outOfTurn, type SharedHold } from './support/sharing.ts';

let tokens = 0n;

function hold(
  kind: SharedHold['kind'],
  service: string,
  from: number,
  to: number,
  more: Partial<SharedHold> = {},
): SharedHold {
  tokens += 1n;
  return { kind, service, from: BigInt(from), to: BigInt(to), token: tokens, end: 'released', leases: 1, ...more };
}

/** Two readers at once, a writer, then one that reads what it has written. */
const good = [
  hold('read', 'alpha', 100, 200),
  hold('read', 'beta', 150, 250),
  hold('write', 'alpha', 250, 300),
  hold('write', 'beta', 310, 400),
  hold('read', 'beta', 350, 500),
  hold('read', 'alpha', 450, 600),
];

describe('the checker of read/write locks', () => {
  it('has nothing to say against readers together, and writers alone', () => {
    expect(breachesOf(oneWriter, good)).toEqual([]);
    expect(outOfTurn(oneWriter, good)).toEqual([]);
    expect(breachesOf(oneWriter, good.toReversed())).toEqual([]);
  });

  it.each([
    ['a writer within a reader', hold('write', 'gamma', 500, 510), 1],
    ['a reader within a writer', hold('read', 'gamma', 260, 270), 1],
    ['the last bit of a writer', hold('read', 'gamma', 299, 305), 1],
    ['two writers', hold('write', 'gamma', 240, 245), 1],
    ['a writer that never ends', hold('write', 'gamma', 200, 10_000), 4],
    ['a writer of another within a downgrade', hold('write', 'gamma', 410, 420), 1],
  ])('finds %s', (_what, planted, count) => {
    const breaches = breachesOf(oneWriter, [...good, planted]);
    expect(breaches.length).toBeGreaterThanOrEqual(count);
    for (const breach of breaches) expect(breach).toContain(planted);
  });

  it('finds who was granted before those that had come earlier', () => {
    const [early, late] = [hold('write', 'gamma', 700, 710), hold('read', 'delta', 720, 730)];
    expect(outOfTurn(oneWriter, [...good, early, late])).toEqual([]);
    const pushy = { ...late, from: 690n, to: 695n };
    expect(outOfTurn(oneWriter, [...good, early, pushy])).toEqual([[pushy, early]]);
  });
});

describe('the checker of semaphores', () => {
  const leases = [hold('lease', 'alpha', 100, 200), hold('lease', 'beta', 110, 190, { leases: 2 })];

  it('counts the leases of each moment', () => {
    expect(breachesOf(atMost(3), [...leases, hold('lease', 'alpha', 190, 300)])).toEqual([]);
    expect(breachesOf(atMost(3), [...leases, hold('lease', 'alpha', 200, 300, { leases: 3 })])).toEqual([]);
  });

  it('finds one too many', () => {
    const planted = hold('lease', 'gamma', 189, 300);
    expect(breachesOf(atMost(3), [...leases, planted])).toEqual([[...leases, planted]]);
    expect(breachesOf(atMost(2), leases)).toEqual([leases]);
  });
});
