import type { ZooKeeperError } from '@zookit/protocol';
import { deadlineOf, type LeaseTerms, lostAt, marginOf } from './lease.ts';

/** One session as users see it. It ends once, and never comes back. */
export interface Session {
  /** The signed 64-bit id. */
  readonly id: bigint;
  readonly password: Buffer;
  /** Negotiated, in ms. */
  readonly timeout: number;
  /** When the server may end the session at the earliest if it hears nothing more, in `performance.now()` ms. */
  readonly deadline: number;
  /** ms until the deadline, 0 when it is past. */
  remaining(): number;
  /** Aborts when this session is lost (SessionExpiredError) or closed (ClosedError). */
  readonly signal: AbortSignal;
}

/** What carries the session now and knows when it was last answered. */
interface Source {
  readonly answeredSentAt: number;
}

export class Grant implements Session {
  readonly id: bigint;
  readonly password: Buffer;
  readonly #controller = new AbortController();
  readonly #chosenMargin: number | undefined;
  readonly #now: () => number;
  #terms: LeaseTerms;
  #answered: number;
  #source: Source | null = null;

  constructor(
    id: bigint,
    password: Buffer,
    timeout: number,
    chosenMargin: number | undefined,
    answeredSentAt: number,
    now: () => number,
  ) {
    this.id = id;
    this.password = password;
    this.#chosenMargin = chosenMargin;
    this.#terms = { timeout, margin: marginOf(timeout, chosenMargin) };
    this.#answered = answeredSentAt;
    this.#now = now;
  }

  get timeout(): number {
    return this.#terms.timeout;
  }

  get terms(): LeaseTerms {
    return this.#terms;
  }

  get deadline(): number {
    return deadlineOf(this.#terms, this.#answeredSentAt());
  }

  /** When the session is given up: the deadline less the margin. */
  get lostAt(): number {
    return lostAt(this.#terms, this.#answeredSentAt());
  }

  remaining(): number {
    return Math.max(0, this.deadline - this.#now());
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** A connection carries the session from now on, with the timeout that it negotiated. */
  carriedBy(source: Source, timeout: number): void {
    this.#answered = source.answeredSentAt;
    this.#source = source;
    this.#terms = { timeout, margin: marginOf(timeout, this.#chosenMargin) };
  }

  /** The connection is gone; what it had heard counts on. */
  released(): void {
    this.#answered = this.#answeredSentAt();
    this.#source = null;
  }

  end(reason: ZooKeeperError): void {
    this.released();
    this.#controller.abort(reason);
  }

  #answeredSentAt(): number {
    return this.#source === null ? this.#answered : Math.max(this.#answered, this.#source.answeredSentAt);
  }
}
