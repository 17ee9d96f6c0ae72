import type { CallOptions, ZooKeeper } from '@zookit/client';
import { type QueueEntry, readFirst, readQueue, type TicketReader } from '@zookit/recipe-core/internal';

/** One who stands for leadership, as its znode tells. */
export interface Participant {
  readonly id: string;
  /** Whether it is the first in line. */
  readonly isLeader: boolean;
}

/** Everybody in line, first in line first. */
export async function readParticipants(
  zk: ZooKeeper,
  base: string,
  ticketOf: TicketReader,
  options: CallOptions,
): Promise<Participant[]> {
  return (await readQueue(zk, base, ticketOf, options)).map(participantOf);
}

/** The first in line; null when nobody is there. */
export async function readLeader(
  zk: ZooKeeper,
  base: string,
  ticketOf: TicketReader,
  options: CallOptions,
): Promise<Participant | null> {
  const first = await readFirst(zk, base, ticketOf, options);
  return first === null ? null : participantOf(first);
}

function participantOf({ data, holds }: QueueEntry): Participant {
  return { id: data?.toString() ?? '', isLeader: holds };
}
