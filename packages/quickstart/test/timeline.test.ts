import { describe, expect, it } from '@jest/globals';
import type { Paint } from '../src/paint.ts';
import { plain } from '../src/paint.ts';
import type { Hold, ServiceRecords, Span } from '../src/records.ts';
import { renderTimeline, type Timeline } from '../src/timeline.ts';

const second = 1_000_000_000;
const at = (seconds: number): bigint => BigInt(Math.round(seconds * second));
const span = (from: number, to: number): Span => ({ from: at(from), to: at(to) });
const hold = (from: number, to: number): Hold => ({ service: '', token: 1n, end: 'released', ...span(from, to) });

const lane = (service: string, holds: Hold[], waits: Span[] = [], deadAt: number | null = null): ServiceRecords => ({
  service,
  holds,
  waits,
  deadAt: deadAt === null ? null : at(deadAt),
});

/** Twenty columns, half a second each. */
const picture: Timeline = {
  lanes: [
    lane('alpha', [hold(0.5, 2), hold(7, 9)], [span(0, 0.5), span(2, 7)]),
    lane('beta', [hold(2, 3.1)], [span(0, 2)], 3.1),
  ],
  span: span(0, 10),
  overlaps: [],
  gap: span(3, 7),
  width: 31,
  paint: plain,
};

describe('renderTimeline', () => {
  it('draws a lane a service, the gap, an axis and what the signs mean', () => {
    expect(renderTimeline(picture)).toEqual([
      '  alpha  .###..........####',
      '  beta   ....##Xxxxxxxxxxxxxx',
      '               |4.00 s|',
      '         |         |        |',
      '         0 s       5 s      10 s',
      '         # holds   . waits   X killed   x dead   one column: 500 ms',
    ]);
  });

  it('gives a column in which the lock changes hands to the one that had it longer', () => {
    const lanes = [lane('alpha', [hold(0, 2.2)]), lane('beta', [hold(2.21, 5)], [span(0, 2.21)])];
    const [alpha, beta] = renderTimeline({ ...picture, lanes, gap: null });
    expect(alpha).toBe('  alpha  ####.');
    expect(beta).toBe('  beta   ....######');
  });

  it('marks an overlap in each lane that is in it, however short it is', () => {
    const lanes = [lane('alpha', [hold(0, 2.2)]), lane('beta', [hold(2.19, 5)]), lane('gamma', [hold(6, 7)])];
    const lines = renderTimeline({ ...picture, lanes, gap: null, overlaps: [span(2.19, 2.2)] });
    expect(lines.slice(0, 3)).toEqual(['  alpha  ####!', '  beta       !#####', '  gamma              ##']);
    expect(lines.at(-1)).toContain('! held twice');
  });

  it('has room for the time of the gap on a wider line', () => {
    const lines = renderTimeline({ ...picture, width: 91 });
    expect(lines[2]).toBe(`${' '.repeat(9 + 24)}|<---------- 4.00 s ----------->| kill to takeover`);
    expect(lines[4]).toMatch(/^ {9}0 s {5}1 s {5}2 s .* 9 s {4}10 s$/);
  });

  it('paints without moving a sign', () => {
    const brackets: Paint = (style, text) => `<${style}>${text}</>`;
    const lines = renderTimeline({ ...picture, paint: brackets });
    expect(lines[1]).toBe('  beta   <dim>....</><green>##</><red>X</><dim>xxxxxxxxxxxxx</>');
    expect(lines.map((line) => line.replaceAll(/<[a-z/]+>/g, ''))).toEqual(renderTimeline(picture));
  });
});
