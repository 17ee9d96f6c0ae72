import { randomUUID } from 'node:crypto';
import { LeaseLostError, TimeoutError } from '@zookit/client';
import { type Core, coreOf, createMarked, nameOf, onAbort } from '@zookit/client/internal';
import { Bell, inRounds, leave, leaveLater, Patience, type Place, untilConnected } from '@zookit/recipe-core/internal';
import { type Meeting, nullWhenMissing, type View } from './meeting.ts';

/** A member that is in. */
export interface Presence {
  readonly place: Place;
  /** The czxid of the `ready` that began the round. */
  readonly round: bigint;
}

/** How long a member that gives up may take to learn whether the others count it in, in ms. */
const SETTLING = 2_000;

/** A member's znode is a UUID. Its first part is what we recognise it by when the reply to its create is lost. */
const HALF = 24;

/** Enters a double barrier; see `DoubleBarrier.enter`. */
export async function arrive(meeting: Meeting, members: number, patience: Patience): Promise<Presence> {
  const arrival = new Arrival(meeting, members, patience);
  try {
    return await arrival.run();
  } catch (reason) {
    return await arrival.giveUp(reason);
  } finally {
    arrival.end();
  }
}

class Arrival {
  readonly #meeting: Meeting;
  readonly #core: Core;
  readonly #members: number;
  readonly #patience: Patience;
  readonly #bell = new Bell();
  readonly #ring = (): void => this.#bell.ring();
  readonly #unwatch = new AbortController();
  /** Present members that don't want to be counted. */
  readonly #uncounted = new Set<string>();
  #place: Place | null = null;
  /** A znode on its way. Not under the caller's signal: the others may count it before we hear of it. */
  #joining: Promise<Place | null> | null = null;
  readonly #abandoned = new AbortController();
  #offSession: (() => void) | null = null;

  constructor(meeting: Meeting, members: number, patience: Patience) {
    this.#meeting = meeting;
    this.#core = coreOf(meeting.zk);
    this.#members = members;
    this.#patience = patience;
    meeting.zk.on('reconnected', this.#ring);
  }

  run(): Promise<Presence> {
    return inRounds(this.#core, this.#patience, () => this.#round());
  }

  end(): void {
    this.#unwatch.abort();
    this.#abandoned.abort();
    this.#offSession?.();
    this.#meeting.zk.off('reconnected', this.#ring);
  }

  /** Takes our znode away and throws the reason, unless a round has begun that counts it. */
  async giveUp(reason: unknown): Promise<Presence> {
    if (this.#core.over.aborted || (this.#place === null && this.#joining === null)) throw reason;
    const patience = new Patience(this.#core, { timeout: SETTLING }, { operation: 'enter', path: this.#meeting.base });
    try {
      const presence = await inRounds(this.#core, patience, () => this.#settle(patience));
      if (presence !== null) return presence;
    } catch {
      if (this.#place !== null) leaveLater(this.#meeting.zk, this.#place.path);
      throw inDoubt(reason);
    } finally {
      patience.end();
    }
    throw reason;
  }

  async #round(): Promise<Presence | 'again'> {
    const { signal } = this.#patience;
    await untilConnected(this.#meeting.zk, this.#patience);
    this.#bell.clear();
    const place = this.#presentPlace() ?? (await this.#join(this.#patience));
    if (place === null) return 'again';
    const view = await this.#meeting.look(signal);
    if (view === null || !view.names.includes(place.name)) {
      // Somebody deleted it. Should it be there after all, nobody must wait for it.
      this.#forget();
      leaveLater(this.#meeting.zk, place.path);
      return 'again';
    }
    const { names, ready, base } = view;
    if (ready !== null) return ready.czxid > place.czxid ? this.#isIn(place, ready.czxid) : this.#comeLate(place, view);
    const counted = names.filter((name) => !this.#uncounted.has(name));
    if (counted.length < this.#members) return this.#wait();
    const unwilling = await this.#meeting.begin(counted, base, signal);
    if (unwilling !== null) this.#uncounted.add(unwilling);
    return 'again';
  }

  /** Whoever comes last counts; the others hear of `ready`. */
  async #wait(): Promise<'again'> {
    const { signal } = this.#patience;
    const ready = await this.#meeting.ready({ watch: this.#ring, watchSignal: this.#unwatch.signal, signal });
    if (ready === null) await this.#patience.for(this.#bell.heard());
    return 'again';
  }

  /** A round is said to be under way that began before we came. */
  async #comeLate(place: Place, view: View): Promise<Presence | 'again'> {
    const { signal } = this.#patience;
    const { czxid } = view.ready as { czxid: bigint };
    const others = await this.#meeting.stats(
      view.names.filter((name) => name !== place.name),
      signal,
    );
    if (others.some(({ stat }) => stat.czxid < czxid)) {
      await this.#withdraw(place, signal);
      return this.#isIn(place, czxid);
    }
    // All that were in it are gone, and did not take `ready` along.
    await this.#meeting.end(view, null, signal);
    return 'again';
  }

  #isIn(place: Place, round: bigint): Presence | 'again' {
    return this.#core.session.grant === place.grant ? { place, round } : 'again';
  }

  /** From now on nobody begins a round that counts us; a change of our znode tells them. */
  async #withdraw(place: Place, signal: AbortSignal): Promise<boolean> {
    return (await this.#meeting.zk.set(place.path, this.#meeting.data, { signal }).catch(nullWhenMissing)) !== null;
  }

  /** One try to learn whether the others count us in; null, and no znode of ours, when they don't. */
  async #settle(patience: Patience): Promise<Presence | null | 'again'> {
    const { zk } = this.#meeting;
    await untilConnected(zk, patience);
    const place = this.#place ?? (this.#joining === null ? null : await this.#join(patience));
    if (place === null) return null;
    if (place.grant !== this.#core.session.grant) throw gone(place);
    const withdrawing = this.#withdraw(place, patience.signal);
    const [isThere, ready] = await Promise.all([withdrawing, this.#meeting.ready({ signal: patience.signal })]);
    if (!isThere) throw gone(place);
    if (ready !== null && ready.czxid > place.czxid) return this.#isIn(place, ready.czxid);
    await patience.for(leave(zk, place.path)).catch((error: unknown) => this.#core.events.report(error));
    return null;
  }

  #presentPlace(): Place | null {
    if (this.#place !== null && this.#place.grant !== this.#core.session.grant) this.#forget();
    return this.#place;
  }

  #forget(): void {
    this.#place = null;
    this.#offSession?.();
    this.#offSession = null;
  }

  /** Waits for a znode of ours: one that is on its way, or a new one. Null when its session was lost on the way. */
  #join(patience: Patience): Promise<Place | null> {
    this.#joining ??= this.#create().finally(() => {
      this.#joining = null;
    });
    return patience.for(this.#joining);
  }

  async #create(): Promise<Place | null> {
    const { zk, acl, data } = this.#meeting;
    const { signal } = this.#abandoned;
    const uuid = randomUUID();
    const path = this.#meeting.pathOf(uuid.slice(HALF));
    const options = { ...acl, mode: 'ephemeral', parents: 'container', signal } as const;
    const created = await createMarked(zk, path, data, options, uuid.slice(0, HALF));
    try {
      const stat = created.stat ?? (await zk.exists(created.path, { signal }));
      signal.throwIfAborted();
      const { grant } = this.#core.session;
      if (grant === null || stat === null || stat.ephemeralOwner !== grant.id) return null;
      this.#place = { path: created.path, name: nameOf(created.path), czxid: stat.czxid, grant };
      this.#offSession = onAbort(grant.signal, this.#ring);
      return this.#place;
    } catch (error) {
      leaveLater(zk, created.path);
      throw error;
    }
  }
}

function gone({ path }: Place): LeaseLostError {
  return new LeaseLostError('LEASE_LOST', { path, message: 'gone before it was known whether it counted' });
}

/** The reason, as far as it can say that the others may have been let in with us. */
function inDoubt(reason: unknown): unknown {
  if (!(reason instanceof TimeoutError)) return reason;
  const { code, operation, path } = reason;
  const message = `${reason.reason}, and the others may have entered with this member`;
  return new TimeoutError(code, { operation, path, message, maybeApplied: true, cause: reason });
}
