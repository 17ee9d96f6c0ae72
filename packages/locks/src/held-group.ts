import { LeaseLostError } from '@zookit/client';
import { abortController, deferred, onAbort } from '@zookit/client/internal';
import type { Guardable, Held, Policy } from '@zookit/recipe-core';
import { HeldEmitter } from '@zookit/recipe-core/internal';
import { endOf, type Releases, releaseAll } from './release-all.ts';

/** Several holds that are one: lost as soon as one of them is, and the others are let go of then. */
export class HeldGroup extends HeldEmitter implements Held {
  /** The fencing tokens of all, in order. */
  readonly tokens: readonly bigint[];
  readonly #members: readonly Held[];
  readonly #policy: Policy;
  readonly #controller = abortController();
  readonly #offs: (() => void)[] = [];
  readonly #onRevoke = (): unknown => this.emit('revoke');
  #toldOfDoubt = false;
  #end: 'released' | 'lost' | null = null;
  #deadline = 0;
  #releases: Promise<Releases> | null = null;
  #release: Promise<'released' | 'lost'> | null = null;

  /** At least one, and none that has ended. */
  constructor(members: readonly Held[], policy: Policy = 'deadline') {
    super();
    this.#policy = policy;
    this.#members = members;
    this.tokens = members.map(({ fencingToken }) => fencingToken);
    const onSuspect = (): void => this.#doubt();
    const onError = (error: unknown): void => this.report(error);
    for (const member of members) {
      member.on('suspect', onSuspect);
      member.on('error', onError);
      this.#offs.push(
        onAbort(member.signal, () => this.#lose(member.signal.reason as LeaseLostError)),
        () => member.off('suspect', onSuspect),
        () => member.off('error', onError),
        () => member.off('revoke', this.#onRevoke),
      );
    }
  }

  get path(): string {
    return this.#first.path;
  }

  get fencingToken(): bigint {
    return this.#first.fencingToken;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get deadline(): number {
    return this.#end === null ? this.#earliest() : this.#deadline;
  }

  get isHeld(): boolean {
    return this.#members.every(({ isHeld }) => isHeld) && this.#end === null;
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
    for (const member of this.#members) member.guard(transaction);
    return transaction;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  protected override onRevokeWanted(wanted: boolean): void {
    if (this.#end !== null) return;
    for (const member of this.#members) {
      if (wanted) member.on('revoke', this.#onRevoke);
      else member.off('revoke', this.#onRevoke);
    }
  }

  get #first(): Held {
    return this.#members[0] as Held;
  }

  #earliest(): number {
    return Math.min(...this.#members.map(({ deadline }) => deadline));
  }

  /** Those of one connection come to be in doubt in one breath, which is told once. */
  #doubt(): void {
    if (this.#toldOfDoubt) return;
    this.#toldOfDoubt = true;
    queueMicrotask(() => {
      this.#toldOfDoubt = false;
    });
    this.emit('suspect');
    if (this.#policy !== 'suspended') return;
    const message = 'no longer held: one of the locks is in doubt, which ends all by policy "suspended"';
    this.#lose(new LeaseLostError('LEASE_LOST', { path: this.path, message }));
  }

  async #letGo(): Promise<'released' | 'lost'> {
    const message = 'no longer held: it was released';
    if (this.#end === null) this.#finish('released', new LeaseLostError('LEASE_LOST', { path: this.path, message }));
    const end = endOf(await (this.#releases as Promise<Releases>));
    return this.#end === 'lost' ? 'lost' : end;
  }

  #lose(reason: LeaseLostError): void {
    if (this.#end !== null) return;
    this.#finish('lost', reason);
    this.emit('lost', reason);
  }

  #finish(end: 'released' | 'lost', reason: LeaseLostError): void {
    this.#end = end;
    for (const off of this.#offs) off();
    this.#releases = releaseAll(this.#members);
    this.#deadline = this.#earliest();
    this.#controller.abort(reason);
  }
}
