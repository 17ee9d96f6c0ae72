import { describe, expect, it } from '@jest/globals';
import { assign } from '../src/assign.ts';

const names = (count: number, prefix: string): string[] => Array.from({ length: count }, (_, at) => `${prefix}${at}`);

/** Who has what. */
function owners(shares: ReadonlyMap<string, readonly string[]>): Map<string, string> {
  return new Map([...shares].flatMap(([member, items]) => items.map((item) => [item, member] as const)));
}

/** The least number of items that any fair split has to move: what has no owner left, and what is over the largest fair share. */
function unavoidable(
  items: number,
  members: readonly string[],
  before: ReadonlyMap<string, readonly string[]>,
): number {
  const sizes = members.map((member) => before.get(member)?.length ?? 0).sort((a, b) => b - a);
  const kept = sizes.reduce((sum, size, at) => {
    const quota = Math.floor(items / members.length) + (at < items % members.length ? 1 : 0);
    return sum + Math.min(size, quota);
  }, 0);
  return items - kept;
}

describe('a split', () => {
  it('gives everything to one who is alone', () => {
    expect(assign(['a', 'b', 'c'], ['m'], new Map())).toEqual(new Map([['m', ['a', 'b', 'c']]]));
  });

  it('gives nothing to those who are too many', () => {
    const shares = assign(['a'], ['m', 'n'], new Map([['n', ['a']]]));
    expect(shares).toEqual(
      new Map([
        ['m', []],
        ['n', ['a']],
      ]),
    );
  });

  it('takes 166 or 167 of 1,000 items from five for the sixth, and nothing else moves', () => {
    const items = names(1_000, 'item-');
    const five = assign(items, names(5, 'm'), new Map());
    const six = assign(items, names(6, 'm'), five);
    const before = owners(five);
    const moved = [...owners(six)].filter(([item, member]) => before.get(item) !== member);
    expect(moved.every(([, member]) => member === 'm5')).toBe(true);
    expect(moved).toHaveLength(166);
  });

  it('is the same whoever computes it, and whatever the order of the members', () => {
    const items = names(50, 'i');
    const before = new Map([
      ['b', items.slice(0, 30)],
      ['gone', items.slice(30)],
    ]);
    expect(assign(items, ['c', 'a', 'b'], before)).toEqual(assign(items, ['a', 'b', 'c'], before));
  });

  it('does not believe shares that hold an item twice, or one that nobody splits', () => {
    const before = new Map([
      ['m', ['a', 'b', 'x']],
      ['n', ['b', 'c']],
    ]);
    const shares = assign(['a', 'b', 'c', 'd'], ['m', 'n'], before);
    expect([...owners(shares).keys()].sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('is fair and moves as little as can be, through 300 changes at random', () => {
    let state = 7;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const items = names(101, 'i');
    let members = ['m0'];
    let shares = assign(items, members, new Map());
    for (let change = 1; change <= 300; change += 1) {
      const leaves = members.length > 1 && (members.length > 12 || random(2) === 0);
      members = leaves ? members.toSpliced(random(members.length), 1 + random(2)) : [...members, `m${change}`];
      if (members.length === 0) members = [`m${change}`];
      const before = shares;
      shares = assign(items, members, before);
      expect([...shares.keys()].sort()).toEqual([...members].sort());
      const sizes = [...shares.values()].map((share) => share.length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      const [then, now] = [owners(before), owners(shares)];
      expect(now.size).toBe(items.length);
      const moved = items.filter((item) => then.get(item) !== now.get(item)).length;
      expect(moved).toBe(unavoidable(items.length, members, before));
    }
  });
});
