import type { CallOptions, ZooKeeper } from '@zookit/client';
import { type Core, coreOf, deferred, nameOf, onAbort } from '@zookit/client/internal';
import { Bell } from './bell.ts';
import { placedBeside } from './beside.ts';
import { untilConnected } from './connected.ts';
import { departing, leave, leaveLater } from './departures.ts';
import type { Driver } from './driver.ts';
import type { Held, Policy } from './held.ts';
import { HeldNode } from './held-node.ts';
import { type Listing, list, onListing } from './listing.ts';
import type { Teller } from './lock-events.ts';
import { childOf } from './paths.ts';
import { Patience } from './patience.ts';
import { canHold, type Place } from './place.ts';
import { type Placement, takePlace } from './placement.ts';
import { PredecessorWatch } from './predecessor-watch.ts';
import { inRounds } from './rounds.ts';
import type { Ticket } from './sequence.ts';
import type { Standing } from './standing.ts';
import { WaitingPlace, waitingAt } from './waiting-places.ts';

export interface Contest extends Placement {
  readonly driver: Driver;
  readonly policy: Policy;
  /** What the contender holds already, of the same line: for as long as it does, its place is beside it, and granted. */
  readonly beside?: Held | undefined;
  /** Whom to tell of what happens to the contender, and to its hold. */
  readonly teller?: Teller | undefined;
  /** For a contender that asks again after every hold. */
  readonly standing?: Standing | undefined;
}

/**
 * Takes a place in line and waits until the driver says that it is granted.
 *
 * Rejects with the signal's reason, TimeoutError, ClosedError, or what the server refuses (NoAuthError); no znode and
 * no watch stay behind then. `timeout` is for all of it: connecting, creating, waiting, however many sessions that
 * takes.
 */
export async function contend(contest: Contest, options: CallOptions): Promise<Held> {
  return (await enter(contest, options, true)) as Held;
}

/** As `contend`, but doesn't wait for others: null when it isn't granted at once; nothing stays behind then. */
export function tryContend(contest: Contest, options: CallOptions): Promise<Held | null> {
  return enter(contest, options, false);
}

async function enter(contest: Contest, options: CallOptions, waits: boolean): Promise<Held | null> {
  const patience = new Patience(coreOf(contest.zk), options, {
    operation: waits ? 'acquire' : 'tryAcquire',
    path: contest.base,
  });
  const contender = new Contender(contest, patience);
  try {
    return await contender.run(waits);
  } finally {
    contender.end();
    patience.end();
  }
}

/** One wish for one grant. */
class Contender {
  readonly #contest: Contest;
  readonly #zk: ZooKeeper;
  readonly #core: Core;
  readonly #patience: Patience;
  readonly #bell = new Bell();
  readonly #ring = (): void => this.#bell.ring();
  readonly #since: number;
  readonly #offStop: (() => void) | undefined;
  #beside: Held | null;
  #place: Place | null = null;
  #waitingPlace: WaitingPlace | null = null;
  /** As it was told last. */
  #position: number | null = null;
  #offSession: (() => void) | null = null;
  #watch: PredecessorWatch | null = null;
  #ownWatch: PredecessorWatch | null = null;
  #waiting = false;

  constructor(contest: Contest, patience: Patience) {
    this.#contest = contest;
    this.#zk = contest.zk;
    this.#core = coreOf(contest.zk);
    this.#patience = patience;
    this.#since = this.#now();
    this.#beside = contest.beside ?? null;
    const { standing } = contest;
    if (standing === undefined) return;
    this.#offStop = onAbort(standing.stop, this.#ring);
    if (standing.place !== null) this.#enter(standing.place);
    standing.place = null;
  }

  run(waits: boolean): Promise<Held | null> {
    const round = async (): Promise<Held | null | 'again'> => {
      if (this.#isStopped()) await this.#leave();
      return this.#round(waits);
    };
    return inRounds(this.#core, this.#patience, round, (ms) => this.#pause(ms));
  }

  /** Leaves the line, unless the place was granted, and takes back all that could wake us. */
  end(): void {
    this.#watch?.cancel();
    this.#ownWatch?.cancel();
    this.#offStop?.();
    if (this.#waiting) this.#zk.off('reconnected', this.#ring);
    const place = this.#place;
    if (place === null) return;
    if (!place.grant.signal.aborted) leaveLater(this.#zk, place.path);
    this.#forgetPlace();
  }

  async #round(waits: boolean): Promise<Held | null | 'again'> {
    await untilConnected(this.#zk, this.#patience);
    this.#bell.clear();
    if (this.#isStopped()) return 'again';
    let listing: Listing | null = null;
    let place = this.#presentPlace();
    if (place === null) {
      if (this.#beside?.signal.aborted) this.#beside = null;
      const placement = this.#beside === null ? this.#contest : placedBeside(this.#contest, this.#beside);
      const placed = await takePlace(placement, this.#patience);
      if (placed === null) return 'again';
      ({ place, listing } = placed);
      this.#enter(place);
    }
    if (listing?.names.has(place.name) !== true) {
      listing = await this.#patience.for(list(this.#zk, this.#contest.base));
    }
    if (this.#beside !== null) return this.#grantBeside(this.#beside, listing, place);
    const line = await this.#lineUp(listing, place);
    if (line === null) {
      // Somebody deleted our znode, or all of the line. Should it be there after all, it must not block its successor.
      leaveLater(this.#zk, place.path);
      this.#forgetPlace();
      return 'again';
    }
    const verdict = this.#contest.driver.judge(line, place.name);
    if (verdict.granted) {
      // Of a session that has just ended: the pause is not for that, and would miss its end.
      if (!canHold(this.#core, place)) return 'again';
      const early = this.#claimableAt(place) - this.#now();
      if (early <= 0) return this.#grant(place);
      await this.#pause(early);
      return 'again';
    }
    const path = childOf(this.#contest.base, verdict.watch);
    // Our own of before, on its way out, counts as gone.
    const departure = departing(this.#zk, path);
    if (departure !== undefined) await this.#patience.for(departure.catch(() => {}));
    else if (waits) {
      this.#tellPosition(line.indexOf(place.name));
      await this.#wait(path, place);
    } else {
      const leaving = leave(this.#zk, place.path);
      this.#forgetPlace();
      await this.#patience.for(leaving);
      return null;
    }
    return 'again';
  }

  /** The place, if it belongs to the present session. What an earlier session owned goes with it. */
  #presentPlace(): Place | null {
    if (this.#place !== null && this.#place.grant !== this.#core.session.grant) this.#forgetPlace();
    return this.#place;
  }

  #enter(place: Place): void {
    this.#place = place;
    this.#waitingPlace = new WaitingPlace(this.#zk, place.path);
    this.#offSession = onAbort(place.grant.signal, this.#ring);
    this.#contest.standing?.onPlaced();
  }

  #forgetPlace(): void {
    this.#place = null;
    this.#position = null;
    this.#offSession?.();
    this.#offSession = null;
    this.#waitingPlace?.end();
    this.#waitingPlace = null;
  }

  /** The names that count, in order; null when ours is not among them. */
  async #lineUp(listing: Listing, place: Place): Promise<string[] | null> {
    const tickets = listing.lineUp(this.#contest.driver.ticketOf);
    const own = tickets.find(({ name }) => name === place.name);
    if (own === undefined) return null;
    const equals = tickets.filter((ticket) => ticket !== own && ticket.number !== null && ticket.number === own.number);
    return equals.length === 0 ? tickets.map(({ name }) => name) : this.#settle(tickets, own, equals, place);
  }

  /** Equal numbers: the age decides, which takes a look at each of them. */
  async #settle(
    tickets: readonly Ticket[],
    own: Ticket,
    equals: readonly Ticket[],
    place: Place,
  ): Promise<string[] | null> {
    const { signal } = this.#patience;
    const stats = await Promise.all(
      [...equals, own].map(async ({ name }) => ({
        name,
        stat: await this.#zk.exists(childOf(this.#contest.base, name), { signal }),
      })),
    );
    const present = stats.flatMap(({ name, stat }) => (stat === null ? [] : [{ name, czxid: stat.czxid }]));
    if (!present.some(({ name }) => name === place.name)) return null;
    present.sort((a, b) => (a.czxid < b.czxid ? -1 : 1));
    const at = tickets.findIndex(({ number }) => number === own.number);
    const others = tickets.filter((ticket) => ticket !== own && !equals.includes(ticket)).map(({ name }) => name);
    return [...others.slice(0, at), ...present.map(({ name }) => name), ...others.slice(at)];
  }

  /**
   * When we may hold through a place that is granted. Zxids that go backwards from one session to the next: the server
   * has lost its data, and with them who held; by our clock nobody does once a session timeout has passed since.
   */
  #claimableAt({ czxid }: Place): number {
    const { past } = this.#core.session;
    return past === null || czxid > past.zxid ? 0 : past.until + past.timeout;
  }

  /** The hold begins, if the session is good at this very moment. */
  #grant(place: Place): Held | 'again' {
    if (this.#isStopped() || !canHold(this.#core, place)) return 'again';
    this.#forgetPlace();
    const { policy, teller, standing } = this.#contest;
    const held = new HeldNode(this.#zk, place, policy, { teller, standing, fencingToken: this.#beside?.fencingToken });
    teller?.tell('granted', place.path, { fencingToken: held.fencingToken, waited: this.#now() - this.#since });
    return held;
  }

  /**
   * As long as the hold beside us lasts, nobody behind it is granted. Once it is over, a place in front of those who may
   * be granted by now counts for nothing.
   */
  #grantBeside(hold: Held, { names }: Listing, place: Place): Held | 'again' {
    const isBeside = names.has(place.name) && names.has(nameOf(hold.path));
    if (isBeside && !hold.signal.aborted) return this.#grant(place);
    this.#beside = null;
    leaveLater(this.#zk, place.path);
    this.#forgetPlace();
    return 'again';
  }

  /** Until the one before us moves, the client has reconnected, or the session is lost. */
  async #wait(path: string, place: Place): Promise<void> {
    if (!this.#waiting) {
      this.#waiting = true;
      this.#zk.on('reconnected', this.#ring);
    }
    const offListing = this.#followPosition();
    try {
      if (this.#contest.standing !== undefined && !(await this.#watchOwn(place))) return;
      if (this.#watch?.path !== path || !this.#watch.isSet) {
        this.#watch?.cancel();
        this.#watch = null;
        if (await this.#isNews(path)) return;
        this.#watch = new PredecessorWatch(this.#zk, path, this.#ring);
        if (!(await this.#patience.for(this.#watch.set()))) return;
      }
      await this.#patience.for(this.#bell.heard());
    } finally {
      offListing?.();
    }
  }

  /** False when our znode is gone. */
  async #watchOwn({ path }: Place): Promise<boolean> {
    if (this.#ownWatch?.path === path && this.#ownWatch.isSet) return true;
    this.#ownWatch?.cancel();
    this.#ownWatch = new PredecessorWatch(this.#zk, path, this.#ring);
    return this.#patience.for(this.#ownWatch.set());
  }

  /**
   * While the one before us is of this client and waits, too, no watch is needed. False once it holds, and is to be
   * watched; true when there is a reason to look at the line.
   */
  async #isNews(path: string): Promise<boolean> {
    for (let before = waitingAt(this.#zk, path); before !== undefined; before = waitingAt(this.#zk, path)) {
      const ended = deferred<void>();
      const off = before.onEnd(ended.resolve);
      try {
        await this.#patience.for(Promise.race([ended.promise, this.#bell.heard()]));
      } finally {
        off();
      }
      if (this.#bell.rung || departing(this.#zk, path) !== undefined) return true;
    }
    return false;
  }

  #tellPosition(position: number): void {
    const { teller } = this.#contest;
    if (teller === undefined || this.#place === null || position < 0 || position === this.#position) return;
    teller.tell(this.#position === null ? 'queued' : 'moved', this.#place.path, { position });
    this.#position = position;
  }

  /** Others of this client look at the line, too: what they see costs nothing. */
  #followPosition(): (() => void) | null {
    const { teller, base, driver } = this.#contest;
    if (teller?.hasListener('moved') !== true) return null;
    return onListing(this.#zk, base, (listing) => {
      const own = this.#place?.name;
      this.#tellPosition(listing.lineUp(driver.ticketOf).findIndex(({ name }) => name === own));
    });
  }

  /** Waits; whatever wakes us ends it. */
  async #pause(ms: number): Promise<void> {
    this.#bell.clear();
    if (this.#isStopped()) return;
    const cancel = this.#core.dispatcher.setTimeout(this.#ring, ms);
    try {
      await this.#patience.for(this.#bell.heard());
    } finally {
      cancel();
    }
  }

  #isStopped(): boolean {
    return this.#contest.standing?.stop.aborted === true;
  }

  async #leave(): Promise<never> {
    const place = this.#presentPlace();
    const leaving = place === null ? null : leave(this.#zk, place.path);
    this.#forgetPlace();
    if (leaving !== null) await this.#patience.for(leaving);
    throw this.#contest.standing?.stop.reason;
  }

  #now(): number {
    return this.#core.settings.environment.clock.now();
  }
}
