import { AsyncLocalStorage } from 'node:async_hooks';
import type { ZooKeeper } from '@zookit/client';
import type { Held } from '@zookit/recipe-core';
import { SharedHeld } from '@zookit/recipe-core/internal';

/** What one async context owns; filled in once it is granted. */
export interface Ownership {
  hold: Held | null;
}

/** Knows what the running async context holds, so that it may ask for the same again. */
export class AsyncOwner {
  readonly #zk: ZooKeeper;
  readonly #storage = new AsyncLocalStorage<Ownership>();

  constructor(zk: ZooKeeper) {
    this.#zk = zk;
  }

  /** A share in what this context holds; null when it holds nothing (any more). */
  share(): Held | null {
    const hold = this.#storage.getStore()?.hold;
    return hold?.signal.aborted === false ? new SharedHeld(this.#zk, hold) : null;
  }

  /** From here on, the calling context owns what will be put in. Call it before the first await. */
  enter(): Ownership {
    // Always a new one: contexts that began in one place must not find each other's.
    const ownership: Ownership = { hold: null };
    this.#storage.enterWith(ownership);
    return ownership;
  }

  /** Runs a function, and all that it starts, as the owner of a hold. */
  run<T>(hold: Held, work: () => T): T {
    return this.#storage.run({ hold }, work);
  }
}
