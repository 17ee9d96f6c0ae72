import type { Connection, ZooKeeperError } from '@zookit/protocol';
import { abortController, onAbort } from '../abort.ts';
import type { Settings } from '../options.ts';
import { deadlineOf, Hearing, type LeaseTerms, lostAt, termsOf } from './lease.ts';

/** One session as users see it. It ends once, and never comes back. */
export interface Session {
  /** The signed 64-bit id. */
  readonly id: bigint;
  readonly password: Buffer;
  /** Negotiated, in ms. */
  readonly timeout: number;
  /** No server that has heard of the newest answered request ends the session before this, in `performance.now()` ms. */
  readonly deadline: number;
  /** ms until the deadline, 0 when it is past. */
  remaining(): number;
  /** Aborts when this session is lost (SessionExpiredError) or closed (ClosedError). */
  readonly signal: AbortSignal;
}

interface GrantTerms {
  timeout: number;
  leaseMargin: number | undefined;
  readOnly: boolean;
  now: () => number;
}

export class Grant implements Session {
  readonly id: bigint;
  // Private, so that printing a session doesn't show it.
  readonly #password: Buffer;
  /** Granted by a read-only server: no quorum has ever heard of it. */
  readonly readOnly: boolean;
  readonly #controller = abortController();
  readonly #chosenMargin: number | undefined;
  readonly #now: () => number;
  #terms: LeaseTerms;
  #hearing: Hearing;
  #doubtedAt = Number.NEGATIVE_INFINITY;

  constructor(id: bigint, password: Buffer, { timeout, leaseMargin, readOnly, now }: GrantTerms) {
    this.id = id;
    this.#password = password;
    this.readOnly = readOnly;
    this.#chosenMargin = leaseMargin;
    this.#terms = termsOf(timeout, leaseMargin);
    this.#now = now;
    this.#hearing = new Hearing(now(), timeout);
    // The shared listener of zookit's own reactions is the first on this signal: what is held ends before any listener of users hears of it.
    onAbort(this.signal, () => {});
  }

  get password(): Buffer {
    return this.#password;
  }

  get timeout(): number {
    return this.#terms.timeout;
  }

  get terms(): LeaseTerms {
    return this.#terms;
  }

  get deadline(): number {
    return deadlineOf(this.#terms, this.#hearing.newest);
  }

  /** When the session is given up: before the deadline, by the margin at least. */
  get lostAt(): number {
    return lostAt(this.#terms, this.#hearing);
  }

  remaining(): number {
    return Math.max(0, this.deadline - this.#now());
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** A connection carries the session from now on, with the timeout that was negotiated in a handshake sent at that time. */
  carried(sentAt: number, timeout: number): void {
    this.#hearing = new Hearing(sentAt, timeout);
    this.#terms = termsOf(timeout, this.#chosenMargin);
  }

  /** What was sent at that time has been answered. */
  heard(sentAt: number, answeredAt: number): void {
    this.#hearing.answered(sentAt, answeredAt);
  }

  /** The machine may have slept: only what is answered from now on counts. */
  doubt(): void {
    this.#doubtedAt = this.#now();
  }

  /** Whether the session is in doubt until something that is sent now is answered. */
  get doubtful(): boolean {
    return this.#hearing.newest < this.#doubtedAt;
  }

  /** When a ping would settle what is in doubt after a gap; null when nothing is. */
  get settlesAt(): number | null {
    return this.#terms.slack === null ? null : this.#hearing.settlesAt;
  }

  end(reason: ZooKeeperError): void {
    this.#controller.abort(reason);
  }
}

/** The session that a server has granted on this connection. */
export function grantOn(connection: Connection, { environment, leaseMargin }: Settings): Grant {
  const { sessionId, password, sessionTimeout: timeout, readOnly } = connection.granted;
  const grant = new Grant(sessionId, password, { timeout, leaseMargin, readOnly, now: environment.clock.now });
  grant.carried(connection.answeredSentAt, timeout);
  return grant;
}
