import type { LeaseLostError } from '@zookit/client';
import type { EventEmitter } from 'eventemitter3';

/**
 * When a hold ends by itself. `deadline`: when its session may end on the server, less a margin; until then a lost
 * connection only makes it suspect. `suspended`: at once when the connection is lost, or the machine seems to have slept.
 */
export type Policy = 'deadline' | 'suspended';

export type HeldEvents = {
  /** The connection is lost, or the machine seems to have slept. Still held until `deadline`, if nothing more is heard, but finish or slow down. */
  suspect: () => void;
  /** No longer held, and not because of `release()`. `signal` has been aborted by then. */
  lost: (reason: LeaseLostError) => void;
  /** Somebody asks the holder to let go. */
  revoke: () => void;
  /** A listener threw, or the znode can't be watched for a revocation. */
  error: (error: unknown) => void;
};

/** What a guard can be added to: a transaction of the client. */
export interface Guardable {
  check(path: string, version: number): unknown;
}

/** Something that is held: a lock, a lease, leadership. It ends once, and never comes back. */
export interface Held extends EventEmitter<HeldEvents> {
  /** Our znode. */
  readonly path: string;
  /** Aborts when the hold ends: lost, or released. The reason is a LeaseLostError, whose message says which. */
  readonly signal: AbortSignal;
  /** Grows from holder to holder along a path, for as long as the server keeps its data. */
  readonly fencingToken: bigint;
  /**
   * When it is lost at the latest if nothing more is heard from the server, in `performance.now()` ms; moves on with
   * every answer.
   */
  readonly deadline: number;
  /**
   * Whether it is held now. Compares the clock at each read, so it is right even before a late `signal`; a hold that is found over by it is lost at
   * that moment. Also false while the machine seems to have slept, until the server has answered.
   */
  readonly isHeld: boolean;
  /**
   * Lets go: the hold ends at once, and its znode is deleted, however often the connection breaks. Resolves when that
   * is done, and during an outage at once, while the deletion goes on in the background.
   *
   * Resolves with `lost` when it was no longer held, be it that somebody else had deleted the znode. Called again: the
   * same promise. Rejects only when the server refuses to delete the znode (NoAuthError).
   */
  release(): Promise<'released' | 'lost'>;
  /**
   * Adds a check to a transaction that our znode exists, whichever view of a client it was made on: a stale holder's
   * transaction fails as a whole, with NO_NODE at that check. Returns the transaction.
   */
  guard<T extends Guardable>(transaction: T): T;
  /** As `release()`. */
  [Symbol.asyncDispose](): Promise<void>;
}
