import type { Grant } from './grant.ts';

/** A session that is over here and may live on the server, where its ephemerals would block everybody: it is to be ended there. */
export class Burial {
  /** Servers that have been asked in vain. */
  failures = 0;
  readonly #now: () => number;
  #grant: Grant | null = null;
  #until = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The session that is to be ended; null when there is none, or when none can be left. */
  get due(): Grant | null {
    return this.#now() < this.#until ? this.#grant : null;
  }

  /** How long it is still worth the trouble, in ms. */
  get timeLeft(): number {
    return this.#until - this.#now();
  }

  order(grant: Grant, forMs: number): void {
    this.#grant = grant;
    this.#until = this.#now() + forMs;
    this.failures = 0;
  }

  done(): void {
    this.#grant = null;
  }
}
