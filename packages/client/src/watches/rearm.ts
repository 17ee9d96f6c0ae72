import {
  type Connection,
  ErrorCode,
  errorFromReply,
  OpCode,
  type Request,
  type SocketTarget,
  Xid,
  zooKeeperError,
} from '@zookit/protocol';
import type { SetWatches2 } from '@zookit/protocol/internal';
import type { ClientParts } from '../client-parts.ts';
import { writeWatches } from '../operations/watch-steps.ts';
import { pause } from '../session/attempt.ts';

/** Bytes of paths in one setWatches: far below any server's limit, which would close the connection over and over (ZOOKEEPER-706). */
const BATCH_BYTES = 128 * 1024;
/** Of a setWatches2 without paths: header, zxid, five lists. */
const OVERHEAD = 36;
/** Connections that may end over unanswered setWatches before the server is taken not to stand them. */
const DEATHS: Readonly<Record<number, number>> = { [OpCode.setWatches]: 10, [OpCode.setWatches2]: 5 };
/** How long a server that is overloaded is left alone, in ms. */
const THROTTLE_PAUSE = 200;

type Kind = 'data' | 'exist' | 'child' | 'persistent' | 'recursive';
type Batch = Record<Kind, string[]>;

/**
 * Sets this client's watches on a new connection. Of what has changed since the last reply the server sends the events of one-shot watches before its reply;
 * persistent watches hear of nothing but that they are set again, once everything is. `isNext`: whether all that was sent before has been answered.
 */
export function rearm(client: ClientParts, connection: Connection, isNext: () => boolean): void {
  const { target } = connection;
  const { lore } = client.dispatcher;
  const { plain, recursive } = client.persistent.attach(target);
  if (lore.lacks(target, OpCode.setWatches)) dropOneShots(client, target);
  const relativeZxid = client.session.lastZxid;
  // Before 3.9 a recursive watch takes the place of one of the children that is there already.
  const isRecursive = new Set(recursive);
  const isLate = (path: string): boolean => isRecursive.has(path) && !client.persistent.covers('child', path);
  const children = [...client.watches.paths('child')];
  const all = batches(Math.min(BATCH_BYTES, client.settings.maxRequestBytes - OVERHEAD), [
    ['data', client.watches.paths('data')],
    ['exist', client.watches.paths('exist')],
    ['child', children.filter((path) => !isLate(path))],
    ['persistent', plain],
    ['recursive', recursive],
    ['child', children.filter(isLate)],
  ]);
  let blamed = false;
  const replies = all.map((batch) =>
    setWatches(client, connection, relativeZxid, batch, (opcode) => {
      // The first that got no answer is what the connection ended over.
      if (!blamed && isNext()) lore.unanswered(target, opcode, DEATHS[opcode] as number);
      blamed = true;
    }),
  );
  void Promise.all(replies).then((outcomes) => {
    if (outcomes.includes('gone') || client.session.connection !== connection) return;
    const refused = all.filter((_, index) => outcomes[index] === 'refused');
    for (const batch of refused) {
      for (const kind of ['data', 'exist', 'child'] as const) {
        for (const path of batch[kind]) client.watches.drop(kind, path);
      }
    }
    client.persistent.rearmed(new Set(refused.flatMap((batch) => [...batch.persistent, ...batch.recursive])));
  });
}

/**
 * Sets the one-shot watches of a path again that the server may have lost to a persistent one, as far as no persistent one serves them now.
 * What has changed since the last reply is told.
 */
export async function restoreOneShots(client: ClientParts, path: string): Promise<void> {
  const { connection } = client.session;
  if (connection === null || client.dispatcher.lore.lacks(connection.target, OpCode.setWatches)) return;
  const batch = emptyBatch();
  for (const kind of ['data', 'exist', 'child'] as const) {
    const isCovered = client.persistent.covers(kind === 'child' ? 'child' : 'data', path);
    if (!isCovered && client.watches.has(kind, path)) batch[kind].push(path);
  }
  if (batch.data.length + batch.exist.length + batch.child.length === 0) return;
  await setWatches(client, connection, client.session.lastZxid, batch, () => {});
}

/** A server that ends each connection over them: to go on would be an endless loop. */
function dropOneShots(client: ClientParts, { host, port }: SocketTarget): void {
  if (client.watches.size === 0) return;
  const message = `${host}:${port} ends every connection on which watches are set again; they are given up`;
  client.watches.endAll('session-lost');
  client.events.report(zooKeeperError('UNIMPLEMENTED', { operation: 'setWatches', message }));
}

function emptyBatch(): Batch {
  return { data: [], exist: [], child: [], persistent: [], recursive: [] };
}

function batches(limit: number, parts: readonly (readonly [Kind, Iterable<string>])[]): Batch[] {
  const made: Batch[] = [];
  let batch: Batch | null = null;
  let bytes = 0;
  for (const [kind, paths] of parts) {
    for (const path of paths) {
      const size = 4 + Buffer.byteLength(path);
      // Within one request the persistent ones come last.
      const isLate: boolean = kind === 'child' && batch !== null && batch.recursive.length > 0;
      if (batch === null || bytes + size > limit || isLate) {
        batch = emptyBatch();
        made.push(batch);
        bytes = 0;
      }
      batch[kind].push(path);
      bytes += size;
    }
  }
  return made;
}

type Outcome = 'set' | 'refused' | 'gone';

/** `gone`: the connection is, or the session; there will be another. */
function setWatches(
  client: ClientParts,
  connection: Connection,
  relativeZxid: bigint,
  { data, exist, child, persistent, recursive }: Batch,
  onDeath: (opcode: number) => void,
): Promise<Outcome> {
  const opcode = persistent.length + recursive.length > 0 ? OpCode.setWatches2 : OpCode.setWatches;
  const record: SetWatches2 = {
    relativeZxid,
    dataWatches: data,
    existWatches: exist,
    childWatches: child,
    persistentWatches: persistent,
    persistentRecursiveWatches: recursive,
  };
  return new Promise((resolve) => {
    const send = (): void => {
      if (connection.closed) {
        resolve('gone');
        return;
      }
      const request: Request = {
        opcode,
        xid: 0,
        sentAt: 0,
        write: (writer) => writeWatches(writer, record, opcode),
        onReply: (errno) => {
          if (errno === ErrorCode.THROTTLED_OP) void pause(client.settings, THROTTLE_PAUSE, client.over).then(send);
          else resolve(errno === 0 ? 'set' : onRefused(client, connection.target, opcode, errno));
          if (errno === 0) client.dispatcher.lore.answered(connection.target, opcode);
        },
        onFailure: (_error, wasSent) => {
          if (wasSent) onDeath(opcode);
          resolve('gone');
        },
      };
      try {
        connection.sendSpecial(request, Xid.setWatches);
      } catch (error) {
        // Over maxRequestBytes.
        client.events.report(error);
        resolve('refused');
      }
    };
    send();
  });
}

function onRefused({ dispatcher, events }: ClientParts, server: SocketTarget, opcode: number, errno: number): Outcome {
  const error = errorFromReply(errno, { operation: 'setWatches' });
  if (dispatcher.heed(error)) return 'gone';
  const isUnknown = errno === ErrorCode.UNIMPLEMENTED || errno === ErrorCode.API_ERROR;
  if (isUnknown) {
    dispatcher.lore.denied(server, opcode);
    // They came together, in 3.6.
    if (opcode === OpCode.setWatches2) dispatcher.lore.denied(server, OpCode.addWatch);
  } else events.report(error);
  return 'refused';
}
