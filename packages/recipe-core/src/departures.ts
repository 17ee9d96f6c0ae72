import type { ZooKeeper, ZooKeeperError } from '@zookit/client';
import { coreOf } from '@zookit/client/internal';
import { ClientMap } from './client-map.ts';
import { ringWatchers } from './predecessor-watch.ts';

/** How the deletion of a znode of ours ended. */
export type Departure = 'deleted' | 'missing';

const underWay = new ClientMap<Promise<Departure>>();

/**
 * Deletes a znode of ours, however often the connection breaks. Resolves when it is gone; rejects when the server
 * refuses.
 *
 * A client that is over deletes nothing any more: its session takes the znode along.
 */
function depart(zk: ZooKeeper, path: string): Promise<Departure> {
  const present = underWay.get(zk, path);
  if (present !== undefined) return present;
  const departure = zk.delete(path, { guaranteed: true }).then(
    (): Departure => 'deleted',
    (error: ZooKeeperError): Departure => {
      if (error.code === 'NO_NODE') return 'missing';
      if (coreOf(zk).over.aborted) return 'deleted';
      throw error;
    },
  );
  underWay.set(zk, path, departure);
  const forget = (): void => underWay.delete(zk, path);
  departure.then(forget, forget);
  // The next in line may ask for the list in the same packet.
  ringWatchers(zk, path);
  return departure;
}

/** What a create that was given up may have made, by the mark in front of its name. */
const givenUp = new ClientMap<Promise<unknown>>();

/** The marks of both layouts: Curator's, and a UUID without dashes. */
const MARKED = /^.*\/(?:_c_[\da-f-]{36}-|[\da-f]{32})/;

/** Makes known that what may be there under a mark is on its way out until then. */
export function departMarked(zk: ZooKeeper, marked: string, gone: Promise<unknown>): void {
  givenUp.set(zk, marked, gone);
  const forget = (): void => givenUp.delete(zk, marked);
  gone.then(forget, forget);
}

/** The deletion of that znode by this client, while it is under way. */
export function departing(zk: ZooKeeper, path: string): Promise<unknown> | undefined {
  return underWay.get(zk, path) ?? givenUp.get(zk, MARKED.exec(path)?.[0] ?? path);
}

/** Deletes a znode of ours in the background; a refusal goes to the client's `error` event. */
export function leaveLater(zk: ZooKeeper, path: string): void {
  depart(zk, path).catch((error: unknown) => coreOf(zk).events.report(error));
}

/**
 * Deletes a znode of ours and waits for it while there is a connection; in an outage it resolves with `later` and goes
 * on.
 */
export function leave(zk: ZooKeeper, path: string): Promise<Departure | 'later'> {
  if (zk.state !== 'connected') {
    leaveLater(zk, path);
    return Promise.resolve('later');
  }
  return new Promise((resolve, reject) => {
    const onState = (): void => {
      zk.off('state', onState);
      resolve('later');
      leaveLater(zk, path);
    };
    zk.on('state', onState);
    depart(zk, path)
      .then(resolve, reject)
      .finally(() => zk.off('state', onState));
  });
}
