import { OpCode, type Request } from '@zookit/protocol';
import { type SetWatches, writeSetWatches } from '@zookit/protocol/internal';
import type { WatchKind } from './event.ts';
import type { WatchRegistry } from './registry.ts';

/** Bytes of paths in one setWatches: far below any server's limit, which would close the connection over and over (ZOOKEEPER-706). */
const BATCH_BYTES = 128 * 1024;

type Batch = Record<WatchKind, string[]>;

/**
 * The requests that set this client's watches on a new connection. For what has changed since `relativeZxid` the server sends
 * the events before its reply.
 */
export function rearmRequests(
  watches: WatchRegistry,
  relativeZxid: bigint,
  onReply: (errno: number) => void,
): Request[] {
  return batches(watches).map(({ data, exist, child }) =>
    setWatches({ relativeZxid, dataWatches: data, existWatches: exist, childWatches: child }, onReply),
  );
}

function batches(watches: WatchRegistry): Batch[] {
  const made: Batch[] = [];
  let batch: Batch | null = null;
  let bytes = 0;
  for (const kind of ['data', 'exist', 'child'] as const) {
    for (const path of watches.paths(kind)) {
      const size = 4 + Buffer.byteLength(path);
      if (batch === null || bytes + size > BATCH_BYTES) {
        batch = { data: [], exist: [], child: [] };
        made.push(batch);
        bytes = 0;
      }
      batch[kind].push(path);
      bytes += size;
    }
  }
  return made;
}

function setWatches(record: SetWatches, onReply: (errno: number) => void): Request {
  return {
    opcode: OpCode.setWatches,
    xid: 0,
    sentAt: 0,
    write: (writer) => writeSetWatches(writer, record),
    onReply,
    // The next connection sets them all again.
    onFailure: () => {},
  };
}
