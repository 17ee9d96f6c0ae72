/** The first wait after a whole round of hosts, in ms; no attempt after the first round comes sooner. */
const FLOOR = 1_000;
const CEILING = 5_000;
const GROWTH = 1.5;

/**
 * How long to wait before the next attempt, in ms.
 *
 * Within the first round nothing but a little jitter: the next host may be fine. Later rounds wait longer and longer, with up to
 * half as much again at random, so that many clients of one ensemble don't come back together. Only a server that is found well starts a new count.
 */
export function backoff(round: number, first: boolean, random: () => number): number {
  if (first) return 0;
  if (round === 0) return random() * 50;
  const base = Math.min(FLOOR * GROWTH ** (round - 1), CEILING);
  return base * (1 + 0.5 * random());
}
