/** The arithmetic of a session's end. All times are `performance.now()` milliseconds. */
export interface LeaseTerms {
  /** The negotiated session timeout. */
  timeout: number;
  /** How long before the deadline, which counts from the newest answered request, the session is given up. */
  margin: number;
  /** The same, counted from the newest request that the leader is certain to have heard of; null: that doesn't matter. */
  certainMargin: number | null;
}

/** What the server has heard, by the times at which it was sent. */
export interface Heard {
  /** The newest request that has been answered. */
  newest: number;
  /** The newest that the leader is certain to know of, be it through a follower. */
  certain: number;
}

/** A follower reports to its leader every half tick which sessions have spoken; half of the standard tick of 2 s is 1 s. */
const STANDARD_HALF_TICK = 1_000;
/** Room for a late timer and the way to the next holder. */
const SLACK = 100;

/**
 * How long after an answer the follower that gave it has reported it, if it still answers then: half a tick, which is at most a quarter of the
 * timeout, and some for a report that comes late.
 */
export function reportDelay(timeout: number): number {
  return 1.05 * Math.min(timeout / 4, STANDARD_HALF_TICK);
}

/**
 * The margin that covers a follower's death: the leader may know of nothing newer than the last ping but one, and pings follow each other in
 * just less than this (see `Connection`). No more than 30 % of a short timeout.
 */
export function defaultMargin(timeout: number): number {
  return Math.max(0.05 * timeout, Math.min(0.3 * timeout, 1_100));
}

/**
 * The terms for a timeout, with a margin that the user may have chosen. One that is larger than the default is meant for servers that are cut off,
 * and counts from what is certain; a smaller one is taken at its word. Neither is so large that a session on a good link would be given up.
 */
export function termsOf(timeout: number, chosen: number | undefined): LeaseTerms {
  const usual = defaultMargin(timeout);
  if (chosen === undefined) return { timeout, margin: usual, certainMargin: Math.min(SLACK, 0.03 * timeout) };
  const margin = Math.min(chosen, Math.max(usual, 0.9 * timeout - 2_200, 0.3 * timeout));
  return { timeout, margin, certainMargin: margin > usual ? margin : null };
}

/** No server can expire the session before this, as far as it has heard of the request that was sent then. */
export function deadlineOf({ timeout }: LeaseTerms, sentAt: number): number {
  return sentAt + timeout;
}

/** When the session is declared lost if nothing more is heard. */
export function lostAt(terms: LeaseTerms, { newest, certain }: Heard): number {
  const byNewest = deadlineOf(terms, newest) - terms.margin;
  return terms.certainMargin === null ? byNewest : Math.min(byNewest, deadlineOf(terms, certain) - terms.certainMargin);
}

/** What the server is known to have heard. */
export class Hearing implements Heard {
  newest: number;
  certain: number;
  #delay: number;
  /** Answered requests that the leader may not know of yet, oldest first; a handful, spread over the delay. */
  readonly #candidates: { sentAt: number; answeredAt: number }[] = [];

  constructor(sentAt: number, timeout: number) {
    this.newest = sentAt;
    this.certain = sentAt;
    this.#delay = reportDelay(timeout);
  }

  /** A handshake has been answered: the leader itself has granted it. */
  granted(sentAt: number, timeout: number): void {
    this.newest = sentAt;
    this.certain = sentAt;
    this.#delay = reportDelay(timeout);
    this.#candidates.length = 0;
  }

  /**
   * A request has been answered. Whoever answers it has reported all that it answered more than the delay before.
   */
  answered(sentAt: number, answeredAt: number): void {
    if (sentAt <= this.newest) return;
    this.newest = sentAt;
    const candidates = this.#candidates;
    for (
      let [oldest] = candidates;
      oldest !== undefined && oldest.answeredAt + this.#delay <= sentAt;
      [oldest] = candidates
    ) {
      this.certain = oldest.sentAt;
      candidates.shift();
    }
    const last = candidates.at(-1);
    if (last === undefined || sentAt >= last.sentAt + this.#delay / 8) candidates.push({ sentAt, answeredAt });
  }
}
