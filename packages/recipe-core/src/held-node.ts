import { LeaseLostError, type Stat, type ZooKeeper } from '@zookit/client';
import { abortController, type Core, checkOnServer, coreOf, deferred, persevere } from '@zookit/client/internal';

import { serverPath } from './client-map.ts';
import { leave, leaveLater } from './departures.ts';
import type { Guardable, Held, Policy } from './held.ts';
import { HeldEmitter } from './held-emitter.ts';
import type { Teller } from './lock-events.ts';
import type { Place } from './place.ts';
import { RevocationWatch } from './revocation-watch.ts';
import { onSessionEnd } from './session-end.ts';
import type { Standing } from './standing.ts';

/** What is not the same for all holds. */
export interface HoldTraits {
  readonly teller?: Teller | undefined;
  readonly standing?: Standing | undefined;
  /** Default: the znode's age. */
  readonly fencingToken?: bigint | undefined;
}

/** A hold by way of an ephemeral znode, and so by way of the session that owns it. */
export class HeldNode extends HeldEmitter implements Held {
  readonly path: string;
  readonly fencingToken: bigint;
  readonly #zk: ZooKeeper;
  readonly #core: Core;
  readonly #place: Place;
  readonly #teller: Teller | undefined;
  readonly #standing: Standing | undefined;
  readonly #since: number;
  /** Made when somebody asks for the signal: most holds are short, and nobody does. */
  #controller: AbortController | null = null;
  readonly #offSession: () => void;
  readonly #onSuspect: () => void;
  readonly #onReconnected: () => void;
  #revocation: RevocationWatch | null = null;
  #end: 'released' | 'lost' | null = null;
  #reason: (() => LeaseLostError) | null = null;
  #deadline = 0;
  #release: Promise<'released' | 'lost'> | null = null;

  /** The session of the place must be good at this moment. */
  constructor(zk: ZooKeeper, place: Place, policy: Policy, traits: HoldTraits = {}) {
    super();
    this.#zk = zk;
    this.#core = coreOf(zk);
    this.#place = place;
    this.#teller = traits.teller;
    this.#standing = traits.standing;
    this.#since = this.#now();
    this.path = place.path;
    this.fencingToken = traits.fencingToken ?? place.czxid;
    const { grant } = place;
    this.#offSession = onSessionEnd(grant, () => this.#loseQuietly('its session is over', grant.signal.reason, false));
    this.#onSuspect = () => {
      if (this.#end !== null) return;
      this.emit('suspect');
      this.#teller?.tell('suspect', this.path, {});
      if (policy === 'suspended') this.#lose('it is in doubt, which ends it by policy "suspended"', undefined, true);
    };
    this.#onReconnected = () => {
      if (this.#end === null) this.#verify();
    };
    zk.on('suspended', this.#onSuspect);
    // The machine may have slept.
    zk.on('suspect', this.#onSuspect);
    zk.on('reconnected', this.#onReconnected);
    if (traits.standing !== undefined) this.#watchOwn();
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = abortController();
      if (this.#reason !== null) this.#controller.abort(this.#reason());
    }
    return this.#controller.signal;
  }

  get deadline(): number {
    return this.#end === null ? this.#place.grant.lostAt : this.#deadline;
  }

  get isHeld(): boolean {
    // Notices a sleep of the machine, too.
    this.#core.session.wake();
    if (this.#end === null && this.#isTimeOver()) this.#lose('its time is over', undefined, true);
    const { doubtful, signal } = this.#place.grant;
    return this.#end === null && !doubtful && !signal.aborted;
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
    if (!checkOnServer(transaction, serverPath(this.#zk, this.path))) transaction.check(this.path, -1);
    return transaction;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  protected override onRevokeWanted(wanted: boolean): void {
    if (this.#end !== null || this.#standing !== undefined) return;
    if (wanted) this.#watchOwn();
    else this.#revocation?.stop();
  }

  #watchOwn(): void {
    this.#revocation ??= new RevocationWatch(this.#zk, this.path, {
      onRevoke: () => {
        if (this.#end === null) this.emit('revoke');
      },
      onGone: () => this.#loseGone(),
      onError: (error) => this.report(error),
    });
    this.#revocation.start();
  }

  /** Somebody may have deleted the znode while nothing could be heard. */
  #verify(): void {
    if (this.#standing !== undefined || this.listenerCount('revoke') > 0) this.#revocation?.start();
    const look = (): Promise<Stat | null> => this.#zk.exists(this.path, { signal: this.signal });
    persevere(this.#core, look, this.signal).then(
      (stat) => {
        if (stat === null || stat.czxid !== this.#place.czxid) this.#loseGone();
      },
      () => {
        // It has ended, or the server refuses to tell.
      },
    );
  }

  async #letGo(): Promise<'released' | 'lost'> {
    this.#core.session.wake();
    if (this.#end === null && this.#isTimeOver()) this.#lose('its time is over', undefined, true);
    if (this.#end === 'lost') return 'lost';
    // After a sleep of the machine only the server knows: what it hasn't deleted now may have been gone for long.
    const { doubtful } = this.#place.grant;
    this.#finish('released', () => this.#leaseLost('it was released'));
    this.#teller?.tell('released', this.path, { heldFor: this.#heldFor() });
    const departure = await leave(this.#zk, this.path);
    return departure === 'deleted' || (departure === 'later' && !doubtful) ? 'released' : 'lost';
  }

  #loseGone(): void {
    this.#lose('its znode was deleted, and not by this client', undefined, false);
  }

  #lose(why: string, cause: unknown, nodeRemains: boolean): void {
    this.#loseQuietly(why, cause, nodeRemains)();
  }

  /** The result tells of it. */
  #loseQuietly(why: string, cause: unknown, nodeRemains: boolean): () => void {
    if (this.#end !== null) return () => {};
    const reason = this.#leaseLost(why, cause);
    this.#finish('lost', () => reason);
    // It would keep everybody else out for as long as the session lives.
    if (nodeRemains && this.#standing === undefined) leaveLater(this.#zk, this.path);
    else if (nodeRemains && this.#standing !== undefined) this.#standing.place = this.#place;
    return () => {
      this.emit('lost', reason);
      this.#teller?.tell('lost', this.path, { heldFor: this.#heldFor(), reason });
    };
  }

  #finish(end: 'released' | 'lost', reason: () => LeaseLostError): void {
    this.#deadline = Math.min(this.#now(), this.#place.grant.lostAt);
    this.#end = end;
    this.#reason = reason;
    this.#offSession();
    this.#zk.off('suspended', this.#onSuspect);
    this.#zk.off('suspect', this.#onSuspect);
    this.#zk.off('reconnected', this.#onReconnected);
    this.#revocation?.stop();
    this.#controller?.abort(reason());
  }

  #leaseLost(why: string, cause?: unknown): LeaseLostError {
    return new LeaseLostError('LEASE_LOST', { path: this.path, message: `no longer held: ${why}`, cause });
  }

  #heldFor(): number {
    return this.#deadline - this.#since;
  }

  #isTimeOver(): boolean {
    return this.#now() >= this.#place.grant.lostAt;
  }

  #now(): number {
    return this.#core.settings.environment.clock.now();
  }
}
