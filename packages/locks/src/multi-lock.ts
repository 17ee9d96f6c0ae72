import { BadArgumentsError, type CallOptions } from '@zookit/client';
import { onAbort } from '@zookit/client/internal';
import type { Held, Policy, RecipeOptions } from '@zookit/recipe-core';
import { Patience, type PatienceHost, requirePolicy, requireWork, runHeld } from '@zookit/recipe-core/internal';
import { HeldGroup } from './held-group.ts';
import { hostOf } from './lock-host.ts';
import { releaseAll } from './release-all.ts';
import { withSuppressed } from './suppressed.ts';

/** What a MultiLock is made of: a Mutex, the read or write lock of a ReadWriteLock, a Semaphore, or alike. */
export interface Acquirable {
  /** Rejects once the signal aborts, and then holds nothing. */
  acquire(options: { signal: AbortSignal }): Promise<Held>;
  /** Null when it would have to wait for another. */
  tryAcquire?(options: { signal: AbortSignal }): Promise<Held | null>;
}

/** What is held by way of a MultiLock. Its path and `fencingToken` are those of the first lock. */
export interface MultiHeld extends Held {
  /** The fencing tokens, in the order of the locks. Each belongs to its own lock's path. */
  readonly tokens: readonly bigint[];
}

/**
 * Several locks as one: all of them or none. They are acquired in order and released in reverse, so whoever takes some
 * of the same locks in the same order can't wait for each other in a circle.
 *
 * The hold is lost as soon as one of them is, and the others are let go of then. As Curator's InterProcessMultiLock it
 * has no layout of its own.
 */
export class MultiLock {
  readonly locks: readonly Acquirable[];
  readonly #host: PatienceHost;
  readonly #policy: Policy;

  /**
   * With `policy: 'suspended'` the whole hold ends as soon as one of them is suspect, whatever their own policies. `acl`
   * is for the locks to have: a MultiLock makes no znodes. Throws BadArgumentsError.
   */
  constructor(locks: Iterable<Acquirable>, options: RecipeOptions = {}) {
    this.locks = typeof locks?.[Symbol.iterator] === 'function' ? [...locks] : [];
    const isLock = (each: Acquirable | undefined): boolean => typeof each?.acquire === 'function';
    if (this.locks.length === 0 || !this.locks.every(isLock)) {
      const message = 'a MultiLock takes one lock or more, each of which has a method acquire';
      throw new BadArgumentsError('BAD_ARGUMENTS', { operation: 'MultiLock', message });
    }
    this.#policy = requirePolicy(options, this.#path);
    this.#host = hostOf(this.locks);
  }

  /**
   * Waits for one lock after the other. `timeout` (ms) is for all of them together.
   *
   * Rejects with the first thing that goes wrong, be it that a lock is lost while the next is waited for; no further lock
   * is tried then, and those that were had are released. What goes wrong with that is in the error's `suppressed`.
   */
  async acquire(options: CallOptions = {}): Promise<MultiHeld> {
    return (await this.#collect('acquire', options, (lock, signal) => lock.acquire({ signal }))) as MultiHeld;
  }

  /** Takes all locks if they are free; null, and nothing is left behind, when one of them is not. Rejects as `acquire`. */
  async tryAcquire(options: CallOptions = {}): Promise<MultiHeld | null> {
    return this.#collect('tryAcquire', options, (lock, signal) => {
      if (lock.tryAcquire !== undefined) return lock.tryAcquire({ signal });
      const message = 'one of the locks has no method tryAcquire';
      throw new BadArgumentsError('BAD_ARGUMENTS', { operation: 'tryAcquire', message });
    });
  }

  /** As `run` of a Mutex. */
  async run<T>(work: (held: MultiHeld) => T | PromiseLike<T>, options: CallOptions = {}): Promise<T> {
    requireWork(work, 'run', this.#path);
    const held = await this.acquire(options);
    return runHeld(
      held,
      () => work(held),
      (error) => (held as HeldGroup).report(error),
    );
  }

  get #path(): string {
    return this.locks.map(pathOf).join(', ');
  }

  async #collect(
    operation: string,
    options: CallOptions,
    take: (lock: Acquirable, signal: AbortSignal) => Promise<Held | null>,
  ): Promise<MultiHeld | null> {
    const patience = new Patience(this.#host, options, { operation, path: this.#path });
    const stop = new AbortController();
    const offs: (() => void)[] = [];
    const stopWith = (signal: AbortSignal): void => {
      signal.throwIfAborted();
      offs.push(onAbort(signal, () => stop.abort(signal.reason)));
    };
    const holds: Held[] = [];
    try {
      stopWith(patience.signal);
      for (const lock of this.locks) {
        const held = await take(lock, stop.signal);
        if (held === null) break;
        holds.push(held);
        stopWith(held.signal);
        stop.signal.throwIfAborted();
      }
      if (holds.length === this.locks.length) return new HeldGroup(holds, this.#policy);
    } catch (error) {
      throw withSuppressed(error, (await releaseAll(holds)).errors);
    } finally {
      for (const off of offs) off();
      patience.end();
    }
    const [first, ...others] = (await releaseAll(holds)).errors;
    if (first !== undefined) throw withSuppressed(first, others);
    return null;
  }
}

function pathOf(lock: Acquirable): string {
  const { path } = lock as { path?: unknown };
  return typeof path === 'string' ? path : '(a lock)';
}
