import type { AclInput, ZooKeeper } from '@zookit/client';
import { coreOf, type Deferred, deferred, onAbort } from '@zookit/client/internal';
import type { Held } from '@zookit/recipe-core';
import {
  type Contest,
  childOf,
  contend,
  firstInLine,
  LockTeller,
  mutexName,
  mutexTickets,
} from '@zookit/recipe-core/internal';
import { Gate } from './gate.ts';

/** Items that are asked for at once; those that stand in line don't count. */
const AT_ONCE = 250;

/** When an item that the server refused is asked for again, in ms. */
const PAUSE = 1_000;

export interface TenuresHooks {
  /** What is held has changed. */
  onChange(): void;
  /** An item that should be held is not any more. */
  onVacant(): void;
  onError(error: unknown): void;
}

/** One item that we have or wait for. */
interface Tenure {
  readonly cancel: AbortController;
  /** Resolved once it is held, or stands in line for it, or never will. */
  readonly placed: Deferred<void>;
  held: Held | null;
  /** Its holder has been asked to let go. */
  asked: boolean;
}

/** The items of one member: each is a lock, taken when it is assigned to us and let go when it is not any more. */
export class Tenures {
  readonly #zk: ZooKeeper;
  readonly #base: string;
  readonly #placement: Pick<Contest, 'acl' | 'data' | 'policy'>;
  readonly #hooks: TenuresHooks;
  readonly #gate = new Gate(AT_ONCE);
  readonly #tenures = new Map<string, Tenure>();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #acl: { acl?: AclInput };
  #ready: Promise<void> | null = null;
  #changePending = false;
  #offPause: (() => void) | null = null;

  constructor(zk: ZooKeeper, base: string, placement: Pick<Contest, 'acl' | 'data' | 'policy'>, hooks: TenuresHooks) {
    this.#zk = zk;
    this.#base = base;
    this.#placement = placement;
    this.#acl = placement.acl === undefined ? {} : { acl: placement.acl };
    this.#hooks = hooks;
  }

  held(): Map<string, Held> {
    const held = new Map<string, Held>();
    for (const [item, tenure] of this.#tenures) if (tenure.held?.isHeld === true) held.set(item, tenure.held);
    return held;
  }

  /** Resolves when each item is held, or waits for the one who has it. */
  async placed(): Promise<void> {
    await Promise.all([...this.#tenures.values()].map(({ placed }) => placed.promise));
  }

  /** Takes these, and lets all others go. */
  follow(wanted: Iterable<string>): void {
    const left = new Map(this.#tenures);
    for (const item of wanted) {
      const tenure = left.get(item);
      left.delete(item);
      if (tenure !== undefined) tenure.asked = false;
      else if (!this.#tenures.has(item)) this.#track(this.#take(item));
    }
    const polite = [...left].filter(([, { held }]) => (held?.listenerCount('revoke') ?? 0) > 0);
    for (const [item, tenure] of polite) {
      left.delete(item);
      if (!tenure.asked) tenure.held?.emit('revoke');
      tenure.asked = true;
    }
    this.#drop(left);
  }

  /** Lets everything go. Resolves when it is gone; in an outage at once. */
  async end(): Promise<void> {
    this.#drop(new Map(this.#tenures));
    this.#offPause?.();
    await Promise.all(this.#underWay);
  }

  /** The user is told first, then the next in line may have it. */
  #drop(tenures: ReadonlyMap<string, Tenure>): void {
    for (const item of tenures.keys()) this.#tenures.delete(item);
    if ([...tenures.values()].some(({ held }) => held !== null)) this.#hooks.onChange();
    for (const { held, cancel } of tenures.values()) {
      if (held === null) cancel.abort();
      else this.#track(held.release().catch((error: unknown) => this.#hooks.onError(error)));
    }
  }

  async #take(item: string): Promise<void> {
    const tenure: Tenure = { cancel: new AbortController(), placed: deferred(), held: null, asked: false };
    const { signal } = tenure.cancel;
    this.#tenures.set(item, tenure);
    const leave = await this.#gate.enter();
    try {
      // Once for all, rather than by each of them.
      this.#ready ??= this.#zk.ensurePath(this.#base, { container: true, ...this.#acl });
      await this.#ready.catch(() => {});
      const held = signal.aborted ? null : await contend(this.#contest(item, tenure, leave), { signal });
      if (held === null) return;
      if (signal.aborted) {
        await held.release();
        return;
      }
      tenure.held = held;
      onAbort(held.signal, () => this.#onEnd(item, tenure));
      this.#changeSoon();
    } catch (error) {
      if (signal.aborted || coreOf(this.#zk).over.aborted) return;
      this.#tenures.delete(item);
      this.#hooks.onError(error);
      this.#vacantLater();
    } finally {
      leave();
      tenure.placed.resolve();
    }
  }

  #contest(item: string, { placed }: Tenure, leave: () => void): Contest {
    const base = childOf(this.#base, nameOf(item));
    const teller = new LockTeller('partitioner', base);
    teller.emitter.on('queued', () => {
      leave();
      placed.resolve();
    });
    const driver = firstInLine(mutexTickets.curator);
    return { zk: this.#zk, base, nodeName: mutexName.curator, driver, teller, ...this.#placement };
  }

  #onEnd(item: string, tenure: Tenure): void {
    if (this.#tenures.get(item) !== tenure) return;
    this.#tenures.delete(item);
    this.#changeSoon();
    this.#hooks.onVacant();
  }

  #vacantLater(): void {
    this.#offPause ??= coreOf(this.#zk).dispatcher.setTimeout(() => {
      this.#offPause = null;
      this.#hooks.onVacant();
    }, PAUSE);
  }

  /** What comes in one go is told once. */
  #changeSoon(): void {
    if (this.#changePending) return;
    this.#changePending = true;
    queueMicrotask(() => {
      this.#changePending = false;
      this.#hooks.onChange();
    });
  }

  #track(work: Promise<unknown>): void {
    this.#underWay.add(work);
    const done = (): boolean => this.#underWay.delete(work);
    work.then(done, done);
  }
}

/** An item as the name of a znode. Throws URIError on half a surrogate pair. */
export function nameOf(item: string): string {
  return /^\.{1,2}$/.test(item) ? item.replaceAll('.', '%2E') : encodeURIComponent(item);
}
