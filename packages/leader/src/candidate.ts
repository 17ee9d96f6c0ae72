import type { ZooKeeper } from '@zookit/client';
import { type Core, coreOf, deferred, onAbort } from '@zookit/client/internal';
import type { Held } from '@zookit/recipe-core';
import { type Contest, contend, leave, type Standing } from '@zookit/recipe-core/internal';

/** Between tries that the server refuses, or terms that fail, in ms; doubled each time. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 10_000;

/** Stands for one term after the other. */
export class Candidate {
  readonly #zk: ZooKeeper;
  readonly #core: Core;
  readonly #contest: Contest;
  readonly #stop = new AbortController();
  #abandon = new AbortController();
  readonly #standing: Standing;
  #inLine = deferred<void>();

  constructor(contest: Omit<Contest, 'standing'>) {
    this.#zk = contest.zk;
    this.#core = coreOf(contest.zk);
    this.#standing = { stop: this.#stop.signal, place: null, onPlaced: () => this.#inLine.resolve() };
    this.#contest = { ...contest, standing: this.#standing };
  }

  /** Resolves as soon as it stands in line for the term that was asked for last, or there is no connection, or at `end()`. */
  begun(): Promise<void> {
    if (this.#zk.state !== 'connected') return Promise.resolve();
    const onState = (): void => this.#inLine.resolve();
    this.#zk.on('state', onState);
    return this.#inLine.promise.finally(() => this.#zk.off('state', onState));
  }

  /** Waits for the next term. Rejects with what the server refuses, or once it has left the line, with the reason for that. */
  term(): Promise<Held> {
    this.#inLine = deferred();
    this.#abandon = new AbortController();
    return contend(this.#contest, { signal: this.#abandon.signal });
  }

  /** Gives the term up that was asked for last, unless it was granted: `term` rejects with the reason. It may stand again. */
  abandon(reason: unknown): void {
    this.#abandon.abort(reason);
  }

  /** Whether the term that was asked for last was given up. */
  get hasAbandoned(): boolean {
    return this.#abandon.signal.aborted;
  }

  /** Why there will be no more terms; null while there may be. */
  get over(): unknown {
    if (this.#stop.signal.aborted) return this.#stop.signal.reason;
    return this.#core.over.aborted ? this.#core.over.reason : null;
  }

  /**
   * Leaves the line: while there is a connection, `term` goes on to the end of what is under way; without one it rejects
   * at once, and what may have been made is deleted in the background. Resolves with `done`, which must not reject.
   */
  async leave(reason: unknown, done: Promise<unknown>): Promise<void> {
    this.#stop.abort(reason);
    this.#inLine.resolve();
    const onState = (): void => {
      if (this.#zk.state !== 'connected') this.#abandon.abort(reason);
    };
    this.#zk.on('state', onState);
    onState();
    await done;
    this.#zk.off('state', onState);
    await this.forfeit();
  }

  /** Leaves the place that a lost term has left us. */
  async forfeit(): Promise<void> {
    const { place } = this.#standing;
    this.#standing.place = null;
    if (place !== null) await leave(this.#zk, place.path);
  }

  /** It does not stand in line, and `begun` need not be waited for. */
  end(): void {
    this.#inLine.resolve();
  }

  /** Resolves after a while, longer with each failure in a row, or when it leaves the line. */
  pause(failures: number): Promise<void> {
    const { promise, resolve } = deferred<void>();
    const ms = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1));
    const offs = [
      this.#core.dispatcher.setTimeout(resolve, ms),
      onAbort(this.#stop.signal, resolve),
      onAbort(this.#core.over, resolve),
    ];
    return promise.finally(() => {
      for (const off of offs) off();
    });
  }
}
