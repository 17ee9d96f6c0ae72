import { EventType } from '@zookit/protocol';

/** What a one-shot watch tells. */
export interface WatchEvent {
  type: 'created' | 'deleted' | 'changed' | 'children' | 'session-lost' | 'closed';
  /** The watched znode's path as the caller wrote it. */
  path: string;
  /** The zxid of the change, from servers that send it (3.9 and later). */
  zxid?: bigint;
}

export type WatchListener = (event: WatchEvent) => void;

/** What happened to a znode. */
export type Change = 'created' | 'deleted' | 'changed' | 'children';

/** What a persistent watch tells. */
export interface PersistentWatchEvent {
  /** `resync`: changes may have been missed, and the server has the watch again; read again what is watched. */
  type: Change | 'resync';
  /** The path of the znode that changed, in the client's or view's terms; of a `resync`, the watched one. */
  path: string;
  /** The zxid of the change, from servers that send it (3.9 and later). */
  zxid?: bigint;
}

/** The kinds of one-shot watch. `exist` waits for a missing znode; the server keeps it together with `data`. */
export type WatchKind = 'data' | 'exist' | 'child';

export interface Meaning {
  type: Change;
  kinds: readonly WatchKind[];
}

const meanings: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  [EventType.created, { type: 'created', kinds: ['data', 'exist'] }],
  [EventType.deleted, { type: 'deleted', kinds: ['data', 'exist', 'child'] }],
  [EventType.changed, { type: 'changed', kinds: ['data', 'exist'] }],
  [EventType.children, { type: 'children', kinds: ['child'] }],
]);

/** What an event type of the wire says to users, and which one-shot watches it uses up. */
export function meaningOf(type: number): Meaning | undefined {
  return meanings.get(type);
}
