import { type Connection, type ZooKeeperError, zooKeeperError } from '@zookit/protocol';
import type { HostList } from '../ensemble/hosts.ts';
import type { Settings } from '../options.ts';
import type { Burial } from './burial.ts';
import type { Grant } from './grant.ts';
import type { Purpose } from './search.ts';

export interface WishHooks {
  /** The present session; null when there is none. */
  grant(): Grant | null;
  /** Whether the client is over. */
  isOver(): boolean;
  /** A server carries the present session on. */
  resumed(connection: Connection): void;
  /** A server has given a session, or the one that was to be taken over. */
  granted(connection: Connection): void;
  /** The session that was asked for is not there. */
  gone(cause: ZooKeeperError): void;
  /** A server would carry the session on, but its lease has run out here. */
  late(grant: Grant): void;
}

/** What is wanted of the next server, and what its answer means for the session. */
export class Wish {
  readonly #settings: Settings;
  readonly #hosts: HostList;
  readonly #burial: Burial;
  readonly #hooks: WishHooks;
  #takeOver: { id: bigint; password: Uint8Array } | null;
  /** Opened, granted, and not yet in use: the server gave another session than the one that was asked for. */
  #spare: Connection | null = null;

  constructor(settings: Settings, hosts: HostList, burial: Burial, hooks: WishHooks) {
    this.#settings = settings;
    this.#hosts = hosts;
    this.#burial = burial;
    this.#hooks = hooks;
    this.#takeOver = settings.session ?? null;
  }

  /** What to ask the next server for; null when nothing is to be done any more. */
  purpose(): Purpose | null {
    const grant = this.#hooks.grant();
    const toBury = this.#burial.due;
    if (this.#hooks.isOver()) return toBury === null ? null : { kind: 'bury', grant: toBury };
    if (grant !== null && !grant.readOnly) return { kind: 'resume', grant };
    // Read-only servers end no session, and are better than none where that is allowed.
    const mayRead = this.#settings.readOnly && this.#burial.failures >= this.#hosts.hosts.length;
    if (toBury !== null && !mayRead) return { kind: 'bury', grant: toBury };
    return this.#takeOver === null ? { kind: 'new' } : { kind: 'take-over', ...this.#takeOver };
  }

  /** How long there is for it, in ms. */
  timeLeft(purpose: Purpose): number {
    if (purpose.kind === 'resume') return purpose.grant.lostAt - this.#now();
    return this.#hooks.isOver() ? this.#burial.timeLeft : this.#settings.sessionTimeout;
  }

  /** Hands out, once, the connection on which a server gave a new session that nobody had asked it for. */
  takeSpare(): Connection | null {
    const spare = this.#spare;
    this.#spare = null;
    return spare;
  }

  /** A handshake has succeeded: what it means depends on what it was for. */
  found(connection: Connection, purpose: Purpose): void {
    const { sessionId, sessionTimeout, readOnly } = connection.granted;
    const wanted = purpose.kind === 'resume' ? purpose.grant.id : purpose.kind === 'take-over' ? purpose.id : sessionId;
    if (sessionId !== wanted) {
      this.#replaced(connection, wanted);
      return;
    }
    if (purpose.kind !== 'resume') {
      this.#takeOver = null;
      this.#hooks.granted(connection);
      return;
    }
    // A read-only server can't keep a session alive that the quorum may end: its answers don't count.
    if (!readOnly) purpose.grant.carried(connection.answeredSentAt, sessionTimeout);
    // The grant may be old news to a process that was stopped.
    if (this.#now() < purpose.grant.lostAt) this.#hooks.resumed(connection);
    else {
      connection.destroy(zooKeeperError('CONNECTION_LOSS'));
      this.#hooks.late(purpose.grant);
    }
  }

  /** An attempt has failed. */
  failed(purpose: Purpose, cause: ZooKeeperError): void {
    if (purpose.kind === 'bury') this.#burial.failures += 1;
    if (cause.code !== 'SESSION_EXPIRED' || purpose.kind === 'new') return;
    // A handshake that ended in a clear no: the server is well.
    this.#hosts.succeeded();
    if (purpose.kind === 'bury') this.#burial.done();
    else this.#gone(zooKeeperError('SESSION_EXPIRED', { message: 'the server no longer knows the session', cause }));
  }

  #now(): number {
    return this.#settings.environment.clock.now();
  }

  /** The server has made a session of its own in place of the one that was asked for. */
  #replaced(connection: Connection, wanted: bigint): void {
    const cause = zooKeeperError('SESSION_EXPIRED', {
      message: `the server replaced session 0x${BigInt.asUintN(64, wanted).toString(16)} by another`,
    });
    if (this.#settings.renewSession) this.#spare = connection;
    else connection.destroy(cause);
    this.#gone(cause);
  }

  /** The session that was asked for is not there: nothing is left to be buried. */
  #gone(cause: ZooKeeperError): void {
    this.#takeOver = null;
    this.#hooks.gone(cause);
    this.#burial.done();
  }
}
