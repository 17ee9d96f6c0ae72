import { duration, earlier } from './clock.ts';
import type { Hold, Span } from './records.ts';

export interface Kill {
  service: string;
  /** Right before the signal was sent. */
  at: bigint;
}

export interface Overlap extends Span {
  first: Hold;
  second: Hold;
}

export interface Case {
  /** Every hold of every service, in any order. */
  holds: readonly Hold[];
  kill: Kill | null;
  /** How many grants there have to be. */
  grants: number;
}

export interface Verdict {
  /** In order of their beginning. */
  holds: readonly Hold[];
  overlaps: readonly Overlap[];
  tokensGrew: boolean;
  /** The first hold of another service after the kill. */
  takeover: Hold | null;
  /** What went wrong, in words; empty when all is well. */
  failures: readonly string[];
}

/** Judges by what the processes wrote down themselves, by one clock. */
export function judge({ holds, kill, grants }: Case): Verdict {
  const sorted = [...holds].sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  const overlaps = overlapsIn(sorted);
  const pairs = sorted.slice(1).map((after, i) => ({ before: sorted[i]!, after }));
  const falls = pairs.filter(({ before, after }) => after.token <= before.token);
  const silent = sorted.filter(({ end }) => end === 'open');
  const takeover = (kill && sorted.find(({ service, from }) => from > kill.at && service !== kill.service)) ?? null;
  const failures = [
    ...overlaps.map(({ first, second, from, to }) => {
      return `${described(first)} and ${described(second)} held the lock together for ${duration(to - from)}`;
    }),
    ...falls.map(({ before, after }) => `the token did not grow from ${described(before)} to ${described(after)}`),
    ...silent.map((hold) => `${described(hold)} left no word of how its hold ended`),
    ...(sorted.length < grants ? [`too few grants: ${sorted.length} of ${grants}`] : []),
    ...killFailures(sorted, kill, takeover),
  ];
  return { holds: sorted, overlaps, tokensGrew: falls.length === 0, takeover, failures };
}

/** Each hold against all that began before it, not only against the last one: a long hold may cover several. */
function overlapsIn(sorted: readonly Hold[]): Overlap[] {
  const found: Overlap[] = [];
  let running: Hold[] = [];
  for (const second of sorted) {
    running = running.filter(({ to }) => to > second.from);
    for (const first of running) {
      found.push({ first, second, from: second.from, to: earlier(first.to, second.to) });
    }
    running.push(second);
  }
  return found;
}

function killFailures(sorted: readonly Hold[], kill: Kill | null, takeover: Hold | null): string[] {
  if (kill === null) return ['nobody was killed while it held the lock'];
  const killed = sorted.some(({ service, end }) => service === kill.service && end === 'killed');
  if (!killed) return [`${kill.service} did not hold the lock any more when it was killed`];
  return takeover === null ? [`nobody had the lock after ${kill.service} was killed`] : [];
}

function described({ service, token }: Hold): string {
  return `${service} (0x${token.toString(16)})`;
}
