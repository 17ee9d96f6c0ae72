import type { Clock, Timer } from '../../src/index.ts';

interface Due extends Timer {
  at: number;
  order: number;
  callback: () => void;
}

/** One turn of the event loop: microtasks, ticks and what they queue have run afterwards. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Time that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now = 1_000;
  #order = 0;
  #timers: Due[] = [];
  #afterInput: (() => void)[] = [];

  now = (): number => this.#now;
  wallNow = (): number => this.#now;

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
    this.#afterInput.push(callback);
  };

  /** Timers that have not fired. */
  get timers(): number {
    return this.#timers.length;
  }

  /** What waits until the sockets have been read. */
  get waitingForInput(): number {
    return this.#afterInput.length;
  }

  /** The sockets have been read. */
  async inputRead(): Promise<void> {
    const waiting = this.#afterInput;
    this.#afterInput = [];
    for (const callback of waiting) callback();
    await turn();
  }

  /** Moves time on, and lets every timer on the way fire at its moment. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (let due = this.#next(until); due !== undefined; due = this.#next(until)) {
      this.#now = Math.max(this.#now, due.at);
      this.clearTimeout(due);
      due.callback();
      await turn();
      await this.inputRead();
    }
    this.#now = until;
    await turn();
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
