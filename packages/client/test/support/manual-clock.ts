import type { Clock, Timer } from '../../src/index.ts';

interface Due extends Timer {
  at: number;
  order: number;
  callback: () => void;
}

/** A few turns of the event loop: a connection is there or has been refused, and a question answered, afterwards. */
export async function turn(): Promise<void> {
  for (let i = 0; i < 4; i += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Time that stands still until a test moves it. */
export class ManualClock implements Clock {
  /** Wall clock less monotonic clock. */
  wallOffset = 1_700_000_000_000;
  #now = 1_000;
  #order = 0;
  #timers: Due[] = [];

  now = (): number => this.#now;
  wallNow = (): number => this.#now + this.wallOffset;

  setTimeout = (callback: () => void, ms: number): Timer => {
    this.#order += 1;
    const timer: Due = { at: this.#now + ms, order: this.#order, callback, ref: () => {}, unref: () => {} };
    this.#timers.push(timer);
    return timer;
  };

  clearTimeout = (timer: Timer): void => {
    this.#timers = this.#timers.filter((each) => each !== timer);
  };

  afterPendingInput = (callback: () => void): void => {
    setImmediate(callback);
  };

  /** Timers that have not fired. */
  get timers(): number {
    return this.#timers.length;
  }

  /** Moves time on, and lets every timer on the way fire at its moment. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await turn();
    for (let due = this.#next(until); due !== undefined; due = this.#next(until)) {
      this.#now = Math.max(this.#now, due.at);
      this.clearTimeout(due);
      due.callback();
      await turn();
    }
    this.#now = until;
    await turn();
  }

  /** Moves time on from timer to timer until the condition holds; false when it did not within `ms`. */
  async advanceUntil(condition: () => boolean, ms: number): Promise<boolean> {
    const until = this.#now + ms;
    await turn();
    while (!condition()) {
      const due = this.#next(until);
      if (due === undefined) return false;
      await this.advance(Math.max(0, due.at - this.#now));
    }
    return true;
  }

  /** Time has gone; nothing has run yet, and whatever runs next finds it so. */
  skip(ms: number): void {
    this.#now += ms;
  }

  /** The event loop was blocked: time has gone, and nothing has run. The timers that are overdue fire now, once. */
  async jump(ms: number): Promise<void> {
    this.#now += ms;
    const overdue = this.#timers.filter(({ at }) => at <= this.#now).sort((a, b) => a.at - b.at || a.order - b.order);
    for (const timer of overdue) {
      if (!this.#timers.includes(timer)) continue;
      this.clearTimeout(timer);
      timer.callback();
    }
    await turn();
  }

  #next(until: number): Due | undefined {
    return this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at || a.order - b.order)[0];
  }
}
