import { duration, earlier, later } from './clock.ts';
import type { Paint } from './paint.ts';
import type { ServiceRecords, Span } from './records.ts';

export interface Timeline {
  lanes: readonly ServiceRecords[];
  /** What is shown. */
  span: Span;
  /** When more than one held the lock. */
  overlaps: readonly Span[];
  /** From the kill to the takeover. */
  gap: Span | null;
  /** Characters a line. */
  width: number;
  paint: Paint;
}

const SIGNS = { overlap: '!', held: '#', waiting: '.', killed: 'X', dead: 'x', idle: ' ' } as const;
type Sign = keyof typeof SIGNS;
const MARGIN = 2;

/** A lane a service, a sign a stretch of time, an axis in seconds. */
export function renderTimeline({ lanes, span, overlaps, gap, width, paint }: Timeline): string[] {
  const names = Math.max(...lanes.map(({ service }) => service.length));
  const columns = Math.max(20, width - 2 * MARGIN - names - 2);
  const cells = cut(span, columns);
  const holders = cells.map((cell) => holderOf(lanes, cell));
  const indent = ' '.repeat(MARGIN + names + 2);
  const column = (at: bigint): number => {
    return Math.min(columns - 1, Math.max(0, Number(((at - span.from) * BigInt(columns)) / (span.to - span.from))));
  };
  return [
    ...lanes.map((lane) => {
      const signs = cells.map((cell, i) => signOf(lane, cell, holders[i] === lane, overlaps));
      return `${' '.repeat(MARGIN)}${lane.service.padEnd(names)}  ${painted(signs, paint)}`.trimEnd();
    }),
    ...(gap === null
      ? []
      : [indent + bracket(column(gap.from), column(gap.to), columns, duration(gap.to - gap.from), paint)]),
    ...axis(span, columns, column).map((line) => paint('dim', (indent + line).trimEnd())),
    paint(
      'dim',
      `${indent}${legend(lanes, overlaps)}   one column: ${duration((span.to - span.from) / BigInt(columns))}`,
    ),
  ];
}

function cut({ from, to }: Span, columns: number): Span[] {
  const edge = (i: number): bigint => from + ((to - from) * BigInt(i)) / BigInt(columns);
  return Array.from({ length: columns }, (_, i) => ({ from: edge(i), to: edge(i + 1) }));
}

/** A cell in which the lock changes hands belongs to one lane, else every handover would look like an overlap. */
function holderOf(lanes: readonly ServiceRecords[], cell: Span): ServiceRecords | null {
  let holder: ServiceRecords | null = null;
  let most = 0n;
  for (const lane of lanes) {
    const held = shared(lane.holds, cell);
    if (held > most) [holder, most] = [lane, held];
  }
  return holder;
}

function signOf(lane: ServiceRecords, cell: Span, isHolder: boolean, overlaps: readonly Span[]): Sign {
  const { deadAt, holds, waits } = lane;
  if (shared(holds, cell) > 0n && shared(overlaps, cell) > 0n) return 'overlap';
  if (deadAt !== null && deadAt < cell.to) return deadAt >= cell.from ? 'killed' : 'dead';
  if (isHolder) return 'held';
  return shared(waits, cell) > 0n || shared(holds, cell) > 0n ? 'waiting' : 'idle';
}

/** How much of the cell the spans cover. */
function shared(spans: readonly Span[], cell: Span): bigint {
  return spans.reduce((sum, { from, to }) => {
    const begin = later(from, cell.from);
    const end = earlier(to, cell.to);
    return end > begin ? sum + end - begin : sum;
  }, 0n);
}

const STYLES = { overlap: 'red', held: 'green', waiting: 'dim', killed: 'red', dead: 'dim', idle: 'dim' } as const;

/** Runs of one sign are painted as one. */
function painted(signs: readonly Sign[], paint: Paint): string {
  const runs: { sign: Sign; length: number }[] = [];
  for (const sign of signs) {
    const run = runs.at(-1);
    if (run?.sign === sign) run.length += 1;
    else runs.push({ sign, length: 1 });
  }
  const text = ({ sign, length }: { sign: Sign; length: number }): string => SIGNS[sign].repeat(length);
  return runs.map((run) => (run.sign === 'idle' ? text(run) : paint(STYLES[run.sign], text(run)))).join('');
}

/** '|<---- 3.02 s ---->|' where there is room for it. */
function bracket(from: number, to: number, columns: number, label: string, paint: Paint): string {
  const room = to - from - 3 - (label.length + 2);
  const left = Math.max(0, Math.floor(room / 2));
  const line = room < 2 ? `|${label}|` : `|<${'-'.repeat(left)} ${label} ${'-'.repeat(room - left)}>|`;
  const note = ' kill to takeover';
  const fits = from + line.length + note.length <= columns;
  return `${' '.repeat(from)}${paint('yellow', line)}${fits ? note : ''}`;
}

function axis(span: Span, columns: number, column: (at: bigint) => number): string[] {
  const seconds = Number(span.to - span.from) / 1e9;
  const room = (each: number): number => (columns / seconds) * each;
  const step = [1, 2, 5, 10, 30, 60, 300, 600].find((each) => room(each) >= 8) ?? 3_600;
  const ticks = Array<string>(columns).fill(' ');
  let labels = '';
  for (let second = 0; second <= seconds; second += step) {
    const at = column(span.from + BigInt(second) * 1_000_000_000n);
    ticks[at] = '|';
    labels = `${labels.padEnd(at)}${second} s`;
  }
  return [ticks.join(''), labels];
}

function legend(lanes: readonly ServiceRecords[], overlaps: readonly Span[]): string {
  const parts = ['# holds', '. waits'];
  if (lanes.some(({ deadAt }) => deadAt !== null)) parts.push('X killed', 'x dead');
  if (overlaps.length > 0) parts.push('! held twice');
  return parts.join('   ');
}
