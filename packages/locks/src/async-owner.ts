import { AsyncLocalStorage } from 'node:async_hooks';
import type { Held } from '@zookit/recipe-core';

/** What one async context has asked for; the hold is filled in once it is granted. */
export interface Ownership<Kind extends string> {
  readonly kind: Kind;
  hold: Held | null;
}

/** Knows what the running async context holds by way of one lock object. */
export class AsyncOwner<Kind extends string> {
  readonly #storage = new AsyncLocalStorage<readonly Ownership<Kind>[]>();

  /** The latest that this context holds, of that kind; null when it holds none (any more). */
  latest(kind: Kind): Held | null {
    return this.#present().findLast((each) => each.kind === kind)?.hold ?? null;
  }

  /** From here on, the calling context owns what will be put in. Call it before the first await. */
  enter(kind: Kind): Ownership<Kind> {
    // What others asked for is not there as long as it isn't granted, and so contexts that began in one place don't find each other's.
    const ownership: Ownership<Kind> = { kind, hold: null };
    this.#storage.enterWith([...this.#present(), ownership]);
    return ownership;
  }

  /** Runs a function, and all that it starts, as the owner of a hold. */
  run<T>(kind: Kind, hold: Held, work: () => T): T {
    return this.#storage.run([...this.#present(), { kind, hold }], work);
  }

  #present(): readonly Ownership<Kind>[] {
    return (this.#storage.getStore() ?? []).filter(({ hold }) => hold?.signal.aborted === false);
  }
}
