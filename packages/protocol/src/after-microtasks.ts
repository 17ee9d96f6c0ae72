/**
 * Runs its work when all microtasks that are queued now, and those that they queue, have run, but before any I/O or timer: once for all who
 * asked meanwhile. A tick that is queued from a microtask starts only when the microtask queue is empty.
 */
export class AfterMicrotasks {
  readonly #onMicrotask: () => void;
  #awaited = false;
  /** The tick is queued. Others may run before it, and what they queue as microtasks comes after it. */
  #isNear = false;
  #tooSoon = false;

  constructor(work: () => void) {
    const onTick = (): void => {
      this.#isNear = false;
      if (this.#tooSoon) {
        this.#tooSoon = false;
        queueMicrotask(this.#onMicrotask);
        return;
      }
      this.#awaited = false;
      work();
    };
    this.#onMicrotask = (): void => {
      this.#isNear = true;
      process.nextTick(onTick);
    };
  }

  /** `strictly`: after all microtasks that are queued now. Otherwise, it may be a little sooner when others have asked before. */
  ask(strictly: boolean): void {
    if (this.#awaited) {
      if (strictly && this.#isNear) this.#tooSoon = true;
      return;
    }
    this.#awaited = true;
    queueMicrotask(this.#onMicrotask);
  }
}

/** As `AfterMicrotasks`, for what is done once. */
export function afterMicrotasks(work: () => void): void {
  queueMicrotask(() => process.nextTick(work));
}
