import type { ZooKeeper, ZooKeeperError } from '@zookit/client';
import { ClientMap } from './client-map.ts';

/** A watch on a znode, by its data, so that none is left on the server when the znode is missing. */
interface SharedWatch {
  readonly ringers: Set<() => void>;
  readonly cancel: AbortController;
  readonly set: Promise<boolean>;
}

/** Those that wait for a change; what has fired, or was given up by all, is not among them. */
const watches = new ClientMap<SharedWatch>();

/** One waiter's part in the watch on the znode before it; all of this client's share one. */
export class PredecessorWatch {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #onMove: () => void;
  #watch: SharedWatch | null = null;

  /** `onMove` is called once the znode has changed or goes. */
  constructor(zk: ZooKeeper, path: string, onMove: () => void) {
    this.#zk = zk;
    this.path = path;
    this.#onMove = onMove;
  }

  /** Whether it still waits for a change. */
  get isSet(): boolean {
    return this.#watch !== null && watches.get(this.#zk, this.path) === this.#watch;
  }

  /** False, and no watch, when the znode is gone. Rejects with NoAuthError where it can't be read. */
  set(): Promise<boolean> {
    this.#watch = watches.get(this.#zk, this.path) ?? start(this.#zk, this.path);
    this.#watch.ringers.add(this.#onMove);
    return this.#watch.set;
  }

  cancel(): void {
    const watch = this.#watch;
    this.#watch = null;
    watch?.ringers.delete(this.#onMove);
    // One that has fired is over already.
    if (watch === null || watch.ringers.size > 0 || watches.get(this.#zk, this.path) !== watch) return;
    watches.delete(this.#zk, this.path);
    watch.cancel.abort();
  }
}

/** Wakes those that wait for that znode before the server does: it is on its way out. */
export function ringWatchers(zk: ZooKeeper, path: string): void {
  for (const ring of watches.get(zk, path)?.ringers ?? []) ring();
}

function start(zk: ZooKeeper, path: string): SharedWatch {
  const ringers = new Set<() => void>();
  const cancel = new AbortController();
  const end = (): void => {
    if (watches.get(zk, path) === shared) watches.delete(zk, path);
  };
  const watch = (): void => {
    end();
    for (const ring of ringers) ring();
  };
  const set = zk.get(path, { watch, watchSignal: cancel.signal, signal: cancel.signal }).then(
    () => true,
    (error: ZooKeeperError) => {
      end();
      if (error.code === 'NO_NODE') return false;
      throw error;
    },
  );
  // Whoever wanted it may have left by the time that it fails.
  set.catch(() => {});
  const shared: SharedWatch = { ringers, cancel, set };
  watches.set(zk, path, shared);
  return shared;
}
