import { describe, expect, it, jest } from '@jest/globals';
import { describeOrdeals, ordeals } from './ensemble.ts';
import { type Hold, overlapsOf } from './rivals.ts';

jest.setTimeout(90_000);

describeOrdeals(5, [ordeals.leaderKilled]);

describe('the judge of holds', () => {
  const hold = (rival: string, from: bigint, to: bigint): Hold => ({ rival, token: from, from, to, why: 'released' });

  it('finds whoever held it together, also behind a hold that began meanwhile', () => {
    const apart = [hold('a', 0n, 10n), hold('b', 10n, 20n), hold('a', 21n, 30n)];
    expect(overlapsOf(apart)).toEqual([]);
    const long = [hold('a', 0n, 25n), hold('b', 10n, 20n), hold('c', 24n, 30n)];
    expect(overlapsOf(long)).toHaveLength(2);
  });
});
