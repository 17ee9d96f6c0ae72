export interface Bounds {
  services: number;
  /** How long the services go on; with `grants`, how long these may take. */
  seconds: number;
  /** After how many grants it is enough; null: time alone counts. */
  grants: number | null;
}

/** Longer than this after its time nothing is waited for. */
const PATIENCE_SECONDS = 30;

/** When the holder is to be killed and when it is enough. Times are seconds since the beginning. */
export class Course {
  readonly #bounds: Bounds;
  readonly #hadIt: Set<string> = new Set();
  #grants = 0;
  #killedAt: number | null = null;
  #takenOver = false;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** The grants without which the run has shown nothing. */
  get leastGrants(): number {
    return this.#bounds.grants ?? 2 * this.#bounds.services;
  }

  get grants(): number {
    return this.#grants;
  }

  granted(service: string, seconds: number): void {
    this.#grants += 1;
    this.#hadIt.add(service);
    if (this.#killedAt !== null && seconds > this.#killedAt) this.#takenOver = true;
  }

  killed(seconds: number): void {
    this.#killedAt = seconds;
  }

  /** After a third of the run, once everybody has had the lock. */
  wantsKill(seconds: number): boolean {
    const { services, seconds: all, grants } = this.#bounds;
    if (this.#killedAt !== null || this.#hadIt.size < services) return false;
    return seconds >= all / 3 || (grants !== null && this.#grants >= grants / 3);
  }

  isOver(seconds: number): boolean {
    const { seconds: all, grants } = this.#bounds;
    if (seconds >= all + PATIENCE_SECONDS) return true;
    if (!this.#takenOver) return false;
    if (grants !== null) return this.#grants >= grants || seconds >= all;
    return seconds >= all && this.#grants >= this.leastGrants;
  }
}
