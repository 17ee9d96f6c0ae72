import type { ZooKeeper, ZooKeeperError } from '@zookit/client';

/** A watch on the znode before ours: by its data, so that none is left on the server when the znode is missing. */
export class PredecessorWatch {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #onMove: () => void;
  readonly #cancel = new AbortController();
  #isSet = false;

  constructor(zk: ZooKeeper, path: string, onMove: () => void) {
    this.#zk = zk;
    this.path = path;
    this.#onMove = onMove;
  }

  /** Whether it still waits for a change. */
  get isSet(): boolean {
    return this.#isSet;
  }

  /** False, and no watch, when the znode is gone. Rejects with NoAuthError where it can't be read. */
  async set(signal: AbortSignal): Promise<boolean> {
    this.#isSet = true;
    const watch = (): void => {
      this.#isSet = false;
      this.#onMove();
    };
    try {
      await this.#zk.get(this.path, { watch, watchSignal: this.#cancel.signal, signal });
      return true;
    } catch (error) {
      this.#isSet = false;
      if ((error as ZooKeeperError).code === 'NO_NODE') return false;
      throw error;
    }
  }

  cancel(): void {
    this.#isSet = false;
    this.#cancel.abort();
  }
}
