import type { Clock } from '@zookit/client';

export interface DownPolicy {
  /** Errors after which an instance is not given out for a while. */
  downAfter: number;
  /** For how long, in ms; errors that are further apart don't add up. */
  downFor: number;
}

interface Errors {
  count: number;
  /** When they are forgotten. */
  until: number;
}

/** Which instances have failed too often, by id. */
export class DownInstances {
  readonly #policy: DownPolicy;
  readonly #clock: Clock;
  readonly #errors = new Map<string, Errors>();

  constructor(policy: DownPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
  }

  /** From the last error that counts: one that is down stays so from then on. */
  note(id: string): void {
    const now = this.#clock.now();
    const errors = this.#present(id, now) ?? { count: 0, until: 0 };
    if (errors.count >= this.#policy.downAfter) return;
    errors.count += 1;
    errors.until = now + this.#policy.downFor;
    this.#errors.set(id, errors);
  }

  isDown(id: string): boolean {
    if (this.#errors.size === 0) return false;
    return (this.#present(id, this.#clock.now())?.count ?? 0) >= this.#policy.downAfter;
  }

  forget(id: string): void {
    this.#errors.delete(id);
  }

  #present(id: string, now: number): Errors | undefined {
    const errors = this.#errors.get(id);
    if (errors === undefined || now < errors.until) return errors;
    this.#errors.delete(id);
    return undefined;
  }
}
