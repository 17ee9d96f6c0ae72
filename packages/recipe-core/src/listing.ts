import type { ZooKeeper, ZooKeeperError } from '@zookit/client';
import { ClientMap } from './client-map.ts';
import { lineUp, type Ticket, type TicketReader } from './sequence.ts';

/** The children of a znode at one moment, lined up once for all that share it. */
export class Listing {
  readonly names: ReadonlySet<string>;
  #tickets: { by: TicketReader; line: readonly Ticket[] } | null = null;

  constructor(names: readonly string[]) {
    this.names = new Set(names);
  }

  /** The children that count, first in line first. */
  lineUp(by: TicketReader): readonly Ticket[] {
    if (this.#tickets?.by !== by) this.#tickets = { by, line: lineUp(this.names, by) };
    return this.#tickets.line;
  }
}

/** Who wants to know of every list that comes. */
const observers = new ClientMap<Set<(listing: Listing) => void>>();

/** Those that will be asked for at the end of the present turn. */
const ahead = new ClientMap<Promise<Listing>>();

/**
 * The children of a znode as they are after everything that this client has asked for so far. All that want to know in
 * one turn share one request, which leaves behind what they asked for before; a missing znode has no children.
 */
export function list(zk: ZooKeeper, path: string): Promise<Listing> {
  const present = ahead.get(zk, path);
  if (present !== undefined) return present;
  const listing = Promise.resolve().then(() => {
    ahead.delete(zk, path);
    return read(zk, path);
  });
  // Whoever wanted it may have left by the time that it fails.
  listing.catch(() => {});
  ahead.set(zk, path, listing);
  return listing;
}

/** Calls back with each list of that znode's children that this client asks for. Returns how to take that back. */
export function onListing(zk: ZooKeeper, path: string, callback: (listing: Listing) => void): () => void {
  const present = observers.get(zk, path) ?? new Set();
  present.add(callback);
  observers.set(zk, path, present);
  return () => {
    present.delete(callback);
    if (present.size === 0) observers.delete(zk, path);
  };
}

async function read(zk: ZooKeeper, path: string): Promise<Listing> {
  const listing = new Listing(await namesOf(zk, path));
  for (const callback of observers.get(zk, path) ?? []) callback(listing);
  return listing;
}

async function namesOf(zk: ZooKeeper, path: string): Promise<string[]> {
  try {
    return (await zk.children(path)).children;
  } catch (error) {
    if ((error as ZooKeeperError).code === 'NO_NODE') return [];
    throw error;
  }
}
