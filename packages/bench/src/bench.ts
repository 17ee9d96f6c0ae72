import type { RealServer } from '@zookit/testing';
import type { ZooKeeper } from 'zookit';

/** What a section of the benchmark works with. A section is a function from this to its rows, in a file of its own; `main.ts` lists them. */
export interface Bench {
  /** One server of Apache ZooKeeper, which all clients of a run share. */
  readonly server: RealServer;
  readonly connectString: string;
  /** For preparations; never what is measured. */
  readonly zk: ZooKeeper;
  /** How often everything is measured, each client in turn. */
  readonly rounds: number;
  /** A look that takes a minute or two: fewer rounds, smaller counts. */
  readonly quick: boolean;
}

/** What one workload has cost each client; less is better. */
export interface Row {
  workload: string;
  unit: string;
  /** The client whose sample of the same round the others are divided by. */
  base: string;
  /** For each client, one sample a round. */
  samples: Readonly<Record<string, readonly number[]>>;
  /** What zookit is to reach: a ratio to the base, so much more than the base, or a figure; the latter two in the row's unit. */
  target?: { ratio: number } | { more: number } | { most: number };
}

/** Takes one sample of each client a round, in turn. Who begins changes with the round. */
export async function inRounds(
  rounds: number,
  measures: Readonly<Record<string, () => Promise<number>>>,
): Promise<Record<string, number[]>> {
  const names = Object.keys(measures);
  const samples: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(round + turn) % names.length] as string;
      samples[name]?.push(await (measures[name] as () => Promise<number>)());
    }
  }
  return samples;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The median of what `figure` makes of a client's samples and the base's, round by round. */
function paired(row: Row, client: string, figure: (sample: number, base: number) => number): number {
  const base = row.samples[row.base] ?? [];
  return median((row.samples[client] ?? []).map((sample, round) => figure(sample, base[round] ?? Number.NaN)));
}

/** The median of a client's ratios to the base, round by round. */
export function ratio(row: Row, client: string): number {
  return paired(row, client, (sample, base) => sample / base);
}

/** Whether zookit has reached what it is to reach; null when there is no target, or nothing to compare. */
export function isMet(row: Row): boolean | null {
  const { target, samples } = row;
  const { zookit = [] } = samples;
  if (target === undefined || zookit.length === 0) return null;
  if (!('most' in target) && samples[row.base] === undefined) return null;
  if ('ratio' in target) return ratio(row, 'zookit') <= target.ratio;
  if ('more' in target) return paired(row, 'zookit', (sample, base) => sample - base) <= target.more;
  return median(zookit) <= target.most;
}
