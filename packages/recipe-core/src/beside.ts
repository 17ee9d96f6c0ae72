import { nameOf } from '@zookit/client/internal';
import type { Driver } from './driver.ts';
import type { Held } from './held.ts';
import type { Placement } from './placement.ts';

/** Where the server's counter ends, or sticks: from there on it may give the same number again and again. */
const LAST = 2_147_483_647;

/**
 * A znode with the number of one that is held, as Curator 5.5 and later lays the read lock of a writer: before all who
 * came after the held one.
 */
export function placedBeside(contest: Placement & { readonly driver: Driver }, hold: Held): Placement {
  const ticket = contest.driver.ticketOf(nameOf(hold.path));
  // Others may have that number by themselves. Whoever had the one before it is not there any more, or holds, too.
  const number = ticket?.number === LAST ? String(LAST - 1) : ticket?.text;
  return { ...contest, nodeName: `${contest.nodeName}${number}`, mode: 'ephemeral' };
}
