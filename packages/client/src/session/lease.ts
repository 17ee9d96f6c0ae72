/** The arithmetic of a session's end. All times are `performance.now()` milliseconds. */

/** Room for a late timer, and for the way to the next holder. */
function slackOf(timeout: number): number {
  return Math.min(100, 0.03 * timeout);
}

/**
 * How long before the deadline a session is given up by default: the larger of 5 % of the timeout and the smaller of 30 % of it and 1,100.
 * It covers a follower's death, see `Hearing`.
 */
export function defaultMargin(timeout: number): number {
  return Math.max(0.05 * timeout, Math.min(0.3 * timeout, 1_100));
}

/**
 * How long nothing may be sent before a ping goes out: so short that the default margin covers all that a leader may not have heard of,
 * whatever its tick.
 */
export function pingInterval(timeout: number): number {
  return (defaultMargin(timeout) - slackOf(timeout)) / 2;
}

/**
 * How often a follower reports to its leader which sessions have spoken, at the least: every half tick, which is a second by default, and a
 * quarter of the timeout where the servers' limits are the default ones.
 */
function longestReportInterval(timeout: number): number {
  return Math.min(timeout / 4, 1_000);
}

/** When a session is given up, of what the server has heard. */
export interface LeaseTerms {
  /** The negotiated session timeout. */
  timeout: number;
  /** How long before the deadline. */
  margin: number;
  /** How long before a leader that has heard as little as possible could end it; null: that is of no concern. */
  slack: number | null;
}

/**
 * The terms for a timeout, with a margin that the user may have chosen. A smaller one than the default is taken at its word. A larger one is meant
 * for followers that are cut off for so long, and counts from the last ping before that. A third of the timeout is always left for the way.
 */
export function termsOf(timeout: number, chosen: number | undefined): LeaseTerms {
  const usual = defaultMargin(timeout);
  const slack = slackOf(timeout);
  if (chosen === undefined) return { timeout, margin: usual, slack };
  if (chosen < usual) return { timeout, margin: chosen, slack: null };
  const gap = pingInterval(timeout);
  const margin = chosen + Math.min(gap + slack, chosen - usual);
  return { timeout, margin: Math.max(usual, Math.min(margin, (2 / 3) * timeout - gap)), slack };
}

/** No server can expire the session before this, as far as it has heard of the request that was sent then. */
export function deadlineOf({ timeout }: Pick<LeaseTerms, 'timeout'>, sentAt: number): number {
  return sentAt + timeout;
}

/** When the session is declared lost if nothing more is heard. */
export function lostAt(terms: LeaseTerms, { newest, certain }: Pick<Hearing, 'newest' | 'certain'>): number {
  const byNewest = deadlineOf(terms, newest) - terms.margin;
  return terms.slack === null ? byNewest : Math.min(byNewest, deadlineOf(terms, certain) - terms.slack);
}

/** Requests that were answered, in close succession. Whoever answered them heard of each between its sending and its answer. */
interface Touch {
  /** Of the first. */
  sentAt: number;
  answeredAt: number;
  /** Of the last. */
  lastAnsweredAt: number;
}

/**
 * What the leader has heard of a session whose client may be connected to a follower.
 *
 * A follower answers by itself. Each time the leader pings it, every half tick, it reports the sessions that have spoken since the time before, and
 * the leader counts from the arrival of that report (LearnerSessionTracker, Learner.ping). When the follower dies, the leader has heard nothing of
 * what was answered behind the last report, and counts from an earlier one than the last if nothing was said between those two.
 */
export class Hearing {
  /** When the newest answered request was sent. */
  newest: number;
  /** The leader counts from this or later, however unlucky its reports fell. */
  certain: number;
  /** When another touch would settle what is in doubt after a gap; null when nothing is. */
  settlesAt: number | null = null;
  readonly #report: number;
  readonly #usual: number;
  /** The leader itself granted it, and no follower reports it. */
  readonly #handshake: Touch;
  /** The newest ones, oldest first. */
  #touches: Touch[];

  /** A handshake has been answered. */
  constructor(sentAt: number, timeout: number) {
    this.newest = sentAt;
    this.certain = sentAt;
    this.#report = longestReportInterval(timeout);
    this.#usual = defaultMargin(timeout);
    this.#handshake = { sentAt, answeredAt: sentAt, lastAnsweredAt: sentAt };
    this.#touches = [this.#handshake];
  }

  /** A request has been answered. */
  answered(sentAt: number, answeredAt: number): void {
    if (sentAt <= this.newest) return;
    this.newest = sentAt;
    const last = this.#touches.at(-1) as Touch;
    if (last !== this.#handshake && sentAt < last.sentAt + this.#report / 16) last.lastAnsweredAt = answeredAt;
    else {
      this.#touches.push({ sentAt, answeredAt, lastAnsweredAt: answeredAt });
      this.#judge();
    }
  }

  /** Tries every touch as the first one behind the last report; the earliest that the leader could count from then is certain. */
  #judge(): void {
    const touches = this.#touches;
    let index = touches.length - 1;
    let certain = this.newest;
    let doubted: Touch | null = null;
    for (; index > 0; index -= 1) {
      const first = touches[index] as Touch;
      const before = touches[index - 1] as Touch;
      const since = this.newest - first.lastAnsweredAt;
      if (since >= this.#report) break;
      // Reports that are further apart than the two touches had something to say each time, and the last one is young. Others may have had
      // nothing to say for all of the gap.
      const silent = before === this.#handshake || since <= first.answeredAt - before.sentAt;
      const possible = silent ? before.sentAt : Math.max(before.sentAt, this.newest - this.#report);
      if (possible >= certain) continue;
      certain = possible;
      doubted = first;
    }
    this.certain = Math.max(this.certain, certain);
    const isInDoubt = doubted !== null && this.newest - this.certain > this.#usual;
    this.settlesAt = isInDoubt ? (doubted as Touch).lastAnsweredAt + this.#report : null;
    // What is older can't be the first behind the last report any more.
    if (index > 0) this.#touches = touches.slice(index);
  }
}
