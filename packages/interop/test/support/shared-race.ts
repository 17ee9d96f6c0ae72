import { expect } from '@jest/globals';
import type { Contender, Kind } from './contender-process.ts';
import { breachesOf, outOfTurn, type Rule, type SharedHold } from './sharing.ts';

/** Who contends, and for what. */
export type Entry = readonly [contender: Contender, kind: Kind];

/** What a contender wrote down of its holds of a kind. */
export function sharedHolds([contender, kind]: Entry): SharedHold[] {
  const [name, , count = '1'] = kind.split(':');
  const shared = name === 'read' || name === 'write' ? name : 'lease';
  return contender.records(kind).holds.map((hold) => ({ ...hold, kind: shared, leases: Number(count) }));
}

/** By their own records, these never held together what must not be, and were granted in the order in which they came. */
export function expectFair(rule: Rule, entries: readonly Entry[]): SharedHold[] {
  const holds = entries.flatMap(sharedHolds);
  expect(breachesOf(rule, holds)).toEqual([]);
  expect(outOfTurn(rule, holds)).toEqual([]);
  return holds;
}

/** All at once, each so many grants; judged by their own records. */
export async function sharedRace(
  rule: Rule,
  entries: readonly Entry[],
  path: string,
  grants: number,
): Promise<SharedHold[]> {
  await Promise.all(entries.map(([contender, kind]) => contender.race(path, grants, kind)));
  for (const entry of entries) {
    const released = sharedHolds(entry).filter(({ end }) => end === 'released').length;
    expect({ contender: entry[0].id, released }).toEqual({ contender: entry[0].id, released: grants });
  }
  return expectFair(rule, entries);
}
