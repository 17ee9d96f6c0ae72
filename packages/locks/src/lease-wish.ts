import type { ZooKeeper } from '@zookit/client';
import { type Core, coreOf, onAbort } from '@zookit/client/internal';
import type { Held, Policy } from '@zookit/recipe-core';
import {
  type Contest,
  canHold,
  contend,
  HeldNode,
  inRounds,
  leave,
  leaveLater,
  Patience,
  type Place,
  type Placed,
  type Placement,
  type Teller,
  takePlace,
  untilConnected,
} from '@zookit/recipe-core/internal';
import { HeldGroup } from './held-group.ts';
import type { LeaseLimit } from './lease-limit.ts';
import { LeaseWatch } from './lease-watch.ts';

/** What a semaphore is made of. */
export interface SemaphoreTerms {
  readonly path: string;
  readonly limit: LeaseLimit;
  readonly policy: Policy;
  readonly teller: Teller;
  /** Whoever wants leases holds it until it has them. */
  readonly mutex: Contest;
  readonly leases: Placement;
}

/** Aborts the wait for the mutex of one who doesn't wait for leases. */
const FULL = Symbol('all leases are taken');

/** One wish for leases, all of them or none. */
export class LeaseWish {
  readonly #terms: SemaphoreTerms;
  readonly #operation: string;
  readonly #count: number;
  readonly #patience: Patience;
  readonly #zk: ZooKeeper;
  readonly #core: Core;
  readonly #since: number;
  readonly #mutex: Contest;
  readonly #report = (error: unknown): void => this.#core.events.report(error);
  #isQueued = false;

  constructor(terms: SemaphoreTerms, operation: string, count: number, patience: Patience) {
    this.#terms = terms;
    this.#operation = operation;
    this.#count = count;
    this.#patience = patience;
    this.#zk = terms.leases.zk;
    this.#core = coreOf(this.#zk);
    this.#since = this.#now();
    const { teller } = terms;
    this.#mutex = {
      ...terms.mutex,
      teller: {
        hasListener: (name) => teller.hasListener(name),
        tell: (name, node, detail) => {
          // That it holds the mutex is nothing to tell of.
          if (name !== 'queued' && name !== 'moved') return;
          this.#isQueued = true;
          teller.tell(name, node, detail);
        },
      },
    };
  }

  /**
   * Curator's way: under the mutex lays down the leases, then waits until all that are there are no more than there may
   * be. Null when it doesn't wait for others and would have to. Nothing stays of what was not granted.
   */
  run(waits: boolean): Promise<Held | null> {
    return inRounds(this.#core, this.#patience, () => this.#round(waits));
  }

  async #round(waits: boolean): Promise<Held | null | 'again'> {
    await untilConnected(this.#zk, this.#patience);
    const { signal } = this.#patience;
    const mutex = waits ? await contend(this.#mutex, { signal }) : await this.#mutexUnlessFull();
    if (mutex === null) return null;
    const watch = new LeaseWatch(this.#zk, this.#terms.leases.base, this.#terms.limit);
    const off = onAbort(mutex.signal, watch.ring);
    let outcome: Held | null | 'again';
    try {
      outcome = await this.#underMutex(mutex, watch, waits);
    } catch (error) {
      mutex.release().catch(this.#report);
      throw error;
    } finally {
      off();
      watch.end();
    }
    try {
      await this.#patience.for(mutex.release().catch(this.#report));
    } catch (error) {
      if (outcome !== null && outcome !== 'again') outcome.release().catch(this.#report);
      throw error;
    }
    return outcome;
  }

  /** Null when all leases are taken, which may turn out while others have the mutex. */
  async #mutexUnlessFull(): Promise<Held | null> {
    const { leases, limit, path } = this.#terms;
    this.#patience.signal.throwIfAborted();
    const stop = new AbortController();
    const off = onAbort(this.#patience.signal, () => stop.abort(this.#patience.signal.reason));
    const patience = new Patience(this.#core, { signal: stop.signal }, { operation: this.#operation, path });
    const watch = new LeaseWatch(this.#zk, leases.base, limit);
    const look = async (): Promise<boolean> => watch.staying(await watch.look(patience)) + this.#count > limit.value;
    const watchOn = async (): Promise<void> => {
      do await watch.changed(patience);
      while (!(await look()));
      stop.abort(FULL);
    };
    try {
      if (await look()) return null;
      // It ends with the signal, at the latest.
      watchOn().catch((error: unknown) => stop.abort(error));
      return await contend(this.#mutex, { signal: stop.signal });
    } catch (error) {
      if (error === FULL) return null;
      throw error;
    } finally {
      off();
      stop.abort();
      watch.end();
      patience.end();
    }
  }

  async #underMutex(mutex: Held, watch: LeaseWatch, waits: boolean): Promise<Held | null | 'again'> {
    const wished = Array.from({ length: this.#count }, () => takePlace(this.#terms.leases, this.#patience));
    const settled = await Promise.allSettled(wished);
    const placed = settled.flatMap((each) => (each.status === 'fulfilled' && each.value !== null ? [each.value] : []));
    let outcome: Held | null | 'again' = 'again';
    try {
      for (const each of settled) if (each.status === 'rejected') throw each.reason;
      if (placed.length === this.#count) outcome = await this.#whenFree(mutex, placed, watch, waits);
      return outcome;
    } finally {
      if (outcome === null || outcome === 'again') this.#withdraw(placed);
    }
  }

  async #whenFree(
    mutex: Held,
    placed: readonly Placed[],
    watch: LeaseWatch,
    waits: boolean,
  ): Promise<Held | null | 'again'> {
    const { limit } = this.#terms;
    const places = placed.map(({ place }) => place);
    const hasOurs = (names: ReadonlySet<string>): boolean => places.every(({ name }) => names.has(name));
    // What was listed along with the places will do, unless there is something to wait for.
    const listed = placed.flatMap(({ listing }) => listing?.names ?? []);
    const enough = listed.find((names) => hasOurs(names) && names.size <= limit.value);
    for (let names = enough ?? (await watch.look(this.#patience)); ; names = await watch.look(this.#patience)) {
      if (mutex.signal.aborted || !hasOurs(names)) return 'again';
      limit.check(this.#count, this.#operation);
      if (names.size <= limit.value) {
        if (places.every((place) => canHold(this.#core, place))) return this.#grant(places);
        await untilConnected(this.#zk, this.#patience);
      } else if (waits || watch.staying(names) <= limit.value) {
        this.#tellWaiting(mutex);
        // Has its znode watched: should somebody delete it, the next in line waits for leases, too, and neither gets any.
        if (mutex.listenerCount('revoke') === 0) mutex.on('revoke', () => {});
        await watch.changed(this.#patience);
      } else {
        await this.#patience.for(Promise.all(places.map(({ path }) => leave(this.#zk, path))));
        return null;
      }
    }
  }

  #grant(places: readonly Place[]): Held {
    const { policy, teller } = this.#terms;
    const nodes = places.map((place) => new HeldNode(this.#zk, place, policy, { teller }));
    const held = nodes.length === 1 ? (nodes[0] as Held) : new HeldGroup(nodes);
    const waited = this.#now() - this.#since;
    for (const { path, fencingToken } of nodes) teller.tell('granted', path, { fencingToken, waited });
    return held;
  }

  #withdraw(placed: readonly Placed[]): void {
    for (const { place } of placed) if (!place.grant.signal.aborted) leaveLater(this.#zk, place.path);
  }

  /** It is the first in line. */
  #tellWaiting(mutex: Held): void {
    this.#terms.teller.tell(this.#isQueued ? 'moved' : 'queued', mutex.path, { position: 0 });
    this.#isQueued = true;
  }

  #now(): number {
    return this.#core.settings.environment.clock.now();
  }
}
