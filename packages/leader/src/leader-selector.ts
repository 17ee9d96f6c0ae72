import { AsyncLocalStorage } from 'node:async_hooks';
import { BadArgumentsError, type CallOptions, ClosedError, TimeoutError, type ZooKeeper } from '@zookit/client';
import { type Core, coreOf, onAbort, SafeEmitter, waitFor } from '@zookit/client/internal';
import type { Held } from '@zookit/recipe-core';
import { type Contest, Patience, requireCallOptions } from '@zookit/recipe-core/internal';
import { Candidate } from './candidate.ts';
import { contestOf, type LeaderOptions } from './leader-options.ts';
import { Outbox } from './outbox.ts';
import { type Participant, readLeader, readParticipants } from './participants.ts';

export interface LeaderSelectorOptions extends LeaderOptions {
  /** Stand for the next term when one is over, however it ended. Default false: until `start()` is called again. */
  requeue?: boolean | undefined;
}

/**
 * - `idle`: not in line. Not started yet, or the term is over and there is no `requeue`.
 * - `queued`: in line, or about to be: without a connection, as soon as there is one.
 * - `leading`: the function runs, and the term lasts.
 * - `stopping`: the term is over, and the function has not returned yet.
 * - `failed`: the function, or what the server refused, ended the term or the wait for it; see `failure`. With `requeue` it
 *   is queued again after a pause, which grows from 0.1 to 10 s with each failure in a row.
 * - `closed`: for good.
 */
export type LeaderSelectorState = 'idle' | 'queued' | 'leading' | 'stopping' | 'failed' | 'closed';

export type LeaderSelectorEvents = {
  state: (state: LeaderSelectorState, previous: LeaderSelectorState) => void;
  /** The function failed, a listener threw, or the server refuses what the selector needs. */
  error: (error: unknown) => void;
};

/** What a leader does: it has to end when `held.signal` aborts. Its own end is the end of the term. */
export type LeaderFunction = (held: Held) => unknown;

/**
 * Stands for leadership, runs a function when it is granted, and steps down when the function is done: a term is the
 * run of the function. Everybody in line gets a turn.
 */
export class LeaderSelector extends SafeEmitter<LeaderSelectorEvents> {
  /** The znode whose children stand in line. */
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #core: Core;
  readonly #contest: Omit<Contest, 'standing'>;
  readonly #work: LeaderFunction;
  readonly #requeue: boolean;
  readonly #candidate: Candidate;
  readonly #outbox = new Outbox();
  /** Knows who calls from within the function. */
  readonly #inside = new AsyncLocalStorage<boolean>();
  #state: LeaderSelectorState = 'idle';
  #failure: unknown = null;
  #held: Held | null = null;
  #isRunning = false;
  #running: Promise<void> = Promise.resolve();
  #closing: Promise<void> | null = null;

  /** Throws PathError or BadArgumentsError. Without an id the znode says this end's address, as Curator's. */
  constructor(zk: ZooKeeper, path: string, options: LeaderSelectorOptions | undefined, work: LeaderFunction) {
    super();
    const { id, requeue = false } = options ?? {};
    const data = id === '' ? undefined : id;
    this.#contest = contestOf(zk, path, options ?? {}, { nodeName: 'lock-', recipe: 'LeaderSelector', data });
    if (typeof work !== 'function') {
      const message = `the last argument must be the function that leads, not ${String(work)}`;
      throw new BadArgumentsError('BAD_ARGUMENTS', { path, message });
    }
    this.#candidate = new Candidate(this.#contest);
    this.path = path;
    this.#zk = zk;
    this.#core = coreOf(zk);
    this.#work = work;
    this.#requeue = requeue;
  }

  get state(): LeaderSelectorState {
    return this.#state;
  }

  /** What the last failure was; null when the last term ended well, and before the first. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Whether it leads now. Compares the clock at each read, as `held.isHeld` does. */
  get isLeader(): boolean {
    return this.#held?.isHeld === true;
  }

  /**
   * Queues for a term, unless it is queued already or has one. Resolves when it stands in line, without a connection at
   * once; never rejects because that failed: see `state` and the `error` event.
   *
   * Rejects with TimeoutError or the signal's reason when it does not stand in line by then; it is idle again, and may be
   * started anew, unless an earlier call had queued it. Rejects with ClosedError once the selector, or its client, is
   * closed.
   */
  async start(options: CallOptions = {}): Promise<void> {
    requireCallOptions(options, { operation: 'start', path: this.path });
    if (this.#candidate.over !== null) throw this.#candidate.over;
    const patience = new Patience(this.#core, options, { operation: 'start', path: this.path });
    const begins = !this.#isRunning;
    try {
      if (begins) {
        this.#isRunning = true;
        this.#set('queued');
        this.#running = this.#run();
      }
      await patience.for(this.#candidate.begun());
    } catch (error) {
      if (begins) await this.#giveUp(error);
      throw error;
    } finally {
      patience.end();
    }
  }

  /** Who stands in line, first in line first: selectors of zookit and of Curator. Those that vanish meanwhile are left out. */
  async participants(options: CallOptions = {}): Promise<Participant[]> {
    return readParticipants(this.#zk, this.path, this.#contest.driver.ticketOf, options);
  }

  /** The first in line; null when nobody is there. */
  async leader(options: CallOptions = {}): Promise<Participant | null> {
    return readLeader(this.#zk, this.path, this.#contest.driver.ticketOf, options);
  }

  /**
   * Leaves the line, for good. A function that runs has its `held.signal` aborted at once, our znode is deleted, and the
   * function is waited for: with `timeout` until then (TimeoutError), by default for as long as the session timeout,
   * after which the `error` event tells that it still runs. In an outage the deletion goes on in the background. Called
   * by the function itself, it doesn't wait for that.
   */
  async close(options: CallOptions = {}): Promise<void> {
    requireCallOptions(options, { operation: 'close', path: this.path });
    this.#closing ??= this.#close();
    const isInside = this.#inside.getStore() === true;
    return waitFor(this.#core, isInside ? this.#closing : this.#ended(this.#closing), options, 'close');
  }

  /** As `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    for (let failures = 0; this.#candidate.over === null; ) {
      const failed = await this.#term();
      failures = failed ? failures + 1 : 0;
      if (!this.#requeue || this.#candidate.hasAbandoned) {
        if (!failed) this.#set('idle');
        break;
      }
      if (failed) await this.#candidate.pause(failures);
      if (this.#candidate.over === null) this.#set('queued');
    }
    this.#isRunning = false;
    if (this.#candidate.over !== null) this.#set('closed');
    this.#candidate.end();
  }

  /** One term, with the wait for it. Resolves with whether it failed. */
  async #term(): Promise<boolean> {
    let held: Held;
    try {
      held = await this.#candidate.term();
    } catch (error) {
      const isWanted = this.#candidate.over === null && !this.#candidate.hasAbandoned;
      return isWanted && this.#fail(error);
    }
    const failure = this.#candidate.over === null ? await this.#lead(held) : null;
    await Promise.all([held.release(), this.#candidate.forfeit()]).catch((error: unknown) => this.report(error));
    this.#held = null;
    if (failure !== null) return this.#fail(failure.error);
    this.#failure = null;
    return false;
  }

  /** Resolves when the function is done, with what it failed of. */
  async #lead(held: Held): Promise<{ error: unknown } | null> {
    if (held.signal.aborted) return null;
    this.#held = held;
    const off = onAbort(held.signal, () => this.#set('stopping'));
    this.#set('leading');
    try {
      await this.#inside.run(true, () => this.#work(held));
      return null;
    } catch (error) {
      return isAbortion(error, held.signal) ? null : { error };
    } finally {
      off();
    }
  }

  /** Ends a wait for the line. What was made of it is deleted in the background. */
  async #giveUp(reason: unknown): Promise<void> {
    if (this.#candidate.over !== null || this.#held !== null) return;
    this.#candidate.abandon(reason);
    await this.#running;
  }

  #fail(error: unknown): true {
    this.#failure = error;
    this.#set('failed');
    this.#candidate.end();
    this.report(error);
    return true;
  }

  #set(state: LeaderSelectorState): void {
    const previous = this.#state;
    if (state === previous || previous === 'closed') return;
    this.#state = state;
    this.#outbox.send(() => this.emit('state', state, previous));
  }

  /** Leaves the line; a function that runs may go on. */
  async #close(): Promise<void> {
    const reason = new ClosedError('CLOSED', { path: this.path, message: 'the selector was closed' });
    const released = this.#held?.release().catch((error: unknown) => this.report(error));
    const left = this.#candidate.leave(reason, released ?? this.#running);
    await left.catch((error: unknown) => this.report(error));
    if (!this.#isRunning) this.#set('closed');
  }

  /** Resolves when the function is done, too, or nobody should wait for it any longer. */
  async #ended(left: Promise<void>): Promise<void> {
    const timeout = this.#core.session.grant?.timeout ?? this.#core.settings.sessionTimeout;
    const running = waitFor(this.#core, this.#running, { timeout }, 'close').catch(() => {
      const message = `the function that leads has not returned ${timeout} ms after its signal was aborted`;
      this.report(new TimeoutError('TIMEOUT', { operation: 'close', path: this.path, message }));
    });
    await Promise.all([left, running]);
  }
}

/** Whether a function was stopped by its signal: with the reason itself, or wrapped as Node does it. */
function isAbortion(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  const { name, cause } = (error ?? {}) as Partial<Error>;
  return error === signal.reason || cause === signal.reason || name === 'AbortError';
}
