import { BadArgumentsError } from '@zookit/client';

/** A number of leases that may change, and says so: a SharedCount, for one. */
export interface LeaseCount {
  readonly value: number;
  on(event: 'change', listener: () => void): unknown;
  off?(event: 'change', listener: () => void): unknown;
}

/** How many leases there are, and word of a change while somebody waits. */
export class LeaseLimit {
  readonly #path: string;
  readonly #source: LeaseCount | null;
  readonly #fixed: number;
  readonly #waiting = new Set<() => void>();
  readonly #onChange = (): void => {
    for (const ring of this.#waiting) ring();
  };
  #listens = false;

  /** Throws BadArgumentsError. */
  constructor(leases: number | LeaseCount, path: string) {
    const isFixed = typeof leases === 'number';
    const isGood = isFixed ? Number.isSafeInteger(leases) && leases > 0 : typeof leases?.on === 'function';
    if (!isGood) {
      const message = `leases must be a whole number above 0, or something with a value and on('change', …), not ${String(leases)}`;
      throw new BadArgumentsError('BAD_ARGUMENTS', { operation: 'Semaphore', path, message });
    }
    this.#path = path;
    this.#source = isFixed ? null : leases;
    this.#fixed = isFixed ? leases : 0;
  }

  get value(): number {
    return this.#source === null ? this.#fixed : this.#source.value;
  }

  /** Throws BadArgumentsError where so many can't be had. */
  check(count: number, operation: string): void {
    const bad = (message: string): BadArgumentsError =>
      new BadArgumentsError('BAD_ARGUMENTS', { operation, path: this.#path, message });
    if (!(Number.isSafeInteger(count) && count > 0)) {
      throw bad(`count must be a whole number above 0, not ${String(count)}`);
    }
    if (!(count <= this.value)) throw bad(`count is ${count}, and there are no more leases than ${this.value}`);
  }

  /** Calls back at each change. Returns what takes that back. */
  onChange(ring: () => void): () => void {
    this.#waiting.add(ring);
    if (this.#source !== null && !this.#listens) {
      this.#listens = true;
      this.#source.on('change', this.#onChange);
    }
    return () => {
      this.#waiting.delete(ring);
      if (this.#waiting.size > 0 || this.#source?.off === undefined) return;
      this.#listens = false;
      this.#source.off('change', this.#onChange);
    };
  }
}
