/** A timer that the clock handed out; only that clock knows what is in it. */
export type ServerTimer = object;

/** Where the server takes its time from. Replace it to run the server in simulated time. */
export interface ServerClock {
  /** Monotonic milliseconds, as `performance.now()`. */
  now(): number;
  setTimeout(callback: () => void, ms: number): ServerTimer;
  clearTimeout(timer: ServerTimer): void;
  /** Milliseconds since the epoch, for `ctime` and `mtime`; default: a fixed day in 2020 plus `now()`. */
  wallNow?(): number;
  /** Runs the callback once bytes that already wait in the sockets have been read; default: at once. */
  afterPendingInput?(callback: () => void): void;
}

const simulatedEpoch = Date.UTC(2020, 0, 1);

export const systemClock: ServerClock = {
  now: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
  wallNow: () => Date.now(),
  afterPendingInput: (callback) => {
    setImmediate(callback);
  },
};

/** Milliseconds since the epoch, as this clock sees them. */
export function wallTime(clock: ServerClock): number {
  return Math.floor(clock.wallNow?.() ?? simulatedEpoch + clock.now());
}

/** One timer that is either set for a time of the clock or not set. */
export class Alarm {
  readonly #clock: ServerClock;
  readonly #ring: () => void;
  #timer: ServerTimer | null = null;
  #at = Number.POSITIVE_INFINITY;

  constructor(clock: ServerClock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Sets the alarm for the given time unless it is already set for that time; infinity takes it back. */
  setFor(at: number): void {
    if (at === this.#at) return;
    this.clear();
    if (at === Number.POSITIVE_INFINITY) return;
    this.#at = at;
    this.#timer = this.#clock.setTimeout(
      () => {
        this.#timer = null;
        this.#at = Number.POSITIVE_INFINITY;
        this.#ring();
      },
      Math.max(0, Math.ceil(at - this.#clock.now())),
    );
  }

  clear(): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#at = Number.POSITIVE_INFINITY;
  }
}
