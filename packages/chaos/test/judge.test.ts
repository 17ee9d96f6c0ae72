import { describe, expect, it } from '@jest/globals';
import { nanoseconds } from '../src/clock.ts';
import type { ContenderHistory, GuardedWrite, Hold, TokenWrite } from '../src/history.ts';
import { type Case, judge, type Recovery } from '../src/judge.ts';

const at = nanoseconds;

/** Times in ms. */
function hold(contender: string, token: number, from: number, to: number, more: Partial<Hold> = {}): Hold {
  return { contender, token: BigInt(token), from: at(from), to: at(to), seen: at(to), end: 'released', ...more };
}

function tokenWrite(contender: string, token: number, sent: number, answered: number, accepted = true): TokenWrite {
  return { contender, token: BigInt(token), sent: at(sent), answered: at(answered), accepted };
}

function guarded(contender: string, token: number, begun: number, zxid: number | null, late = false): GuardedWrite {
  return { contender, token: BigInt(token), begun: at(begun), late, zxid: zxid === null ? null : BigInt(zxid) };
}

interface Told {
  holds?: Hold[];
  tokenWrites?: TokenWrite[];
  guardedWrites?: GuardedWrite[];
}

function history({ holds = [], tokenWrites = [], guardedWrites = [] }: Told): ContenderHistory {
  return { contender: 'any', holds, tokenWrites, guardedWrites };
}

function failuresOf(told: Told, more: Partial<Case> = {}): readonly string[] {
  return judge({ histories: [history(told)], stops: [], recovery: null, left: [], mishaps: [], ...more }).failures;
}

describe('a run in which all is well', () => {
  it('is found to be so', () => {
    const recovery: Recovery = { at: at(0), electedAt: at(300), grantedAt: at(4_000), allowance: 4_000 };
    const verdict = judge({
      histories: [
        history({
          holds: [hold('a', 1, 0, 10), hold('a', 4, 30, 40, { end: 'killed' })],
          tokenWrites: [tokenWrite('a', 1, 1, 2), tokenWrite('a', 1, 35, 36, false)],
          guardedWrites: [guarded('a', 1, 1, 11), guarded('a', 1, 11, null, true)],
        }),
        history({
          holds: [hold('b', 2, 10, 20), hold('b', 3, 20, 30, { end: 'lost' })],
          tokenWrites: [tokenWrite('b', 2, 11, 12)],
          guardedWrites: [guarded('b', 2, 11, 12), guarded('b', 3, 21, 13)],
        }),
      ],
      stops: [],
      recovery,
      left: [],
      mishaps: [],
    });
    expect(verdict).toEqual({
      grants: 4,
      lost: 1,
      killed: 1,
      refusedTokens: 1,
      staleWrites: 1,
      recovery: { grant: 4_000, election: 300 },
      failures: [],
    });
  });
});

describe('two holders at one instant', () => {
  it('are found, whoever they are and however short it is', () => {
    expect(failuresOf({ holds: [hold('b', 2, 9.999, 20), hold('a', 1, 0, 10)] })).toEqual([
      'a (0x1) and b (0x2) held together for 0.001 ms',
    ]);
  });

  it('are found behind a hold that comes in between', () => {
    const holds = [hold('a', 1, 0, 100), hold('b', 2, 10, 20), hold('c', 3, 50, 60)];
    expect(failuresOf({ holds })).toEqual([
      'a (0x1) and b (0x2) held together for 10.000 ms',
      'a (0x1) and c (0x3) held together for 10.000 ms',
    ]);
  });

  it('are found when one was told of its loss too late', () => {
    const late = hold('a', 1, 0, 15, { seen: at(9), end: 'lost' });
    expect(failuresOf({ holds: [late, hold('b', 2, 10, 20)] })).toHaveLength(1);
  });

  it('are found when one was killed after the other had been granted', () => {
    const killed = hold('a', 1, 0, 15, { seen: at(0), end: 'killed' });
    expect(failuresOf({ holds: [killed, hold('b', 2, 10, 20)] })).toHaveLength(1);
  });

  it('are found when one left no word of its end', () => {
    const open = hold('a', 1, 0, 1e9, { seen: at(0), end: 'open' });
    expect(failuresOf({ holds: [open, hold('b', 2, 10, 20)] })).toEqual([
      'a (0x1) and b (0x2) held together for 10.000 ms',
      'a (0x1) left no word of how its hold ended',
    ]);
  });
});

describe('a process that was stopped', () => {
  const stops = [{ contender: 'a', from: at(5), to: at(50) }];
  const next = hold('b', 2, 20, 30);

  it('held until the last instant that it ran', () => {
    const stopped = hold('a', 1, 0, 51, { seen: at(4), end: 'lost' });
    expect(failuresOf({ holds: [stopped, next] }, { stops })).toEqual([]);
    expect(failuresOf({ holds: [stopped, hold('b', 2, 4.5, 30)] }, { stops })).toEqual([
      'a (0x1) and b (0x2) held together for 0.500 ms',
    ]);
  });

  it('is no excuse for another', () => {
    const other = hold('c', 1, 0, 51, { seen: at(4), end: 'lost' });
    expect(failuresOf({ holds: [other, next] }, { stops })).toHaveLength(1);
  });

  it('is none for one that went on as a holder', () => {
    const careless = hold('a', 1, 0, 55, { seen: at(52), end: 'lost' });
    expect(failuresOf({ holds: [careless, next] }, { stops })).toHaveLength(1);
    expect(failuresOf({ holds: [hold('a', 1, 0, 55, { seen: at(4) }), next] }, { stops })).toHaveLength(1);
  });

  it('is none for a hold that ended before it went on', () => {
    const late = hold('a', 1, 0, 45, { seen: at(4), end: 'lost' });
    expect(failuresOf({ holds: [late, next] }, { stops })).toHaveLength(1);
  });
});

describe('tokens', () => {
  it('have to grow from holder to holder', () => {
    expect(failuresOf({ holds: [hold('a', 2, 0, 10), hold('b', 2, 10, 20), hold('c', 1, 20, 30)] })).toEqual([
      'the token did not grow from a (0x2) to b (0x2)',
      'the token did not grow from b (0x2) to c (0x1)',
    ]);
  });

  it('may not be refused while they are held', () => {
    const holds = [hold('a', 1, 0, 10)];
    expect(failuresOf({ holds, tokenWrites: [tokenWrite('a', 1, 1, 9, false)] })).toEqual([
      'a (0x1) held, and the resource had seen a larger token',
    ]);
    expect(failuresOf({ holds, tokenWrites: [tokenWrite('a', 1, 1, 11, false)] })).toEqual([]);
  });

  it('may not be accepted after a larger one', () => {
    const tokenWrites = [tokenWrite('b', 2, 1, 3), tokenWrite('a', 1, 4, 5)];
    expect(failuresOf({ tokenWrites })).toEqual(['the resource saw b (0x2), then a (0x1)']);
    // Sent before the other was answered: the resource may have seen it first.
    expect(failuresOf({ tokenWrites: [tokenWrite('b', 2, 1, 3), tokenWrite('a', 1, 2, 5)] })).toEqual([]);
  });
});

describe('guarded writes', () => {
  it('of a stale holder may not be applied', () => {
    const holds = [hold('a', 1, 0, 10), hold('b', 2, 10, 20)];
    expect(failuresOf({ holds, guardedWrites: [guarded('a', 1, 11, 7)] })).toEqual([
      'a guarded write of a (0x1) was applied when another had been granted',
    ]);
    expect(failuresOf({ holds, guardedWrites: [guarded('a', 1, 9, 7), guarded('a', 1, 11, null)] })).toEqual([]);
  });

  it('may not be applied after those of a later holder', () => {
    expect(failuresOf({ guardedWrites: [guarded('b', 2, 1, 7), guarded('a', 1, 1, 8)] })).toEqual([
      'a guarded write of a (0x1) was applied after one of b (0x2)',
    ]);
  });
});

describe('the end of a run', () => {
  it('has to bring a grant in time', () => {
    const recovery: Recovery = { at: at(0), electedAt: at(500), grantedAt: at(4_600), allowance: 4_000 };
    expect(failuresOf({}, { recovery })).toEqual([
      'the first grant came 4600 ms after the last fault: election 500 ms, and 100 ms more than 4000 ms',
    ]);
    expect(failuresOf({}, { recovery: { ...recovery, grantedAt: null } })).toEqual([
      'nobody was granted anything after the last fault',
    ]);
  });

  it('has to leave nothing, and to be without mishap', () => {
    expect(failuresOf({}, { left: ['/lock/x'], mishaps: ['a ended with 1'] })).toEqual([
      'a ended with 1',
      '/lock/x was left behind',
    ]);
  });
});

describe('a holder whose znode somebody else deleted', () => {
  const told = { holds: [hold('a', 1, 0, 30, { end: 'lost' }), hold('b', 2, 20, 40)] };

  it('held until then', () => {
    expect(failuresOf(told)).toHaveLength(1);
    expect(failuresOf(told, { depositions: [{ contender: 'a', at: at(15) }] })).toEqual([]);
    expect(failuresOf(told, { depositions: [{ contender: 'b', at: at(15) }] })).toHaveLength(1);
  });

  it('has to notice it at once', () => {
    const late = { holds: [hold('a', 1, 0, 3_020, { end: 'lost' }), hold('b', 2, 20, 40)] };
    expect(failuresOf(late, { depositions: [{ contender: 'a', at: at(15) }] })).toHaveLength(1);
  });
});

describe('servers that have lost their data', () => {
  it('begin to count anew; who held is judged as before', () => {
    const told = {
      holds: [hold('a', 9, 0, 10), hold('b', 1, 20, 30)],
      tokenWrites: [tokenWrite('a', 9, 1, 2), tokenWrite('b', 1, 21, 22, false)],
      guardedWrites: [guarded('b', 1, 21, 5), guarded('a', 9, 1, 11)],
    };
    expect(failuresOf(told).length).toBeGreaterThan(0);
    expect(failuresOf(told, { wiped: true })).toEqual([]);
    const stale = { ...told, guardedWrites: [guarded('a', 9, 21, 11, true)] };
    expect(failuresOf(stale, { wiped: true })).toHaveLength(1);
    expect(failuresOf({ holds: [hold('a', 9, 0, 10), hold('b', 1, 5, 30)] }, { wiped: true })).toHaveLength(1);
  });
});
