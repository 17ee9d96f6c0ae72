import type { Acl } from './acl.ts';

/** Catch-up events of setWatches belong to no transaction. */
export const noZxid = -1n;

export interface ServerEvent {
  /** An EventType of the protocol. */
  type: number;
  path: string;
  zxid: bigint;
}

/** A connection, as the watch tables see it. */
export interface Watcher {
  /** @param acl of the node that the event is about; null for catch-up events, which nobody filters */
  notify(event: ServerEvent, acl: readonly Acl[] | null): void;
}
