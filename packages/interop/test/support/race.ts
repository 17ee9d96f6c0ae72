import { expect } from '@jest/globals';
import { judge } from '@zookit/quickstart/judge';
import type { Contender } from './contender-process.ts';

/**
 * All at once, each so many grants; judged by their own records.
 *
 * Tokens are the czxids of the contenders' znodes, Curator's and kazoo's too, and so tell the order in which they came: grants in the
 * order of tokens are first come, first served.
 */
export async function race(contenders: readonly Contender[], path: string, grants: number): Promise<void> {
  await Promise.all(contenders.map((contender) => contender.race(path, grants)));
  const records = contenders.map((contender) => contender.records());
  for (const { service, holds } of records) {
    const released = holds.filter(({ end }) => end === 'released').length;
    expect({ service, grants: holds.length, released }).toEqual({ service, grants, released: grants });
  }
  const all = records.flatMap((each) => each.holds);
  const { holds, overlaps, tokensGrew } = judge({ holds: all, kill: null, grants: all.length });
  expect(overlaps.map(({ first, second }) => `${first.service}, ${second.service}`)).toEqual([]);
  expect(tokensGrew).toBe(true);
  // Who lets go comes again while the other works, so that neither library gets far ahead.
  const owners = new Map(contenders.map(({ id, process }) => [id, process.name]));
  const sides = holds.map(({ service }) => owners.get(service));
  const handovers = sides.filter((side, i) => i > 0 && side !== sides[i - 1]).length;
  expect(handovers).toBeGreaterThan(all.length / 4);
}
