import { BadArgumentsError, type CallOptions, type Data, type ZooKeeper } from '@zookit/client';
import { checkPath, coreOf, toBytes } from '@zookit/client/internal';
import type { Held, QueueEntry, RecipeOptions } from '@zookit/recipe-core';
import {
  type Contest,
  contend,
  firstInLine,
  type Layout,
  LockEmitter,
  mutexName,
  mutexTickets,
  readQueue,
  requireCallOptions,
  requirePolicy,
  requireWork,
  revokeFirst,
  runHeld,
  SharedHeld,
  tryContend,
} from '@zookit/recipe-core/internal';
import { AsyncOwner } from './async-owner.ts';
import type { Lock } from './lock.ts';
import { noteClient } from './lock-host.ts';

export interface MutexOptions extends RecipeOptions {
  /** Written into the znode of each contender, for people to read. Default: this end's address as text. */
  data?: Data | undefined;
  /**
   * Let an async context that holds the lock acquire it again, with this same object: it gets a share of its hold.
   * Default false: whoever asks twice waits for itself.
   */
  reentrant?: boolean | undefined;
  /**
   * Whom to share the lock with: `curator` (default; Apache Curator's InterProcessMutex, and other zookit clients) or
   * `kazoo` (Python's kazoo, and zookit clients with this same layout). One path needs one layout.
   */
  layout?: Layout | undefined;
}

/**
 * A lock on a path, for processes on any number of machines: first come, first served, and a release wakes only the
 * next in line.
 *
 * Each acquire is a contender of its own, also where one object is asked twice at once. Objects are cheap and own
 * nothing; what is held ends with its own `release()`, or with its session.
 */
export class Mutex extends LockEmitter implements Lock {
  /** The znode whose children stand in line. */
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #contest: Contest;
  readonly #owner: AsyncOwner<'mutex'> | null;

  /** Throws PathError or BadArgumentsError. */
  constructor(zk: ZooKeeper, path: string, options: MutexOptions = {}) {
    super('mutex', path);
    coreOf(zk);
    checkPath(path, 'Mutex');
    const { data, acl, reentrant = false, layout = 'curator' } = options;
    if (!Object.hasOwn(mutexName, layout)) {
      const message = `layout must be 'curator' or 'kazoo', not ${String(layout)}`;
      throw new BadArgumentsError('BAD_ARGUMENTS', { path, message });
    }
    const driver = firstInLine(mutexTickets[layout]);
    const policy = requirePolicy(options, path);
    toBytes(data, 'Mutex', path);
    this.path = path;
    this.#zk = zk;
    noteClient(this, zk);
    const { teller } = this;
    this.#contest = { zk, base: path, nodeName: mutexName[layout], layout, data, acl, driver, policy, teller };
    this.#owner = reentrant ? new AsyncOwner() : null;
  }

  /**
   * Waits for the lock. `timeout` (ms) is for all of it, lost sessions and outages included.
   *
   * Rejects with TimeoutError, the signal's reason, ClosedError, or NoAuthError where the server refuses; we don't
   * stand in line then any more, or leave it as soon as there is a connection.
   */
  async acquire(options: CallOptions = {}): Promise<Held> {
    const share = this.#share('acquire', options);
    if (share !== null) return share;
    const ownership = this.#owner?.enter('mutex');
    const held = await contend(this.#contest, options);
    if (ownership !== undefined) ownership.hold = held;
    return held;
  }

  /**
   * Takes the lock if it is free; null, and nothing is left behind, when another holds it or waits for it. Rejects as
   * `acquire`: a `timeout` is for the server's answers.
   */
  async tryAcquire(options: CallOptions = {}): Promise<Held | null> {
    const share = this.#share('tryAcquire', options);
    if (share !== null) return share;
    const ownership = this.#owner?.enter('mutex');
    const held = await tryContend(this.#contest, options);
    if (ownership !== undefined) ownership.hold = held;
    return held;
  }

  /**
   * Waits for the lock as `acquire` does, runs the function, and releases. `signal` and `timeout` are for the wait
   * only; the function gets the hold, and has to stop when `held.signal` aborts.
   *
   * Resolves with what the function returns. Rejects with its error when it fails, and with LeaseLostError when the
   * lock was lost before it was done, even if it succeeded: another may have worked at the same time.
   */
  async run<T>(work: (held: Held) => T | PromiseLike<T>, options: CallOptions = {}): Promise<T> {
    requireWork(work, 'run', this.path);
    const report = (error: unknown): void => coreOf(this.#zk).events.report(error);
    const share = this.#share('run', options);
    if (share !== null) return runHeld(share, work, report);
    const held = await contend(this.#contest, options);
    const run = (): Promise<T> => runHeld(held, work, report);
    return this.#owner === null ? run() : this.#owner.run('mutex', held, run);
  }

  /**
   * Who holds the lock and who waits for it, in order. All children that count are there, also those of other clients;
   * see `layout`.
   */
  async queue(options: CallOptions = {}): Promise<QueueEntry[]> {
    return readQueue(this.#zk, this.path, this.#contest.driver.ticketOf, options);
  }

  /**
   * Asks the present holder to let go: its Held emits `revoke`, or its listener is called if it is Curator's. Nothing
   * is forced. False when nobody holds the lock.
   */
  async revoke(options: CallOptions = {}): Promise<boolean> {
    return revokeFirst(this.#zk, this.path, this.#contest.driver.ticketOf, options);
  }

  #share(operation: string, options: CallOptions): Held | null {
    const hold = this.#owner?.latest('mutex') ?? null;
    if (hold === null) return null;
    requireCallOptions(options, { operation, path: this.path });
    options.signal?.throwIfAborted();
    return new SharedHeld(this.#zk, hold);
  }
}
