import { type CallOptions, ClosedError, type ZooKeeper } from '@zookit/client';
import { coreOf, onAbort, SafeEmitter, waitFor } from '@zookit/client/internal';
import type { Held, LeaseLostError } from '@zookit/recipe-core';
import { type Contest, Patience, requireCallOptions } from '@zookit/recipe-core/internal';
import { Candidate } from './candidate.ts';
import { contestOf, type LeaderOptions } from './leader-options.ts';
import { Outbox } from './outbox.ts';
import { type Participant, readLeader, readParticipants } from './participants.ts';

/** Of a LeaderLatch: nothing but what both recipes take. */
export type LeaderLatchOptions = LeaderOptions;

export type LeaderLatchEvents = {
  /** A term begins. */
  leader: (held: Held) => void;
  /** It is over; one for each `leader`, and after it. The message of the reason says why. */
  'not-leader': (reason: LeaseLostError) => void;
  /** A listener threw, or the server refuses what the latch needs: it goes on trying, ever more slowly. */
  error: (error: unknown) => void;
};

/**
 * Stands for leadership from `start()` to `close()`, and leads whenever it is the first in line: for as long as it lives,
 * unless its session is lost, somebody deletes its znode, or the holder steps down by `held.release()`. After each of
 * these it queues again.
 */
export class LeaderLatch extends SafeEmitter<LeaderLatchEvents> {
  /** The znode whose children stand in line. */
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #contest: Omit<Contest, 'standing'>;
  readonly #candidate: Candidate;
  readonly #outbox = new Outbox();
  readonly #waiters = new Set<{ resolve(held: Held): void; reject(reason: unknown): void }>();
  #held: Held | null = null;
  #started: Promise<void> | null = null;
  #begun = false;
  #running: Promise<void> = Promise.resolve();
  #closing: Promise<void> | null = null;
  /** Why there will be no more terms. */
  #over: unknown = null;

  /** Throws PathError or BadArgumentsError. Without an id the znode is empty, as Curator's. */
  constructor(zk: ZooKeeper, path: string, options: LeaderLatchOptions = {}) {
    super();
    this.#contest = contestOf(zk, path, options, { nodeName: 'latch-', recipe: 'LeaderLatch', data: options.id ?? '' });
    this.#candidate = new Candidate(this.#contest);
    this.path = path;
    this.#zk = zk;
  }

  /**
   * Takes a place in line and keeps it. Resolves when it has one; without a connection at once, and it gets one as soon as
   * there is a server. Called again: the same promise, until the latch is closed.
   *
   * Rejects with what the server refuses (NoAuthError), TimeoutError, the signal's reason, or ClosedError; the latch is
   * closed then. BadArgumentsError closes nothing.
   */
  start(options: CallOptions = {}): Promise<void> {
    try {
      requireCallOptions(options, { operation: 'start', path: this.path });
    } catch (error) {
      return Promise.reject(error);
    }
    if (this.#over !== null) return Promise.reject(this.#over);
    this.#started ??= this.#start(options);
    return this.#started;
  }

  /** Whether it leads now. Compares the clock at each read, as `held.isHeld` does. */
  get isLeader(): boolean {
    return this.#held?.isHeld === true;
  }

  /**
   * Resolves with the present term if it leads, else with the next one. The hold's `release()` steps down, and the latch
   * queues again. Rejects with TimeoutError, the signal's reason, or ClosedError.
   */
  async wait(options: CallOptions = {}): Promise<Held> {
    return this.#nextTerm(options, null);
  }

  /**
   * Each term of leadership, the present one first. Terms that are over before they are asked for are left out. Ends when
   * the latch is closed; throws the signal's reason when that aborts, and ClosedError when the client is over. `timeout`
   * (ms) is for each wait for the next term: TimeoutError when there is none by then.
   */
  async *terms({ signal, timeout }: CallOptions = {}): AsyncGenerator<Held, void, undefined> {
    for (let last: Held | null = null; ; ) {
      try {
        last = await this.#nextTerm({ signal, timeout }, last);
      } catch (error) {
        if (this.#closing !== null && error === this.#over) return;
        throw error;
      }
      yield last;
    }
  }

  /** Who stands in line, first in line first: latches of zookit and of Curator. Those that vanish meanwhile are left out. */
  async participants(options: CallOptions = {}): Promise<Participant[]> {
    return readParticipants(this.#zk, this.path, this.#contest.driver.ticketOf, options);
  }

  /** The first in line; null when nobody is there. */
  async leader(options: CallOptions = {}): Promise<Participant | null> {
    return readLeader(this.#zk, this.path, this.#contest.driver.ticketOf, options);
  }

  /**
   * Steps down and leaves the line, for good. Resolves when our znode is gone, and will not come back; in an outage at
   * once, and the deletion goes on in the background.
   */
  async close(options: CallOptions = {}): Promise<void> {
    requireCallOptions(options, { operation: 'close', path: this.path });
    this.#closing ??= this.#close();
    return waitFor(coreOf(this.#zk), this.#closing, options, 'close');
  }

  /** As `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #start(options: CallOptions): Promise<void> {
    let patience: Patience | undefined;
    try {
      patience = new Patience(coreOf(this.#zk), options, { operation: 'start', path: this.path });
      this.#running = this.#run();
      await patience.for(this.#candidate.begun());
      if (this.#over !== null) throw this.#over;
      this.#begun = true;
    } catch (error) {
      this.close().catch((failure: unknown) => this.report(failure));
      throw error;
    } finally {
      patience?.end();
    }
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    for (let failures = 0; this.#candidate.over === null; ) {
      try {
        const held = await this.#candidate.term();
        failures = 0;
        if (this.#candidate.over === null) await this.#lead(held);
        else await held.release();
      } catch (error) {
        if (error === this.#candidate.over) break;
        if (!this.#begun) {
          this.#end(error);
          return;
        }
        this.report(error);
        failures += 1;
        await this.#candidate.pause(failures);
      }
    }
    this.#end(this.#candidate.over);
  }

  /** Resolves at the end of the term. */
  #lead(held: Held): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        this.#held = null;
        this.#outbox.send(() => this.emit('not-leader', held.signal.reason));
        resolve();
      };
      if (held.signal.aborted) {
        resolve();
        return;
      }
      this.#held = held;
      onAbort(held.signal, over);
      this.#outbox.send(() => this.emit('leader', held));
      if (held.signal.aborted) return;
      for (const { resolve: grant } of this.#waiters) grant(held);
    });
  }

  async #nextTerm(options: CallOptions, last: Held | null): Promise<Held> {
    const patience = new Patience(coreOf(this.#zk), options, { operation: 'wait', path: this.path });
    let leave: (() => void) | undefined;
    try {
      if (this.#over !== null) throw this.#over;
      // Notices that it is over, where nobody could be told yet.
      void this.#held?.isHeld;
      if (this.#held !== null && this.#held !== last) return this.#held;
      const next = new Promise<Held>((resolve, reject) => {
        const waiter = { resolve, reject };
        this.#waiters.add(waiter);
        leave = () => this.#waiters.delete(waiter);
      });
      return await patience.for(next);
    } finally {
      leave?.();
      patience.end();
    }
  }

  async #close(): Promise<void> {
    const reason = new ClosedError('CLOSED', { path: this.path, message: 'the latch was closed' });
    const released = this.#held?.release().catch((error: unknown) => this.report(error));
    this.#end(reason);
    const left = this.#candidate.leave(reason, Promise.all([this.#running, released]));
    await left.catch((error: unknown) => this.report(error));
  }

  #end(reason: unknown): void {
    this.#over ??= reason;
    for (const { reject } of this.#waiters) reject(this.#over);
    this.#candidate.end();
  }
}
