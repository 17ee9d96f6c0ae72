import { curatorTickets, kazooTickets, type TicketReader } from './sequence.ts';

/** What a line says about one place in it. */
export type Verdict =
  | { readonly granted: true }
  /** Not yet: the child whose going may change that. */
  | { readonly granted: false; readonly watch: string };

/** What a recipe asks of a line, and what it makes of the answer. */
export interface Driver {
  /** Which children stand in line, and in what order. */
  readonly ticketOf: TicketReader;
  /** Judges our place; `line` has the names that count, first in line first, `own` among them. */
  judge(line: readonly string[], own: string): Verdict;
}

/** The first in line holds, and everybody else watches the one before: nobody is woken for nothing. */
export function firstInLine(ticketOf: TicketReader): Driver {
  return {
    ticketOf,
    judge: (line, own) => {
      const watch = line[line.indexOf(own) - 1];
      return watch === undefined ? { granted: true } : { granted: false, watch };
    },
  };
}

/** Whose znodes ours look like, and stand in line with. */
export type Layout = 'curator' | 'kazoo';

/** The name of a mutex's znode, behind what makes it ours and before its number. */
export const mutexName: Readonly<Record<Layout, string>> = { curator: 'lock-', kazoo: '__lock__' };

/**
 * Who waits for whom at a mutex. In kazoo's layout its read locks exclude us as they exclude its write locks, and so do
 * the znodes of Curator's layout, as with kazoo's own `extra_lock_patterns=['-lock-']`.
 */
export const mutexTickets: Readonly<Record<Layout, TicketReader>> = {
  curator: curatorTickets(mutexName.curator),
  kazoo: kazooTickets([mutexName.kazoo, '__rlock__', '-lock-']),
};
