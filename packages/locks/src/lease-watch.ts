import type { ZooKeeper, ZooKeeperError } from '@zookit/client';
import { Bell, childOf, departing, type Patience } from '@zookit/recipe-core/internal';
import type { LeaseLimit } from './lease-limit.ts';

/** Looks at the leases of a semaphore, and hears when they, or their number, change. `end()` it. */
export class LeaseWatch {
  readonly #zk: ZooKeeper;
  readonly #path: string;
  readonly #bell = new Bell();
  readonly #unwatch = new AbortController();
  readonly #offLimit: () => void;

  constructor(zk: ZooKeeper, path: string, limit: LeaseLimit) {
    this.#zk = zk;
    this.#path = path;
    this.#offLimit = limit.onChange(this.ring);
    zk.on('reconnected', this.ring);
  }

  /** Wakes whoever waits for a change. */
  readonly ring = (): void => this.#bell.ring();

  /** The names of the leases, those that somebody asks for included. From here on `changed` tells of everything. */
  async look(patience: Patience): Promise<ReadonlySet<string>> {
    const { signal } = patience;
    const options = { watch: this.ring, watchSignal: this.#unwatch.signal, signal };
    this.#bell.clear();
    for (;;) {
      try {
        return new Set((await this.#zk.children(this.#path, options)).children);
      } catch (error) {
        if ((error as ZooKeeperError).code !== 'NO_NODE') throw error;
      }
      if ((await this.#zk.exists(this.#path, options)) === null) return new Set();
    }
  }

  changed(patience: Patience): Promise<void> {
    return patience.for(this.#bell.heard());
  }

  /** How many of these will be there for a while: without what this client lets go of. */
  staying(names: ReadonlySet<string>): number {
    return [...names].filter((name) => departing(this.#zk, childOf(this.#path, name)) === undefined).length;
  }

  end(): void {
    this.#unwatch.abort();
    this.#offLimit();
    this.#zk.off('reconnected', this.ring);
  }
}
