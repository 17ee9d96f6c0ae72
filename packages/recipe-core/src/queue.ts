import type { CallOptions, ZooKeeper, ZooKeeperError } from '@zookit/client';
import { childOf } from './paths.ts';
import { REVOKE_MESSAGE } from './revocation-watch.ts';
import { lineUp, type Ticket, type TicketReader } from './sequence.ts';

/** One who holds or waits. */
export interface QueueEntry {
  readonly path: string;
  readonly data: Buffer | null;
  /** The session that owns the znode; 0n for a stray one that no session owns. */
  readonly sessionId: bigint;
  /** When the znode was made, in ms since the epoch, by the server's clock. */
  readonly since: number;
  /** Whether its place is one that holds. */
  readonly holds: boolean;
}

/** Whether the one at that place of a line holds; the names are those that count, first in line first. */
export type HoldsAt = (line: readonly string[], at: number) => boolean;

interface Seen {
  readonly name: string;
  readonly number: number | null;
  readonly czxid: bigint;
  readonly entry: Omit<QueueEntry, 'holds'>;
}

/** Who stands in line, first in line first. Those that leave meanwhile are skipped; a missing base is an empty line. */
export async function readQueue(
  zk: ZooKeeper,
  base: string,
  ticketOf: TicketReader,
  options: CallOptions,
  holdsAt: HoldsAt = (_, at) => at === 0,
): Promise<QueueEntry[]> {
  const line = await readLine(zk, base, ticketOf, options);
  const found = await Promise.all(line.map((ticket) => look(zk, base, ticket, options)));
  const present = found.filter((each) => each !== null);
  // The sort is stable, so it moves only those that the server gave the same number.
  present.sort((a, b) => (a.number === null || a.number !== b.number ? 0 : a.czxid < b.czxid ? -1 : 1));
  const names = present.map(({ name }) => name);
  return present.map(({ entry }, at) => ({ ...entry, holds: holdsAt(names, at) }));
}

/** The first in line; null when nobody is there. */
export async function readFirst(
  zk: ZooKeeper,
  base: string,
  ticketOf: TicketReader,
  options: CallOptions,
): Promise<QueueEntry | null> {
  for (;;) {
    const [first, ...rest] = await readLine(zk, base, ticketOf, options);
    if (first === undefined) return null;
    const oldest = await oldestOf(zk, base, [first, ...equalsOf(first, rest)], options);
    // All of them have left: ask anew.
    if (oldest !== null) return { ...oldest.entry, holds: true };
  }
}

/**
 * Asks the first in line to let go, by Curator's message in its znode. False when nobody is there, or a znode that is
 * no contender's.
 */
export async function revokeFirst(
  zk: ZooKeeper,
  base: string,
  ticketOf: TicketReader,
  options: CallOptions,
): Promise<boolean> {
  for (;;) {
    const path = await firstOf(zk, base, ticketOf, options);
    if (path === null) return false;
    if (await revokeAt(zk, path, options)) return true;
    // Gone meanwhile: the next one holds.
  }
}

/** Asks the one whose znode that is to let go. False when it is gone. */
export async function revokeAt(zk: ZooKeeper, path: string, options: CallOptions): Promise<boolean> {
  for (let doubt = false; ; ) {
    try {
      if (doubt && (await zk.get(path, options)).data?.toString('latin1') === REVOKE_MESSAGE) return true;
      await zk.set(path, REVOKE_MESSAGE, options);
      return true;
    } catch (error) {
      const { code } = error as ZooKeeperError;
      if (code === 'NO_NODE') return false;
      // A reply that was lost: the znode tells.
      if (code !== 'CONNECTION_LOSS') throw error;
      doubt = true;
    }
  }
}

async function firstOf(
  zk: ZooKeeper,
  base: string,
  ticketOf: TicketReader,
  options: CallOptions,
): Promise<string | null> {
  const [first, ...rest] = await readLine(zk, base, ticketOf, options);
  if (first === undefined || first.number === null) return null;
  const equals = equalsOf(first, rest);
  if (equals.length === 0) return childOf(base, first.name);
  const oldest = await oldestOf(zk, base, [first, ...equals], options);
  return oldest?.entry.path ?? firstOf(zk, base, ticketOf, options);
}

function equalsOf(first: Ticket, rest: readonly Ticket[]): Ticket[] {
  return first.number === null ? [] : rest.filter(({ number }) => number === first.number);
}

async function oldestOf(
  zk: ZooKeeper,
  base: string,
  tickets: readonly Ticket[],
  options: CallOptions,
): Promise<Seen | null> {
  const found = await Promise.all(tickets.map((ticket) => look(zk, base, ticket, options)));
  return found.filter((each) => each !== null).sort((a, b) => (a.czxid < b.czxid ? -1 : 1))[0] ?? null;
}

async function readLine(zk: ZooKeeper, base: string, ticketOf: TicketReader, options: CallOptions): Promise<Ticket[]> {
  try {
    return lineUp((await zk.children(base, options)).children, ticketOf);
  } catch (error) {
    if ((error as ZooKeeperError).code === 'NO_NODE') return [];
    throw error;
  }
}

async function look(zk: ZooKeeper, base: string, { name, number }: Ticket, options: CallOptions): Promise<Seen | null> {
  const path = childOf(base, name);
  try {
    const { data, stat } = await zk.get(path, options);
    const entry = { path, data, sessionId: stat.ephemeralOwner, since: Number(stat.ctime) };
    return { name, number, czxid: stat.czxid, entry };
  } catch (error) {
    if ((error as ZooKeeperError).code === 'NO_NODE') return null;
    throw error;
  }
}
