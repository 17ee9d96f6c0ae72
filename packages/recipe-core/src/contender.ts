import type { CallOptions, ZooKeeper, ZooKeeperError } from '@zookit/client';
import { type Core, coreOf, isPassing, onAbort } from '@zookit/client/internal';
import { Bell } from './bell.ts';
import { untilConnected } from './connected.ts';
import { departing, leave, leaveLater } from './departures.ts';
import type { Driver } from './driver.ts';
import type { Held, Policy } from './held.ts';
import { HeldNode } from './held-node.ts';
import { childOf } from './paths.ts';
import { Patience } from './patience.ts';
import type { Place } from './place.ts';
import { type Placement, takePlace } from './placement.ts';
import { PredecessorWatch } from './predecessor-watch.ts';
import { lineUp, type Ticket } from './sequence.ts';

export interface Contest extends Placement {
  readonly driver: Driver;
  readonly policy: Policy;
}

/** Between rounds that fail one after the other, in ms; doubled each time. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 2_000;

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
  #place: Place | null = null;
  #offSession: (() => void) | null = null;
  #watch: PredecessorWatch | null = null;
  #waiting = false;

  constructor(contest: Contest, patience: Patience) {
    this.#contest = contest;
    this.#zk = contest.zk;
    this.#core = coreOf(contest.zk);
    this.#patience = patience;
  }

  async run(waits: boolean): Promise<Held | null> {
    for (let failures = 0; ; ) {
      try {
        const outcome = await this.#round(waits);
        if (outcome !== 'again') return outcome;
        failures = 0;
      } catch (error) {
        const { signal } = this.#patience;
        if (signal.aborted) throw signal.reason;
        if (!isPassing(error) || this.#core.over.aborted) throw error;
        if (failures > 0) await this.#patience.pause(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1)));
        failures += 1;
      }
    }
  }

  /** Leaves the line, unless the place was granted, and takes back all that could wake us. */
  end(): void {
    this.#watch?.cancel();
    this.#leaveSession();
    if (this.#waiting) this.#zk.off('reconnected', this.#ring);
    const place = this.#place;
    if (place !== null && !place.grant.signal.aborted) leaveLater(this.#zk, place.path);
  }

  async #round(waits: boolean): Promise<Held | null | 'again'> {
    await untilConnected(this.#zk, this.#patience);
    this.#bell.clear();
    let names: string[] | null = null;
    let place = this.#presentPlace();
    if (place === null) {
      const placed = await takePlace(this.#contest, this.#patience.signal);
      if (placed === null) return 'again';
      ({ place, names } = placed);
      this.#enterSession(place);
    }
    if (names === null || !names.includes(place.name)) names = await this.#list();
    const line = await this.#lineUp(names, place);
    if (line === null) {
      // Somebody deleted our znode, or all of the line. Should it be there after all, it must not block its successor.
      this.#forgetPlace();
      leaveLater(this.#zk, place.path);
      return 'again';
    }
    const verdict = this.#contest.driver.judge(line, place.name);
    if (verdict.granted) return this.#grant(place);
    const path = childOf(this.#contest.base, verdict.watch);
    // Our own of before, on its way out, counts as gone.
    const departure = departing(this.#zk, path);
    if (departure !== undefined) await this.#patience.for(departure.catch(() => {}));
    else if (waits) await this.#wait(path);
    else {
      this.#forgetPlace();
      await this.#patience.for(leave(this.#zk, place.path));
      return null;
    }
    return 'again';
  }

  /** The place, if it belongs to the present session. What an earlier session owned goes with it. */
  #presentPlace(): Place | null {
    if (this.#place !== null && this.#place.grant !== this.#core.session.grant) this.#forgetPlace();
    return this.#place;
  }

  #enterSession(place: Place): void {
    this.#place = place;
    this.#offSession = onAbort(place.grant.signal, this.#ring);
  }

  #forgetPlace(): void {
    this.#place = null;
    this.#leaveSession();
  }

  #leaveSession(): void {
    this.#offSession?.();
    this.#offSession = null;
  }

  async #list(): Promise<string[]> {
    try {
      return (await this.#zk.children(this.#contest.base, { signal: this.#patience.signal })).children;
    } catch (error) {
      if ((error as ZooKeeperError).code === 'NO_NODE') return [];
      throw error;
    }
  }

  /** The names that count, in order; null when ours is not among them. */
  async #lineUp(names: readonly string[], place: Place): Promise<string[] | null> {
    const tickets = lineUp(names, this.#contest.driver.ticketOf);
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

  /** The hold begins, if the session is good at this very moment. */
  #grant(place: Place): Held | 'again' {
    const { session, settings } = this.#core;
    const good = session.state === 'connected' && session.grant === place.grant;
    if (!good || settings.environment.clock.now() >= place.grant.lostAt) return 'again';
    this.#forgetPlace();
    return new HeldNode(this.#zk, place, this.#contest.policy);
  }

  /** Until the one before us moves, the client has reconnected, or the session is lost. */
  async #wait(path: string): Promise<void> {
    if (!this.#waiting) {
      this.#waiting = true;
      this.#zk.on('reconnected', this.#ring);
    }
    if (this.#watch?.path !== path || !this.#watch.isSet) {
      this.#watch?.cancel();
      this.#watch = new PredecessorWatch(this.#zk, path, this.#ring);
      if (!(await this.#watch.set(this.#patience.signal))) return;
    }
    await this.#patience.for(this.#bell.heard());
  }
}
