import { curatorTickets, type Driver, firstInLine, type HoldsAt } from '@zookit/recipe-core/internal';

export type Kind = 'read' | 'write';

/** The znodes of Curator's InterProcessReadWriteLock, behind what makes them unique and before their number. */
export const nodeName: Readonly<Record<Kind, string>> = { read: '__READ__', write: '__WRIT__' };

const ticketOf = curatorTickets(nodeName.read, nodeName.write);

/** From here on a number says nothing any more: the server gives it again and again. */
const LAST = 2_147_483_647;

export function kindOf(name: string): Kind | null {
  if (name.includes(nodeName.write)) return 'write';
  return name.includes(nodeName.read) ? 'read' : null;
}

export const drivers: Readonly<Record<Kind, Driver>> = {
  write: firstInLine(ticketOf),
  read: {
    ticketOf,
    judge: (line, own) => {
      // The nearest one: when it is granted, all before it have gone, and a look at the first would only tell of the next.
      const watch = line.slice(0, line.indexOf(own)).findLast((name) => kindOf(name) === 'write');
      return watch === undefined ? { granted: true } : { granted: false, watch };
    },
  },
};

/** A writer holds when it is the first; a reader when no writer is before it, but for one whose number it shares: its own. */
export const holdsAt: HoldsAt = (line, at) => {
  const name = line[at] as string;
  const kind = kindOf(name);
  if (kind !== 'read') return kind === 'write' && at === 0;
  const number = ticketOf(name)?.number ?? null;
  const isOwn = (writer: string): boolean => number !== null && number !== LAST && ticketOf(writer)?.number === number;
  return line.slice(0, at).every((before) => kindOf(before) !== 'write' || isOwn(before));
};
