import {
  type Connection,
  type ConnectionHandlers,
  type HandshakeRequest,
  ZooKeeperError,
  zooKeeperError,
} from '@zookit/protocol';
import type { ConnectString, Host } from '../connect-string.ts';
import { type Deferred, deferred } from '../deferred.ts';
import { HostList } from '../ensemble/hosts.ts';
import type { Settings } from '../options.ts';
import { attempt, pause } from './attempt.ts';
import { endSession } from './farewell.ts';
import { Grant } from './grant.ts';
import { lostAt } from './lease.ts';
import { type Effect, type Input, type State, type StateEvent, step } from './machine.ts';

/** What the session asks of the rest of the client. */
export interface SessionHooks extends Pick<ConnectionHandlers, 'onNotification' | 'onDrain'> {
  /** Everybody is told of a change of state. */
  onState(state: State, previous: State, event: StateEvent | undefined): void;
  /** A connection is ready; `resumed` says whether it carries on the session before. */
  serve(connection: Connection): void;
  /** The session is over; what depends on it fails with the error. */
  endSession(error: ZooKeeperError): void;
  /** The client is over; everything fails with the error. */
  stop(error: ZooKeeperError): void;
}

/** What a handshake is for. */
type Purpose =
  | { kind: 'new' }
  | { kind: 'resume'; grant: Grant }
  | { kind: 'take-over'; id: bigint; password: Uint8Array }
  /** A session that is lost here may live on there, and its ephemerals would block everybody. */
  | { kind: 'bury'; grant: Grant };

const NO_PASSWORD = Buffer.alloc(16);

/** The life of a client's sessions: performs what the machine says, and decides nothing else. */
export class Session {
  readonly #settings: Settings;
  readonly #hooks: SessionHooks;
  readonly #hosts: HostList;
  #state: State = 'connecting';
  #since: number;
  #grant: Grant | null = null;
  #connection: Connection | null = null;
  /** Ends the present search for a server. */
  #search: AbortController | null = null;
  #toBury: Grant | null = null;
  #buryUntil = 0;
  /** Opened, granted, and not yet in use: the server gave another session than the one that was asked for. */
  #spare: Connection | null = null;
  #takeOver: { id: bigint; password: Uint8Array } | null;
  #hadSession = false;
  #zxid = 0n;
  #endsWithConnection = false;
  #leaseTimer: ReturnType<Settings['environment']['clock']['setTimeout']> | null = null;
  #connectTimer: ReturnType<Settings['environment']['clock']['setTimeout']> | null = null;
  #started: Deferred<void> | null = null;
  #closing: Promise<void> | null = null;
  #judging = false;
  #failure: unknown = null;
  #end: ZooKeeperError | null = null;

  constructor(settings: Settings, { hosts }: ConnectString, hooks: SessionHooks) {
    this.#settings = settings;
    this.#hooks = hooks;
    this.#hosts = new HostList(hosts, settings.shuffle, settings.environment.random);
    this.#takeOver = settings.session ?? null;
    this.#since = this.#now();
  }

  get state(): State {
    return this.#state;
  }

  /** When the present state began, in `performance.now()` ms. */
  get since(): number {
    return this.#since;
  }

  get grant(): Grant | null {
    return this.#grant;
  }

  get connection(): Connection | null {
    return this.#connection;
  }

  /** Why the client is over; null while it isn't. */
  get end(): ZooKeeperError | null {
    return this.#end;
  }

  /** The zxid of the last reply that was processed in this session. */
  get lastZxid(): bigint {
    const present = this.#connection?.lastZxid ?? 0n;
    return present > this.#zxid ? present : this.#zxid;
  }

  /** Starts the search for a server; resolves with the first session. Called again: the same promise. */
  connect(): Promise<void> {
    if (this.#started !== null) return this.#started.promise;
    this.#started = deferred<void>();
    // The state tells it as well: a caller who drops the promise must not bring the process down.
    this.#started.promise.catch(() => {});
    if (this.#end !== null) {
      this.#started.reject(this.#end);
      return this.#started.promise;
    }
    const { connectTimeout, environment } = this.#settings;
    if (connectTimeout > 0) {
      this.#connectTimer = environment.clock.setTimeout(() => this.#connectTimedOut(), connectTimeout);
    }
    this.#perform('connect', null);
    return this.#started.promise;
  }

  /**
   * Ends the client, and its session on the server unless `detach`. Always resolves: after `timeout` ms at the latest
   * (default: what is left of the session, at most the session timeout).
   */
  close({ detach = false, timeout }: { detach?: boolean; timeout?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(detach, timeout, zooKeeperError('CLOSED', { message: 'the client was closed' }));
    return this.#closing;
  }

  /**
   * Called whenever the event loop comes back to zookit, before anything else is done: a lease that ran out meanwhile ends the
   * session now if no answer that may wait in the socket could have kept it, and right after those have been read otherwise.
   */
  wake(): void {
    const grant = this.#grant;
    if (grant === null || this.#now() < grant.lostAt) return;
    const connection = this.#connection;
    if (connection === null || this.#now() >= lostAt(grant.terms, connection.newestSentAt)) this.#leaseOver(grant);
    else if (!this.#judging) {
      this.#judging = true;
      this.#settings.environment.clock.afterPendingInput(() => {
        this.#judging = false;
        this.#judge();
      });
    }
  }

  /** A server said that the session is over, in a reply on a live connection. */
  sessionOver(cause: ZooKeeperError): void {
    if (this.#grant === null) return;
    this.#step('session-over', cause);
    this.#toBury = null;
  }

  authRefused(cause: ZooKeeperError): void {
    if (this.#end === null) this.#step('auth-refused', cause);
  }

  #now(): number {
    return this.#settings.environment.clock.now();
  }

  /** Takes the edge for an input: state, signal, effects that others depend on, then the listeners. */
  #step(input: Input, cause: ZooKeeperError | null): void {
    const previous = this.#state;
    const edge = step(previous, input);
    this.#state = edge.next;
    this.#since = this.#now();
    this.#settings.logger.info(
      `${previous} -> ${edge.next}: ${edge.why}${cause === null ? '' : ` (${cause.message})`}`,
    );
    // The session's signal goes before any listener: whoever holds something must stop first.
    if (edge.next === 'lost' || edge.next === 'closed' || edge.next === 'auth-failed') this.#endGrant(cause);
    if (edge.next !== previous) this.#hooks.onState(edge.next, previous, edge.event);
    for (const effect of edge.effects) {
      // A listener may have closed the client meanwhile.
      if (this.#state !== edge.next) return;
      this.#perform(effect, cause);
    }
  }

  #perform(effect: Effect, cause: ZooKeeperError | null): void {
    switch (effect) {
      case 'connect':
        this.#seek();
        return;
      case 'serve':
        this.#serve();
        return;
      case 'end-session':
        this.#loseSession(cause as ZooKeeperError);
        return;
      case 'stop':
        this.#stop(cause as ZooKeeperError);
    }
  }

  #serve(): void {
    const connection = this.#connection as Connection;
    if (this.#connectTimer !== null) this.#settings.environment.clock.clearTimeout(this.#connectTimer);
    this.#connectTimer = null;
    this.#hooks.serve(connection);
    connection.start();
    this.#armLease();
    this.#started?.resolve();
  }

  #endGrant(cause: ZooKeeperError | null): void {
    const grant = this.#grant;
    if (grant === null) return;
    this.#grant = null;
    if (this.#state !== 'closed') {
      this.#toBury = grant;
      this.#buryUntil = this.#now() + 2 * grant.timeout;
    }
    grant.end(cause ?? zooKeeperError('SESSION_EXPIRED'));
  }

  #loseSession(cause: ZooKeeperError): void {
    this.#disarmLease();
    this.#dropConnection(cause);
    this.#hooks.endSession(cause);
    this.#zxid = 0n;
    if (this.#settings.renewSession) {
      if (this.#state === 'lost') this.#step('renew', null);
      return;
    }
    this.#search?.abort();
    this.#started?.reject(cause);
  }

  #stop(cause: ZooKeeperError): void {
    this.#end = cause;
    this.#disarmLease();
    this.#search?.abort();
    if (this.#connectTimer !== null) this.#settings.environment.clock.clearTimeout(this.#connectTimer);
    this.#hooks.stop(cause);
    this.#started?.reject(cause);
    if (this.#state === 'auth-failed') this.#dropConnection(cause);
  }

  #dropConnection(cause: ZooKeeperError): void {
    const connection = this.#connection;
    this.#connection = null;
    connection?.destroy(cause);
  }

  // --- the search for a server

  #seek(): void {
    this.#search?.abort();
    const search = new AbortController();
    this.#search = search;
    const spare = this.#spare;
    this.#spare = null;
    if (spare !== null) {
      this.#adopt(spare, { kind: 'new' });
      return;
    }
    this.#seekUntilFound(search.signal).catch((error: unknown) => {
      // A defect of ours. A client that stands still in silence would be worse than one that is closed.
      this.#settings.logger.error(`the search for a server failed: ${String(error)}`);
      this.#closing ??= this.#close(
        false,
        undefined,
        zooKeeperError('SYSTEM_ERROR', { message: 'the search for a server failed', cause: error }),
      );
    });
  }

  async #seekUntilFound(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { host, delay, untried } = this.#hosts.next();
      await pause(this.#settings, delay, signal);
      if (signal.aborted) return;
      const purpose = this.#purpose();
      try {
        const connection = await this.#attempt(host, purpose, untried, signal);
        if (signal.aborted) {
          connection.destroy(zooKeeperError('CLOSED'));
          return;
        }
        if (connection.closed) throw zooKeeperError('CONNECTION_LOSS', { operation: 'connect' });
        this.#hosts.succeeded();
        if (purpose.kind !== 'bury') {
          this.#adopt(connection, purpose);
          return;
        }
        await this.#bury(connection, purpose.grant, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#onFailedAttempt(host, purpose, error);
      }
    }
  }

  #purpose(): Purpose {
    if (this.#grant !== null) return { kind: 'resume', grant: this.#grant };
    if (this.#toBury !== null && this.#now() < this.#buryUntil) return { kind: 'bury', grant: this.#toBury };
    if (this.#takeOver !== null) return { kind: 'take-over', ...this.#takeOver };
    return { kind: 'new' };
  }

  #attempt(host: Host, purpose: Purpose, untried: number, signal: AbortSignal): Promise<Connection> {
    const left = purpose.kind === 'resume' ? purpose.grant.lostAt - this.#now() : this.#settings.sessionTimeout;
    const budget = Math.max(MIN_BUDGET, left) / (untried + 1);
    const handlers = this.#handlers();
    return attempt(this.#settings, host, this.#handshake(purpose), budget, signal, handlers).then((connection) => {
      handlers.connection = connection;
      return connection;
    });
  }

  #handshake(purpose: Purpose): HandshakeRequest {
    const { sessionTimeout } = this.#settings;
    const request = { sessionTimeout, readOnly: false };
    switch (purpose.kind) {
      case 'resume':
        return {
          ...request,
          lastZxidSeen: this.lastZxid,
          sessionId: purpose.grant.id,
          password: purpose.grant.password,
        };
      // Nothing will be read in a session that is only to be ended, so a server that lags will do.
      case 'bury':
        return { ...request, lastZxidSeen: 0n, sessionId: purpose.grant.id, password: purpose.grant.password };
      case 'take-over':
        return { ...request, lastZxidSeen: 0n, sessionId: purpose.id, password: purpose.password };
      case 'new':
        return { ...request, lastZxidSeen: 0n, sessionId: 0n, password: NO_PASSWORD };
    }
  }

  /** The handlers of one connection; they fall silent once it isn't the present one any more. */
  #handlers(): ConnectionHandlers & { connection: Connection | null } {
    const handlers: ConnectionHandlers & { connection: Connection | null } = {
      connection: null,
      onWake: () => {
        if (this.#carries(handlers.connection)) this.wake();
      },
      onInputRead: () => {
        if (this.#carries(handlers.connection)) this.#judge();
      },
      onNotification: (event, zxid) => {
        if (this.#carries(handlers.connection)) this.#hooks.onNotification(event, zxid);
      },
      onDrain: () => {
        if (this.#carries(handlers.connection)) this.#hooks.onDrain();
      },
      onClosed: (cause) => {
        if (this.#carries(handlers.connection)) this.#onSocketLost(cause);
      },
    };
    return handlers;
  }

  #carries(connection: Connection | null): boolean {
    return connection !== null && connection === this.#connection;
  }

  /** A handshake has succeeded: what it means depends on what it was for. */
  #adopt(connection: Connection, purpose: Purpose): void {
    const { sessionId, password, sessionTimeout } = connection.granted;
    if (purpose.kind === 'resume' || purpose.kind === 'take-over') {
      const wanted = purpose.kind === 'resume' ? purpose.grant.id : purpose.id;
      if (sessionId !== wanted) {
        this.#replaced(connection, wanted);
        return;
      }
    }
    this.#connection = connection;
    this.#takeOver = null;
    this.#endsWithConnection = this.#endsWith(password);
    if (this.#settings.unref) connection.unref();
    if (purpose.kind === 'resume') {
      purpose.grant.carriedBy(connection, sessionTimeout);
      this.#step('resumed', null);
      return;
    }
    const { environment, leaseMargin } = this.#settings;
    this.#grant = new Grant(
      sessionId,
      password,
      sessionTimeout,
      leaseMargin,
      connection.answeredSentAt,
      environment.clock.now,
    );
    this.#grant.carriedBy(connection, sessionTimeout);
    const first = !this.#hadSession;
    this.#hadSession = true;
    this.#step(first ? 'first-session' : 'next-session', null);
  }

  #endsWith(password: Buffer): boolean {
    const { sessionEnds } = this.#settings;
    return sessionEnds === 'connection' || (sessionEnds === 'auto' && password.every((byte) => byte === 0));
  }

  /** The server has made a session of its own in place of the one that was asked for. */
  #replaced(connection: Connection, wanted: bigint): void {
    const cause = zooKeeperError('SESSION_EXPIRED', {
      message: `the server replaced session 0x${BigInt.asUintN(64, wanted).toString(16)} by another`,
    });
    this.#takeOver = null;
    this.#toBury = null;
    if (this.#settings.renewSession) this.#spare = connection;
    else connection.destroy(cause);
    this.#hadSession = true;
    this.#step('session-over', cause);
    this.#toBury = null;
  }

  #onFailedAttempt(host: Host, purpose: Purpose, error: unknown): void {
    const failure = error instanceof ZooKeeperError ? error : zooKeeperError('CONNECTION_LOSS', { cause: error });
    this.#failure = failure;
    this.#settings.logger.warn(`${host.host}:${host.port}: ${failure.message}`);
    if (failure.code !== 'SESSION_EXPIRED' || purpose.kind === 'new') return;
    // The handshake was finished, by a no.
    this.#hosts.succeeded();
    this.#toBury = null;
    if (purpose.kind === 'bury') return;
    this.#takeOver = null;
    this.#hadSession = true;
    this.#step(
      'session-over',
      zooKeeperError('SESSION_EXPIRED', { message: 'the server no longer knows the session', cause: failure }),
    );
    this.#toBury = null;
  }

  /** Ends a lost session on the server. A session that the server made up in its place goes with it. */
  async #bury(connection: Connection, grant: Grant, signal: AbortSignal): Promise<void> {
    connection.start();
    const timer = this.#settings.environment.clock.setTimeout(
      () => connection.destroy(zooKeeperError('TIMEOUT')),
      grant.timeout / 3,
    );
    const abort = (): void => connection.destroy(zooKeeperError('CLOSED'));
    signal.addEventListener('abort', abort, { once: true });
    await endSession(connection);
    this.#settings.environment.clock.clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    connection.destroy(zooKeeperError('CLOSED'));
    if (this.#toBury === grant) this.#toBury = null;
  }

  #onSocketLost(cause: ZooKeeperError): void {
    const connection = this.#connection as Connection;
    this.#zxid = this.lastZxid;
    this.#connection = null;
    this.#grant?.released();
    if (this.#end !== null) return;
    this.#settings.logger.warn(`${connection.target.host}:${connection.target.port}: ${cause.message}`);
    this.#failure = cause;
    if (this.#endsWithConnection) {
      this.#step(
        'session-over',
        zooKeeperError('SESSION_EXPIRED', { message: 'the session ended with its connection', cause }),
      );
      this.#toBury = null;
    } else {
      this.#step('socket-lost', cause);
    }
  }

  // --- the lease

  #armLease(): void {
    this.#disarmLease();
    const grant = this.#grant;
    if (grant === null) return;
    const { clock } = this.#settings.environment;
    this.#leaseTimer = clock.setTimeout(
      () => {
        this.#leaseTimer = null;
        this.wake();
        if (this.#grant === grant) this.#armLease();
      },
      Math.max(1, grant.lostAt - this.#now()),
    );
    if (this.#settings.unref) this.#leaseTimer.unref?.();
  }

  #disarmLease(): void {
    if (this.#leaseTimer !== null) this.#settings.environment.clock.clearTimeout(this.#leaseTimer);
    this.#leaseTimer = null;
  }

  #judge(): void {
    const grant = this.#grant;
    if (grant !== null && this.#now() >= grant.lostAt) this.#leaseOver(grant);
  }

  #leaseOver(grant: Grant): void {
    const silence = Math.round(this.#now() - (grant.deadline - grant.timeout));
    this.#step(
      'session-over',
      zooKeeperError('SESSION_EXPIRED', {
        message: `nothing sent in the last ${silence} ms was answered; the server may end the session (timeout ${grant.timeout} ms)`,
        cause: this.#failure ?? undefined,
      }),
    );
  }

  // --- the end

  #connectTimedOut(): void {
    const { connectTimeout } = this.#settings;
    this.#closing ??= this.#close(
      false,
      0,
      zooKeeperError('TIMEOUT', {
        operation: 'connect',
        message: `no session within connectTimeout (${connectTimeout} ms)`,
        cause: this.#failure ?? undefined,
      }),
    );
  }

  async #close(detach: boolean, timeout: number | undefined, reason: ZooKeeperError): Promise<void> {
    const grant = this.#grant;
    const limit = Math.min(timeout ?? Number.POSITIVE_INFINITY, grant?.remaining() ?? 0, this.#settings.sessionTimeout);
    const connection = this.#connection;
    this.#step('close', reason);
    this.#end = reason;
    if (grant !== null && !detach && limit > 0) await this.#sayGoodbye(grant, connection, limit);
    this.#search?.abort();
    this.#dropConnection(reason);
  }

  /** Ends the session on the server: on the connection that is there, or on one that is yet to be found while time lasts. */
  async #sayGoodbye(grant: Grant, connection: Connection | null, limit: number): Promise<void> {
    const search = new AbortController();
    this.#search = search;
    const { clock } = this.#settings.environment;
    const timer = clock.setTimeout(() => {
      search.abort();
      this.#dropConnection(zooKeeperError('CLOSED'));
    }, limit);
    if (connection !== null) await endSession(connection);
    else {
      this.#toBury = grant;
      this.#buryUntil = this.#now() + limit;
      await this.#buryOnly(search.signal);
    }
    clock.clearTimeout(timer);
  }

  async #buryOnly(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#toBury !== null) {
      const { host, delay, untried } = this.#hosts.next();
      await pause(this.#settings, delay, signal);
      const purpose = this.#purpose();
      if (signal.aborted || purpose.kind !== 'bury') return;
      try {
        await this.#bury(await this.#attempt(host, purpose, untried, signal), purpose.grant, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#onFailedAttempt(host, purpose, error);
      }
    }
  }
}

/** The least that a handshake gets, in ms, however little is left of the session. */
const MIN_BUDGET = 100;
