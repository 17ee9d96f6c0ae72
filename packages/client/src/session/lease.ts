/** The arithmetic of a session's deadline. All times are `performance.now()` milliseconds. */
export interface LeaseTerms {
  /** The negotiated session timeout. */
  timeout: number;
  /** How long before the deadline the session is given up. */
  margin: number;
}

/**
 * The margin that covers a follower's death: it passes its clients' signs of life on every half tick, so the leader may count
 * from half a tick earlier than the client does. Half a standard tick and some for the way, but no more than 30 % of a short timeout.
 */
export function defaultMargin(timeout: number): number {
  return Math.max(0.05 * timeout, Math.min(0.3 * timeout, 1_100));
}

/** A margin that the user chose, kept within a timeout that the server may have negotiated down. */
export function marginOf(timeout: number, chosen: number | undefined): number {
  return chosen === undefined ? defaultMargin(timeout) : Math.min(chosen, 0.8 * timeout);
}

/** No server can expire the session before this. `answeredSentAt`: when the newest request that was answered was sent. */
export function deadlineOf(terms: LeaseTerms, answeredSentAt: number): number {
  return answeredSentAt + terms.timeout;
}

/** When the session is declared lost if nothing more is heard. */
export function lostAt(terms: LeaseTerms, answeredSentAt: number): number {
  return deadlineOf(terms, answeredSentAt) - terms.margin;
}
