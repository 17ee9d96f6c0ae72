import { describe, expect, it } from '@jest/globals';
import { type LiveEvent, LiveLines } from '../src/live-lines.ts';
import { plain } from '../src/paint.ts';

const ms = (value: number): bigint => BigInt(Math.round(value * 1e6));

/** What is written for these events, added in this order and told at once. */
function told(...batches: LiveEvent[][]): string[] {
  let text = '';
  const write = (more: string): void => {
    text += more;
  };
  const lines = new LiveLines({
    services: ['alpha', 'beta', 'gamma'],
    start: 0n,
    sessionTimeout: 3_000,
    write,
    paint: plain,
  });
  for (const batch of batches) {
    for (const event of batch) lines.add(event);
    lines.flush(ms(1_000_000));
  }
  return text.split('\n');
}

const queued = (service: string, at: number): LiveEvent => ({ what: 'queued', service, at: ms(at) });
const granted = (service: string, at: number, token: number): LiveEvent => {
  return { what: 'granted', service, at: ms(at), token: BigInt(token) };
};
const ended = (service: string, at: number, token: number, why: 'released' | 'lost' = 'released'): LiveEvent => {
  return { what: 'ended', service, at: ms(at), token: BigInt(token), why };
};

describe('LiveLines', () => {
  it('begins a line with the grant and finishes it with the end of the hold', () => {
    const start = [queued('alpha', 0), queued('beta', 1), queued('gamma', 2), granted('alpha', 30, 0x1f)];
    expect(told(start)).toEqual(['   0.03 s  alpha holds 0x1f          beta, gamma wait']);
    expect(told(start, [ended('alpha', 442, 0x1f)])).toEqual([
      '   0.03 s  alpha holds 0x1f          beta, gamma wait    412 ms',
      '',
    ]);
  });

  it('puts in order what came by different ways', () => {
    expect(
      told([granted('beta', 50, 2), granted('alpha', 10, 1), ended('alpha', 40, 1), ended('beta', 60, 2)]),
    ).toEqual([
      '   0.01 s  alpha holds 0x1                                30 ms',
      '   0.05 s  beta  holds 0x2                                10 ms',
      '',
    ]);
  });

  it('keeps back what is too young, and the order of what is to come', () => {
    let text = '';
    const write = (more: string): void => {
      text += more;
    };
    const lines = new LiveLines({ services: ['alpha', 'beta'], start: 0n, sessionTimeout: 3_000, write, paint: plain });
    lines.add(granted('beta', 50, 2));
    lines.flush(ms(50));
    expect(text).toBe('');
    lines.add(granted('alpha', 10, 1));
    lines.add(ended('alpha', 40, 1));
    lines.flush(ms(51));
    expect(text).toMatch(/alpha holds 0x1 .*30 ms\n.*beta {2}holds 0x2 /);
  });

  it('makes kill and takeover stand out, with the time between them', () => {
    const events: LiveEvent[] = [
      granted('alpha', 10, 1),
      { what: 'killed', service: 'alpha', at: ms(300), token: 1n },
      { what: 'dead', service: 'alpha', at: ms(302) },
      granted('gamma', 3_210, 7),
      ended('gamma', 3_400, 7),
      granted('beta', 3_410, 9),
    ];
    expect(told(events).map((line) => line.trimEnd())).toEqual([
      '   0.01 s  alpha holds 0x1',
      '   0.30 s  kill -9 alpha, which holds 0x1',
      '   3.21 s  gamma takes over 2.91 s after the kill (session timeout 3 s)',
      '   3.21 s  gamma holds 0x7                               190 ms',
      '   3.41 s  beta  holds 0x9',
    ]);
  });

  it('tells in one line what happens to several at once, and what becomes of the hold', () => {
    const suspended = (service: string, at: number, holdsFor: number | null): LiveEvent => {
      return { what: 'suspended', service, at: ms(at), holdsFor };
    };
    const events: LiveEvent[] = [
      granted('beta', 10, 1),
      suspended('gamma', 100, null),
      suspended('beta', 101, 2_040),
      suspended('alpha', 102, null),
      ended('beta', 300, 1),
    ];
    expect(told(events).map((line) => line.trimEnd())).toEqual([
      '   0.01 s  beta  holds 0x1',
      '   0.10 s  connection lost: alpha, beta, gamma; beta keeps the lock, for 2.0 s at most',
      '   0.30 s  beta has let go after 290 ms',
      '',
    ]);
  });

  it('tells of a lost hold and of sessions', () => {
    const events: LiveEvent[] = [
      granted('beta', 10, 1),
      { what: 'lost', service: 'beta', at: ms(2_100) },
      ended('beta', 2_101, 1, 'lost'),
      { what: 'renewed', service: 'beta', at: ms(2_500) },
    ];
    expect(
      told(events, [{ what: 'reconnected', service: 'alpha', at: ms(2_600) }]).map((line) => line.trimEnd()),
    ).toEqual([
      '   0.01 s  beta  holds 0x1',
      '   2.10 s  session lost: beta',
      '   2.10 s  beta has lost the lock after 2.09 s, and has stopped working',
      '   2.50 s  connected again, new session: beta',
      '   2.60 s  connected again, same session: alpha',
      '',
    ]);
  });

  it('doesn’t list more than four that wait', () => {
    const names = ['alpha', 'beta', 'gamma', 'delta', 'epsilon'];
    expect(told([...names.map((name) => queued(name, 1)), granted('zeta', 2, 1)])[0]).toMatch(/holds 0x1 +5 wait$/);
  });
});
