/** A stretch in which a worker owned an item, by its own record; times in nanoseconds of the system's monotonic clock. */
export interface Tenure {
  worker: string;
  item: string;
  token: bigint;
  from: bigint;
  to: bigint;
  /** When it last looked, and owned it. */
  seen: bigint;
}

/** A process stood still. */
export interface Stop {
  worker: string;
  from: bigint;
  to: bigint;
}

export interface Verdict {
  /** In words: two that owned one item together, and tokens that did not grow. */
  failures: string[];
  /** How often an item went from one worker to another after `since`. */
  moves: number;
}

/** Judges by what the workers wrote down themselves, by one clock. */
export function judge(tenures: readonly Tenure[], stops: readonly Stop[], since: bigint): Verdict {
  const failures: string[] = [];
  let moves = 0;
  for (const all of byItem(tenures.map((tenure) => asItRan(tenure, stops))).values()) {
    all.sort((a, b) => (a.from < b.from ? -1 : 1));
    for (const [at, tenure] of all.entries()) {
      const before = all[at - 1];
      if (before === undefined) continue;
      if (before.token >= tenure.token)
        failures.push(`the token did not grow from ${named(before)} to ${named(tenure)}`);
      for (const earlier of all.slice(0, at)) {
        if (earlier.to > tenure.from) failures.push(`${named(earlier)} and ${named(tenure)} owned it together`);
      }
      if (tenure.from > since && before.worker !== tenure.worker) moves += 1;
    }
  }
  return { failures, moves };
}

/** A process that stood still could not know: its tenure ends at the last instant that it ran, unless it went on as the owner. */
function asItRan(tenure: Tenure, stops: readonly Stop[]): Tenure {
  const stop = stops.find(
    ({ worker, from, to }) => worker === tenure.worker && tenure.from < from && tenure.seen <= from && to <= tenure.to,
  );
  return stop === undefined ? tenure : { ...tenure, to: stop.from };
}

function byItem(tenures: readonly Tenure[]): Map<string, Tenure[]> {
  const items = new Map<string, Tenure[]>();
  for (const tenure of tenures) {
    const all = items.get(tenure.item);
    if (all === undefined) items.set(tenure.item, [tenure]);
    else all.push(tenure);
  }
  return items;
}

function named({ worker, item, token }: Tenure): string {
  return `${worker} (${item}, 0x${token.toString(16)})`;
}
