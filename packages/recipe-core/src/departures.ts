import type { ZooKeeper, ZooKeeperError } from '@zookit/client';
import { type Core, coreOf } from '@zookit/client/internal';

/** How the deletion of a znode of ours ended. */
export type Departure = 'deleted' | 'missing';

const underWay = new WeakMap<Core, Map<string, Promise<Departure>>>();

/**
 * Deletes a znode of ours, however often the connection breaks. Resolves when it is gone; rejects when the server
 * refuses.
 *
 * A client that is over deletes nothing any more: its session takes the znode along.
 */
function depart(zk: ZooKeeper, path: string): Promise<Departure> {
  const core = coreOf(zk);
  const paths = departuresOf(core);
  const key = serverPath(zk, path);
  const present = paths.get(key);
  if (present !== undefined) return present;
  const departure = zk.delete(path, { guaranteed: true }).then(
    (): Departure => 'deleted',
    (error: ZooKeeperError): Departure => {
      if (error.code === 'NO_NODE') return 'missing';
      if (core.over.aborted) return 'deleted';
      throw error;
    },
  );
  paths.set(key, departure);
  const forget = (): void => {
    paths.delete(key);
  };
  departure.then(forget, forget);
  return departure;
}

/** The deletion of that znode by this client, while it is under way. */
export function departing(zk: ZooKeeper, path: string): Promise<unknown> | undefined {
  return underWay.get(coreOf(zk))?.get(serverPath(zk, path));
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

function departuresOf(core: Core): Map<string, Promise<Departure>> {
  let paths = underWay.get(core);
  if (paths === undefined) {
    paths = new Map();
    underWay.set(core, paths);
  }
  return paths;
}

/** Views of one client share its departures. */
function serverPath(zk: ZooKeeper, path: string): string {
  return zk.chroot === '/' ? path : zk.chroot + path;
}
