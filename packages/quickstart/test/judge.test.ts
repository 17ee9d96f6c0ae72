import { describe, expect, it } from '@jest/globals';
import { type Case, judge } from '../src/judge.ts';
import { FOREVER, type Hold, readRecords } from '../src/records.ts';
import { sumLine } from '../src/report.ts';

const hold = (service: string, token: number, from: number, to: number, end: Hold['end'] = 'released'): Hold => ({
  service,
  token: BigInt(token),
  from: BigInt(from),
  to: BigInt(to),
  end,
});

/** Three holds; the second ends with its process, and the lock moves on a while later. */
const good: Case = {
  holds: [hold('alpha', 2, 100, 200), hold('beta', 5, 210, 400, 'killed'), hold('gamma', 9, 900, 950)],
  kill: { service: 'beta', at: 390n },
  grants: 3,
};

describe('judge', () => {
  it('has nothing to say against a run in which all went well', () => {
    const verdict = judge(good);
    expect(verdict).toMatchObject({ overlaps: [], tokensGrew: true, failures: [] });
    expect(verdict.takeover).toMatchObject({ service: 'gamma', token: 9n });
    expect(sumLine(verdict)).toBe('3 grants, 0 overlaps, tokens only grew (0x2 to 0x9)');
  });

  it('takes holds in any order and a lost one for a hold like any other', () => {
    const holds = [...good.holds, hold('alpha', 11, 960, 980, 'lost')].reverse();
    expect(judge({ ...good, holds }).failures).toEqual([]);
  });

  it.each([
    ['a bit of two holds', hold('alpha', 7, 949, 1_000)],
    ['one within another', hold('alpha', 7, 910, 920)],
    ['the same time', hold('alpha', 7, 900, 950)],
    ['two holds of one service', hold('gamma', 7, 949, 1_000)],
  ])('finds %s', (_what, other) => {
    const { overlaps, failures } = judge({ ...good, holds: [...good.holds, other] });
    expect(overlaps).toHaveLength(1);
    expect(failures).toContainEqual(expect.stringContaining('held the lock together'));
  });

  it('finds every hold that a long one covers, not only the next', () => {
    const holds = [hold('delta', 1, 0, 930), ...good.holds];
    const pairs = judge({ ...good, holds }).overlaps.map(({ first, second }) => `${first.service} ${second.service}`);
    expect(pairs).toEqual(['delta alpha', 'delta beta', 'delta gamma']);
  });

  it('counts a killed one as holder until it was seen dead', () => {
    const holds = good.holds.map((each) => (each.service === 'gamma' ? { ...each, from: 399n } : each));
    expect(judge({ ...good, holds }).overlaps).toMatchObject([{ first: { service: 'beta' }, from: 399n, to: 400n }]);
    expect(
      judge({ ...good, holds: holds.map((each) => ({ ...each, from: each.from === 399n ? 400n : each.from })) }),
    ).toMatchObject({
      overlaps: [],
    });
  });

  it.each([
    ['equal', 5],
    ['smaller', 4],
  ])('finds a token that is %s', (_what, token) => {
    const holds = good.holds.map((each) => (each.service === 'gamma' ? { ...each, token: BigInt(token) } : each));
    const verdict = judge({ ...good, holds });
    expect(verdict.tokensGrew).toBe(false);
    expect(verdict.failures).toEqual([`the token did not grow from beta (0x5) to gamma (0x${token})`]);
    expect(sumLine(verdict)).toBe(`3 grants, 0 overlaps, tokens did not only grow (0x2 to 0x${token})`);
  });

  it('wants a takeover', () => {
    const verdict = judge({ ...good, holds: good.holds.slice(0, 2), grants: 2 });
    expect(verdict.takeover).toBeNull();
    expect(verdict.failures).toEqual(['nobody had the lock after beta was killed']);
  });

  it('wants a kill under the lock', () => {
    expect(judge({ ...good, kill: null }).failures).toEqual(['nobody was killed while it held the lock']);
    const holds = good.holds.map((each): Hold => ({ ...each, end: 'released' }));
    expect(judge({ ...good, holds }).failures).toEqual(['beta did not hold the lock any more when it was killed']);
  });

  it('wants so many grants', () => {
    expect(judge({ ...good, grants: 4 }).failures).toEqual(['too few grants: 3 of 4']);
  });

  it('wants a word of how each hold ended', () => {
    const holds = [...good.holds, hold('alpha', 11, 960, Number.MAX_SAFE_INTEGER, 'open')];
    expect(judge({ ...good, holds }).failures).toEqual(['alpha (0xb) left no word of how its hold ended']);
  });
});

describe('readRecords', () => {
  const text = [
    '{"what":"queued","at":"10"}',
    '{"what":"granted","token":"258","from":"25"}',
    '{"what":"ended","token":"258","to":"40","why":"lost"}',
    '{"what":"queued","at":"41"}',
    '{"what":"granted","token":"260","from":"50"}',
    '',
  ].join('\n');

  it('makes holds and waits of the lines; what a dead process left open ends when it was surely gone', () => {
    expect(readRecords('alpha', text, 77n)).toEqual({
      service: 'alpha',
      holds: [hold('alpha', 258, 25, 40, 'lost'), hold('alpha', 260, 50, 77, 'killed')],
      waits: [
        { from: 10n, to: 25n },
        { from: 41n, to: 50n },
      ],
      deadAt: 77n,
    });
  });

  it('leaves open what a process that is not known to be dead left open', () => {
    expect(readRecords('alpha', text, null).holds.at(-1)).toMatchObject({ to: FOREVER, end: 'open' });
  });

  it('ends a wait with its process', () => {
    expect(readRecords('alpha', '{"what":"queued","at":"10"}\n', 30n).waits).toEqual([{ from: 10n, to: 30n }]);
  });

  it.each([
    ['is torn', `${text}{"what":"ended","tok`],
    ['ends what was never granted', `${text}{"what":"ended","token":"261","to":"60","why":"released"}`],
  ])('refuses a record that %s', (_what, source) => {
    expect(() => readRecords('alpha', source, null)).toThrow();
  });
});
