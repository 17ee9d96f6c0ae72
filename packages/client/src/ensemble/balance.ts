import type { Host } from '../connect-string.ts';

/** What a change of the server list asks of a client. */
export interface Rebalance {
  /** Whether to leave the present server. */
  move: boolean;
  /** The hosts in the order in which they are to be tried. */
  order: readonly Host[];
}

export function sameHost(a: Host, b: Host): boolean {
  return a.host === b.host && a.port === b.port;
}

/**
 * Whether a client moves when the list of servers changes, so that all clients together end up spread evenly: the odds of the
 * Java client (ZOOKEEPER-1355).
 *
 * When the list grows, just so many leave the old servers for new ones as the new ones should have; when a server goes, its
 * clients spread over the rest so that old and new ones end up with the same load.
 */
export function rebalance(
  before: readonly Host[],
  after: readonly Host[],
  current: Host | null,
  random: () => number,
): Rebalance {
  const old = after.filter((host) => before.some((known) => sameHost(known, host)));
  const fresh = after.filter((host) => !before.some((known) => sameHost(known, host)));
  const stays = current !== null && after.some((host) => sameHost(host, current));
  if (current === null || before.length === 0) return { move: false, order: after };
  if (after.length > before.length) {
    if (stays && random() > 1 - before.length / after.length) return { move: false, order: after };
    return { move: true, order: drawn(fresh, old, 1, random) };
  }
  if (stays) return { move: false, order: after };
  const left = before.length - old.length;
  const oddsOld = left === 0 ? 1 : (old.length * (before.length - after.length)) / (after.length * left);
  return { move: true, order: drawn(fresh, old, 1 - oddsOld, random) };
}

/** Draws hosts without putting back: from the fresh ones with the given odds, as long as both kinds last. */
function drawn(fresh: readonly Host[], old: readonly Host[], oddsFresh: number, random: () => number): Host[] {
  const from: [Host[], Host[]] = [[...fresh], [...old]];
  const order: Host[] = [];
  while (order.length < fresh.length + old.length) {
    const first = random() < oddsFresh ? from[0] : from[1];
    const source = first.length > 0 ? first : first === from[0] ? from[1] : from[0];
    const [host] = source.splice(0, 1);
    if (host !== undefined) order.push(host);
  }
  return order;
}
