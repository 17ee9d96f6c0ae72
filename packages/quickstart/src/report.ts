import { duration, seconds } from './clock.ts';
import type { Kill, Verdict } from './judge.ts';
import type { ServiceRecords, Span } from './records.ts';
import type { Terminal } from './terminal.ts';
import { renderTimeline } from './timeline.ts';

/** More than these tell nothing new. */
const MOST_FAILURES = 8;

export interface Report {
  records: readonly ServiceRecords[];
  verdict: Verdict;
  kill: Kill | null;
  span: Span;
  /** Milliseconds, as negotiated. */
  sessionTimeout: number;
  /** The verdict's and all others. */
  failures: readonly string[];
}

/** Timeline, what happened, what went wrong; the last line is the sum. */
export function writeReport({ write, paint, columns }: Terminal, report: Report): void {
  const { records, verdict, kill, span, failures } = report;
  const gap = kill && verdict.takeover && { from: kill.at, to: verdict.takeover.from };
  const timeline = { lanes: records, span, overlaps: verdict.overlaps, gap, width: columns, paint };
  const lines = [
    '',
    ...renderTimeline(timeline),
    '',
    `  ${records.map(({ service, holds }) => `${service} ${holds.length}`).join(', ')} grants${lostHolds(verdict)}`,
    ...(gap === null ? [] : [`  ${takeoverLine(report, gap)}`]),
    ...failures.slice(0, MOST_FAILURES).map((failure) => paint('red', `  FAILED: ${failure}`)),
    ...(failures.length > MOST_FAILURES ? [`  and ${failures.length - MOST_FAILURES} more`] : []),
    paint('bold', paint(failures.length === 0 ? 'green' : 'red', sumLine(verdict))),
  ];
  write(`${lines.join('\n')}\n`);
}

function takeoverLine({ kill, verdict, span, sessionTimeout }: Report, gap: Span): string {
  return (
    `${kill?.service} was killed at ${duration((kill?.at ?? 0n) - span.from)}; ` +
    `${verdict.takeover?.service} had the lock ${duration(gap.to - gap.from)} later, session timeout ${seconds(sessionTimeout)}`
  );
}

function lostHolds({ holds }: Verdict): string {
  const lost = holds.filter(({ end }) => end === 'lost').length;
  return lost === 0 ? '' : `; ${lost} of them lost with the session before the work was done`;
}

/** '42 grants, 0 overlaps, tokens only grew (0x2 to 0x9c)' */
export function sumLine({ holds, overlaps, tokensGrew }: Verdict): string {
  const grants = `${holds.length} grant${holds.length === 1 ? '' : 's'}`;
  const twice = `${overlaps.length} overlap${overlaps.length === 1 ? '' : 's'}`;
  const first = holds[0];
  const last = holds.at(-1);
  if (first === undefined || last === undefined) return `${grants}, ${twice}`;
  const tokens = tokensGrew ? 'tokens only grew' : 'tokens did not only grow';
  return `${grants}, ${twice}, ${tokens} (0x${first.token.toString(16)} to 0x${last.token.toString(16)})`;
}
