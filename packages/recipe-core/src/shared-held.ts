import { LeaseLostError, type ZooKeeper } from '@zookit/client';
import { abortController, coreOf, deferred, onAbort } from '@zookit/client/internal';

import type { Guardable, Held } from './held.ts';
import { HeldEmitter } from './held-emitter.ts';

/** A share in a hold: ends with the hold, or earlier by its own release, which leaves the hold as it is. */
export class SharedHeld extends HeldEmitter implements Held {
  readonly #zk: ZooKeeper;
  readonly #hold: Held;
  readonly #controller = abortController();
  readonly #offHold: () => void;
  readonly #forward = {
    suspect: (): unknown => this.emit('suspect'),
    lost: (reason: LeaseLostError): unknown => this.emit('lost', reason),
    revoke: (): unknown => this.emit('revoke'),
  };
  #deadline = 0;
  #release: Promise<'released' | 'lost'> | null = null;

  /** The hold, of that client, must not have ended. */
  constructor(zk: ZooKeeper, hold: Held) {
    super();
    this.#zk = zk;
    this.#hold = hold;
    this.#offHold = onAbort(hold.signal, () => this.#controller.abort(hold.signal.reason));
    hold.on('suspect', this.#forward.suspect);
    hold.on('lost', this.#forward.lost);
  }

  get path(): string {
    return this.#hold.path;
  }

  get fencingToken(): bigint {
    return this.#hold.fencingToken;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get deadline(): number {
    return this.#release === null ? this.#hold.deadline : this.#deadline;
  }

  get isHeld(): boolean {
    return this.#release === null && this.#hold.isHeld;
  }

  release(): Promise<'released' | 'lost'> {
    if (this.#release === null) {
      // Before anything else: a listener of `signal` may well call this again.
      const { promise, resolve } = deferred<'released' | 'lost'>();
      this.#release = promise;
      resolve(this.#letGo());
    }
    return this.#release;
  }

  guard<T extends Guardable>(transaction: T): T {
    return this.#hold.guard(transaction);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  protected override onRevokeWanted(wanted: boolean): void {
    if (this.#release !== null) return;
    if (wanted) this.#hold.on('revoke', this.#forward.revoke);
    else this.#hold.off('revoke', this.#forward.revoke);
  }

  #letGo(): 'released' | 'lost' {
    const held = this.#hold.isHeld;
    this.#deadline = Math.min(this.#hold.deadline, coreOf(this.#zk).settings.environment.clock.now());
    this.#offHold();
    this.#hold.off('suspect', this.#forward.suspect);
    this.#hold.off('lost', this.#forward.lost);
    this.#hold.off('revoke', this.#forward.revoke);
    this.#controller.abort(
      new LeaseLostError('LEASE_LOST', { path: this.path, message: 'no longer held: this share of it was released' }),
    );
    return held ? 'released' : 'lost';
  }
}
