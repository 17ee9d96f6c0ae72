import { Alarm, type ServerClock, wallTime } from './clock.ts';
import type { Database } from './database.ts';

/** Deletes containers that were emptied and TTL nodes whose time is over, at regular checks as Apache's server does. */
export class Reaper {
  readonly #database: Database;
  readonly #clock: ServerClock;
  readonly #interval: number;
  readonly #start: number;
  readonly #alarm: Alarm;
  #suspended = false;

  /** @param interval milliseconds between two checks */
  constructor(database: Database, interval: number) {
    this.#database = database;
    this.#clock = database.clock;
    this.#interval = interval;
    this.#start = this.#clock.now();
    this.#alarm = new Alarm(this.#clock, () => this.#check());
  }

  /** Sets the next check, if there is anything that a check could find. */
  arm(): void {
    if (this.#suspended || this.#database.tree.reapable.size === 0) return;
    const checks = Math.floor((this.#clock.now() - this.#start) / this.#interval) + 1;
    this.#alarm.setFor(this.#start + checks * this.#interval);
  }

  suspend(): void {
    this.#suspended = true;
    this.#alarm.clear();
  }

  resume(): void {
    this.#suspended = false;
    this.arm();
  }

  #check(): void {
    const { tree } = this.#database;
    const now = wallTime(this.#clock);
    for (const path of [...tree.reapable]) {
      const node = tree.get(path);
      if (node === undefined || node.children.size > 0) continue;
      // A container that never had a child is one that somebody is about to use.
      const over = node.kind === 'ttl' ? now - node.mtime > node.ttl : node.creates !== 0;
      if (over) this.#database.reap(path);
    }
    this.arm();
  }
}
