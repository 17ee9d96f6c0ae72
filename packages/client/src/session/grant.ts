import type { ZooKeeperError } from '@zookit/protocol';
import { abortController } from '../abort.ts';
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
  #answered: number;
  #source: Source | null = null;
  #doubtedAt = Number.NEGATIVE_INFINITY;

  constructor(id: bigint, password: Buffer, { timeout, leaseMargin, readOnly, now }: GrantTerms) {
    this.id = id;
    this.#password = password;
    this.readOnly = readOnly;
    this.#chosenMargin = leaseMargin;
    this.#terms = { timeout, margin: marginOf(timeout, leaseMargin) };
    this.#now = now;
    this.#answered = now();
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

  /** The machine may have slept: only what is answered from now on counts. */
  doubt(): void {
    this.#doubtedAt = this.#now();
  }

  /** Whether the session is in doubt until something that is sent now is answered. */
  get doubtful(): boolean {
    return this.#answeredSentAt() < this.#doubtedAt;
  }

  end(reason: ZooKeeperError): void {
    this.released();
    this.#controller.abort(reason);
  }

  #answeredSentAt(): number {
    return this.#source === null ? this.#answered : Math.max(this.#answered, this.#source.answeredSentAt);
  }
}
