import { BadArgumentsError, type CallOptions, type ZooKeeper } from '@zookit/client';
import { checkPath, coreOf } from '@zookit/client/internal';
import type { RecipeOptions } from '@zookit/recipe-core';
import { Patience, requirePolicy } from '@zookit/recipe-core/internal';
import { arrive, type Presence } from './arrival.ts';
import { depart } from './departure.ts';
import { Meeting } from './meeting.ts';

export interface DoubleBarrierOptions extends RecipeOptions {
  /** How many have to be there before they are let in, the same number with each of them. */
  members: number;
}

/**
 * Lets processes begin a piece of work together and end it together: `enter()` resolves when enough have come, `leave()`
 * when all have left. Apache Curator's DistributedDoubleBarrier on the wire.
 *
 * One object is one member. It may enter again once it has left.
 */
export class DoubleBarrier {
  /** The znode whose children are the members. */
  readonly path: string;
  readonly members: number;
  readonly #zk: ZooKeeper;
  readonly #meeting: Meeting;
  #presence: Presence | null = null;
  #underWay: 'enter' | 'leave' | null = null;

  /** Throws PathError or BadArgumentsError. */
  constructor(zk: ZooKeeper, path: string, options: DoubleBarrierOptions) {
    coreOf(zk);
    checkPath(path, 'DoubleBarrier');
    requirePolicy(options ?? {}, path);
    const { members, acl } = options ?? {};
    this.path = path;
    this.members = members;
    this.#zk = zk;
    if (!Number.isSafeInteger(members) || members < 1) {
      throw this.#bad(undefined, `members must be a whole number of at least 1, not ${String(members)}`);
    }
    this.#meeting = new Meeting(zk, path, acl);
  }

  /**
   * Waits until `members` have come, this one included, or at once when a round is under way. `timeout` (ms) is for all of
   * it, outages and lost sessions included.
   *
   * Rejects with TimeoutError, the signal's reason, ClosedError or NoAuthError; our znode is gone then, and no zookit
   * member is let in on the strength of it. To be sure of that, a member that gives up asks the server first: this takes
   * two seconds at most, and resolves when the others had been let in with it. Without an answer it is a TimeoutError with
   * `maybeApplied: true` (or the signal's reason), and the znode is taken away when there is a connection.
   */
  async enter(options: CallOptions = {}): Promise<void> {
    if (this.#presence !== null) throw this.#bad('enter', 'this member has entered; it may enter again after leave()');
    const patience = this.#begin('enter', options);
    try {
      this.#presence = await arrive(this.#meeting, this.members, patience);
    } finally {
      this.#underWay = null;
      patience.end();
    }
  }

  /**
   * Waits until all members of the round have left or are gone. A member whose session was lost meanwhile counts as gone,
   * and may wait for the others all the same.
   *
   * Rejects at its `timeout` with TimeoutError, or with the signal's reason, ClosedError, NoAuthError; this member has left
   * then: its znode is taken away, in the background if need be. BadArgumentsError when it had not entered.
   */
  async leave(options: CallOptions = {}): Promise<void> {
    const presence = this.#presence;
    if (presence === null) throw this.#bad('leave', 'this member has not entered');
    const patience = this.#begin('leave', options);
    this.#presence = null;
    try {
      await depart(this.#meeting, presence, patience);
    } finally {
      this.#underWay = null;
      patience.end();
    }
  }

  #begin(operation: 'enter' | 'leave', options: CallOptions): Patience {
    if (this.#underWay !== null) {
      throw this.#bad(
        operation,
        `this member's ${this.#underWay}() is under way; each member needs an object of its own`,
      );
    }
    const patience = new Patience(coreOf(this.#zk), options, { operation, path: this.path });
    this.#underWay = operation;
    return patience;
  }

  #bad(operation: string | undefined, message: string): BadArgumentsError {
    return new BadArgumentsError('BAD_ARGUMENTS', { operation, path: this.path, message });
  }
}
