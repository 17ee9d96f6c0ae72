import type { Hold } from '@zookit/quickstart/records';

/** A hold that others may share. */
export interface SharedHold extends Hold {
  kind: 'read' | 'write' | 'lease';
  /** How many leases it is. */
  leases: number;
}

/** Those that held at one moment, and must not have. */
export type Breach = readonly SharedHold[];

/** Whether these may all hold at one moment. */
export type Rule = (together: readonly SharedHold[]) => boolean;

/** Any number of readers, or one writer; what one contender holds does not stand in its own way. */
export const oneWriter: Rule = (together) =>
  together.every(({ kind }) => kind === 'read') || together.every(({ service }) => service === together[0]?.service);

export function atMost(leases: number): Rule {
  return (together) => together.reduce((sum, hold) => sum + hold.leases, 0) <= leases;
}

/** Every beginning of a hold at which the rule was broken: holds may only become more at one of these. */
export function breachesOf(rule: Rule, holds: readonly SharedHold[]): Breach[] {
  const found: Breach[] = [];
  let running: SharedHold[] = [];
  for (const hold of inOrder(holds)) {
    running = [...running.filter(({ to }) => to > hold.from), hold];
    if (!rule(running)) found.push(running);
  }
  return found;
}

/**
 * Pairs of which the later came first, and which exclude each other. Tokens tell the order of coming, but for several
 * leases: Curator comes for one after the other.
 */
export function outOfTurn(rule: Rule, holds: readonly SharedHold[]): Breach[] {
  const sorted = inOrder(holds).filter(({ leases }) => leases === 1);
  return sorted.flatMap((later, i) =>
    sorted
      .slice(0, i)
      .filter((earlier) => earlier.token >= later.token && !rule([earlier, later]))
      .map((earlier) => [earlier, later]),
  );
}

function inOrder(holds: readonly SharedHold[]): SharedHold[] {
  return [...holds].sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
}
