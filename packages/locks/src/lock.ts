import type { CallOptions } from '@zookit/client';
import type { Held, LockEvents, QueueEntry } from '@zookit/recipe-core';

/** What can be held by one at a time, or by some. */
export interface Lock {
  /** The znode whose children stand in line. */
  readonly path: string;
  /**
   * Waits for the lock. `timeout` (ms) is for all of it, lost sessions and outages included.
   *
   * Rejects with TimeoutError, the signal's reason, ClosedError, or NoAuthError where the server refuses; we don't
   * stand in line then any more, or leave it as soon as there is a connection.
   */
  acquire(options?: CallOptions): Promise<Held>;
  /**
   * Takes the lock if it is free; null, and nothing is left behind, when it would have to wait for another. Rejects as
   * `acquire`: a `timeout` is for the server's answers.
   */
  tryAcquire(options?: CallOptions): Promise<Held | null>;
  /**
   * Waits for the lock as `acquire` does, runs the function, and releases. `signal` and `timeout` are for the wait
   * only; the function gets the hold, and has to stop when `held.signal` aborts.
   *
   * Resolves with what the function returns. Rejects with its error when it fails, and with LeaseLostError when the
   * lock was lost before it was done, even if it succeeded: another may have worked at the same time.
   */
  run<T>(work: (held: Held) => T | PromiseLike<T>, options?: CallOptions): Promise<T>;
  /** Who holds the lock and who waits for it, in order; also those of other clients. */
  queue(options?: CallOptions): Promise<QueueEntry[]>;
  /**
   * Asks whoever holds the lock to let go: their Held emits `revoke`, or their listener is called if it is Curator's.
   * Nothing is forced. False when nobody holds it.
   */
  revoke(options?: CallOptions): Promise<boolean>;
  /** What happens to the contenders of this object, see LockEvents. */
  on<Name extends keyof LockEvents>(event: Name, listener: LockEvents[Name]): this;
  once<Name extends keyof LockEvents>(event: Name, listener: LockEvents[Name]): this;
  off<Name extends keyof LockEvents>(event: Name, listener: LockEvents[Name]): this;
  /** As `on`: Node's `events.once` and `events.on` want this name, and the next two. */
  addListener<Name extends keyof LockEvents>(event: Name, listener: LockEvents[Name]): this;
  /** As `off`. */
  removeListener<Name extends keyof LockEvents>(event: Name, listener: LockEvents[Name]): this;
  listenerCount(event: keyof LockEvents): number;
}
