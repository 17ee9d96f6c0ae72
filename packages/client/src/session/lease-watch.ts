import type { Clock, Timer } from '@zookit/protocol';
import type { Grant } from './grant.ts';
import { deadlineOf } from './lease.ts';

export interface LeaseWatchHooks {
  /** When something was last sent on the present connection; null when there is none. */
  newestSentAt(): number | null;
  /** A ping is wanted now. */
  ping(): void;
  /** The lease has run out. */
  over(grant: Grant): void;
  /** The machine seems to have slept: what is held is in doubt until an answer comes. */
  slept(grant: Grant): void;
}

/** Looks after one session's lease: ends it in time, whatever kept the process from running. */
export class LeaseWatch {
  readonly #clock: Clock;
  readonly #unref: boolean;
  readonly #hooks: LeaseWatchHooks;
  #grant: Grant | null = null;
  #timer: Timer | null = null;
  #settling: Timer | null = null;
  #judging = false;
  /** Wall clock less monotonic clock, as last seen. */
  #drift: number;

  constructor(clock: Clock, unref: boolean, hooks: LeaseWatchHooks) {
    this.#clock = clock;
    this.#unref = unref;
    this.#hooks = hooks;
    this.#drift = clock.wallNow() - clock.now();
  }

  /** From now on this session's lease. */
  watch(grant: Grant): void {
    this.stop();
    this.#grant = grant;
    this.#arm(grant);
  }

  stop(): void {
    for (const timer of [this.#timer, this.#settling]) if (timer !== null) this.#clock.clearTimeout(timer);
    this.#timer = null;
    this.#settling = null;
    this.#grant = null;
  }

  /**
   * Called whenever the event loop comes back to zookit, before anything else is done. A lease that ran out meanwhile is over now if no
   * answer that may wait in the socket could have kept it, and is judged right after those have been read otherwise.
   */
  wake(): void {
    const grant = this.#grant;
    if (grant === null) return;
    const now = this.#clock.now();
    this.#noticeSleep(grant, now);
    if (now < grant.lostAt) return;
    const newest = this.#hooks.newestSentAt();
    if (newest === null || now >= deadlineOf(grant.terms, newest) - grant.terms.margin) this.#hooks.over(grant);
    else if (!this.#judging) {
      this.#judging = true;
      this.#clock.afterPendingInput(() => {
        this.#judging = false;
        this.judge();
      });
    }
  }

  /** All that was in the socket has been read: what the clock says now counts. */
  judge(): void {
    const grant = this.#grant;
    if (grant === null) return;
    if (this.#clock.now() >= grant.lostAt) this.#hooks.over(grant);
    else if (grant.settlesAt !== null && this.#settling === null) this.#settle(grant.settlesAt);
  }

  /** After a gap, a ping at the right moment shows that the follower has reported what came since. */
  #settle(at: number): void {
    const wait = Math.max(1, Math.ceil(at - this.#clock.now()));
    this.#settling = this.#clock.setTimeout(() => {
      this.#settling = null;
      this.wake();
      this.#hooks.ping();
    }, wait);
    if (this.#unref) this.#settling.unref?.();
  }

  /** The monotonic clock stands still while a machine sleeps, the wall clock doesn't. */
  #noticeSleep(grant: Grant, now: number): void {
    const drift = this.#clock.wallNow() - now;
    const ahead = drift - this.#drift;
    this.#drift = drift;
    if (ahead > grant.terms.margin) this.#hooks.slept(grant);
  }

  #arm(grant: Grant): void {
    const wait = Math.max(1, grant.lostAt - this.#clock.now());
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = null;
      this.wake();
      if (this.#grant === grant && this.#timer === null) this.#arm(grant);
    }, wait);
    if (this.#unref) this.#timer.unref?.();
  }
}
