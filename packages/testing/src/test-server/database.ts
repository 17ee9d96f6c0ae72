import { ErrorCode } from '@zookit/protocol';
import type { Identity } from './acl.ts';
import { type ServerClock, wallTime } from './clock.ts';
import { DataTree } from './data-tree.ts';
import { parentOfDoomed } from './paths.ts';
import { PendingChanges } from './pending-changes.ts';
import type { ServerProfile } from './profile.ts';
import { Refusal } from './refusal.ts';
import { type Session, Sessions } from './sessions.ts';
import { type Applied, applyChange, type Change } from './transaction.ts';
import type { Watcher } from './watch-event.ts';
import { Watches } from './watches.ts';

export interface DatabaseOptions {
  profile: ServerProfile;
  clock: ServerClock;
  tickTime: number;
  ttlNodes: boolean;
  lastZxid: bigint;
}

/** Who asks: a connection, as the operations see it. */
export interface Caller extends Watcher {
  readonly sessionId: bigint;
  readonly member: number;
  readonly identities: readonly Identity[];
}

/** What checking a write needs. */
export interface WriteContext {
  readonly caller: Caller;
  readonly pending: PendingChanges;
  readonly database: Database;
}

/** Checks a write against the tree as the operations before it will leave it, or throws a Refusal. */
export type Prepare = (context: WriteContext) => Change;

/** The outcome of a transaction: all of it, or which operation was refused and why. */
export type Outcome =
  | { readonly applied: readonly Applied[] }
  | { readonly applied: null; readonly failed: number; readonly code: number };

/** What all members share: the tree, the sessions, the watches and the count of transactions. */
export class Database {
  readonly profile: ServerProfile;
  readonly clock: ServerClock;
  readonly ttlNodes: boolean;
  readonly watches: Watches;
  readonly tree: DataTree;
  readonly sessions: Sessions;
  /** Called after each transaction. */
  afterTransaction: () => void = () => {};

  constructor(options: DatabaseOptions, expired: (session: Session) => void) {
    const { profile } = options;
    this.profile = profile;
    this.clock = options.clock;
    this.ttlNodes = options.ttlNodes;
    this.watches = new Watches(profile.oneWatchMode, profile.checkWatchesOfAnybody);
    this.tree = new DataTree(this.watches, options.lastZxid, profile.sequenceWraps);
    this.sessions = new Sessions(options.clock, options.tickTime, expired);
  }

  /** One transaction: all of the writes or none. Used up or not, a zxid is spent on it, as on a real server. */
  write(caller: Caller, writes: readonly Prepare[]): Outcome {
    const pending = new PendingChanges(this.tree);
    const context: WriteContext = { caller, pending, database: this };
    return this.#transaction((zxid) => {
      const changes: Change[] = [];
      for (const prepare of writes) {
        try {
          changes.push(prepare(context));
        } catch (error) {
          // A session that has moved ends the connection, whichever operation found it out.
          if (!(error instanceof Refusal) || error.code === ErrorCode.SESSION_MOVED) throw error;
          return { applied: null, failed: changes.length, code: error.code };
        }
      }
      const time = wallTime(this.clock);
      return { applied: changes.map((change) => applyChange(this.tree, change, zxid, time)) };
    });
  }

  createSession(serverId: number, member: number, timeout: number): Session {
    return this.#transaction(() => this.sessions.create(serverId, member, timeout));
  }

  /** Ends the session and deletes its ephemeral nodes, all with one zxid. False when there is no such session. */
  closeSession(id: bigint): boolean {
    if (this.sessions.get(id) === undefined) return false;
    this.#transaction((zxid) => {
      this.sessions.remove(id);
      for (const path of this.tree.ephemeralsOf(id)) this.tree.delete(path, parentOfDoomed(path), zxid);
    });
    return true;
  }

  /** Deletes a node on the server's own account, as it does with containers that were emptied. */
  reap(path: string): void {
    this.#transaction((zxid) => this.tree.delete(path, parentOfDoomed(path), zxid));
  }

  /** Changes a node's data on the server's own account: no version check, no ACL. */
  overwrite(path: string, data: Buffer, version: number): void {
    this.#transaction((zxid) => this.tree.setData(path, data, version, zxid, wallTime(this.clock)));
  }

  #transaction<T>(run: (zxid: bigint) => T): T {
    const zxid = this.tree.lastZxid + 1n;
    try {
      return run(zxid);
    } finally {
      this.tree.lastZxid = zxid;
      this.afterTransaction();
    }
  }
}
