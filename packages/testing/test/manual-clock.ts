import type { ServerClock, ServerTimer } from '../src/index.ts';

interface Planned extends ServerTimer {
  at: number;
  callback: () => void;
}

/** Time that stands still until somebody moves it. */
export class ManualClock implements ServerClock {
  #now: number;
  #planned: Planned[] = [];

  constructor(now = 0) {
    this.#now = now;
  }

  get pending(): number {
    return this.#planned.length;
  }

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, ms: number): ServerTimer {
    const planned = { at: this.#now + ms, callback };
    this.#planned.push(planned);
    return planned;
  }

  clearTimeout(timer: ServerTimer): void {
    this.#planned = this.#planned.filter((planned) => planned !== timer);
  }

  /** Runs what is due on the way, in order. */
  advanceTo(time: number): void {
    for (;;) {
      const [next] = this.#planned.filter(({ at }) => at <= time).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.clearTimeout(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = time;
  }
}
