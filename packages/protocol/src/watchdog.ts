import type { Clock, Timer } from './environment.ts';
import { type ZooKeeperError, zooKeeperError } from './errors.ts';

export interface WatchdogOptions {
  clock: Clock;
  unref: boolean;
  /** See `ConnectionOptions`. */
  pingInterval(sessionTimeout: number): number;
  requestTimeout: number | null;
}

export interface WatchdogHooks {
  /** The event loop has come back by the timer; nothing has been done yet. */
  onWake(): void;
  ping(): void;
  /** When the oldest request that waits for its reply was sent. */
  oldestSentAt(): number | undefined;
  /** The server counts as dead. */
  onDead(reason: string, cause?: ZooKeeperError): void;
}

/** Sees that a connection's server gets signs of life, and gives some: one timer, which looks at the clock when it fires. */
export class Watchdog {
  lastSent: number;
  lastReceived: number;
  readonly #clock: Clock;
  readonly #unref: boolean;
  readonly #third: number;
  readonly #pingInterval: number;
  readonly #requestTimeout: number | null;
  readonly #hooks: WatchdogHooks;
  /** When the first request was sent since bytes last arrived; 0 when nothing was. */
  #unansweredSince = 0;
  #timer: Timer | null = null;
  #stopped = false;

  constructor(options: WatchdogOptions, sessionTimeout: number, sentAt: number, hooks: WatchdogHooks) {
    this.#clock = options.clock;
    this.#unref = options.unref;
    this.#third = sessionTimeout / 3;
    this.#pingInterval = options.pingInterval(sessionTimeout);
    this.#requestTimeout = options.requestTimeout;
    this.#hooks = hooks;
    this.lastSent = sentAt;
    this.lastReceived = options.clock.now();
  }

  sent(now: number): void {
    this.lastSent = now;
    if (this.#unansweredSince === 0) this.#unansweredSince = now;
  }

  received(now: number): void {
    this.lastReceived = now;
    this.#unansweredSince = 0;
  }

  start(): void {
    if (this.#stopped) return;
    const now = this.#clock.now();
    if (now >= Math.min(this.#silentAt(), this.#overdueAt())) {
      // The event loop may have been blocked: what waits in the socket is read before the server is called dead.
      this.#clock.afterPendingInput(() => this.#judge());
      return;
    }
    if (now >= this.lastSent + this.#pingInterval) this.#hooks.ping();
    const due = Math.min(this.lastSent + this.#pingInterval, this.#silentAt(), this.#overdueAt());
    this.#timer = this.#clock.setTimeout(() => this.#onTimer(), Math.max(1, due - this.#clock.now()));
    if (this.#unref) this.#timer.unref?.();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  #onTimer(): void {
    this.#timer = null;
    this.#hooks.onWake();
    this.start();
  }

  #judge(): void {
    if (this.#stopped) return;
    const now = this.#clock.now();
    if (now >= this.#silentAt()) this.#hooks.onDead(`no sign of life for ${Math.round(now - this.lastReceived)} ms`);
    else if (now >= this.#overdueAt()) {
      const message = `a request was not answered within requestTimeout (${this.#requestTimeout} ms)`;
      this.#hooks.onDead(message, zooKeeperError('REQUEST_TIMEOUT', { message }));
    } else this.start();
  }

  /** When the oldest request will have waited too long. */
  #overdueAt(): number {
    if (this.#requestTimeout === null) return Number.POSITIVE_INFINITY;
    // With nothing on the wire: look again when something could be overdue.
    return (this.#hooks.oldestSentAt() ?? this.#clock.now()) + this.#requestTimeout;
  }

  /** When the server counts as dead: two thirds of the timeout without a byte, and a question unanswered for one third. */
  #silentAt(): number {
    if (this.#unansweredSince === 0) return Number.POSITIVE_INFINITY;
    return Math.max(this.lastReceived + 2 * this.#third, this.#unansweredSince + this.#third);
  }
}
