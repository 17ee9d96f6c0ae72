import { type Connection, ZooKeeperError, zooKeeperError } from '@zookit/protocol';
import type { ConnectString, Host } from '../connect-string.ts';
import { HostList } from '../ensemble/hosts.ts';
import type { CloseOptions } from '../method-options.ts';
import type { Settings } from '../options.ts';
import { Burial } from './burial.ts';
import { Closing } from './closing.ts';
import { Course } from './course.ts';
import { type Grant, grantOn } from './grant.ts';
import type { SessionHooks } from './hooks.ts';
import { LeaseWatch } from './lease-watch.ts';
import { Link } from './link.ts';
import type { Effect, State } from './machine.ts';
import { type Purpose, Search } from './search.ts';
import { Start } from './start.ts';
import { whilePresent } from './while-present.ts';
import { Wish } from './wish.ts';

/** What the session before the present one came to know. */
export interface Past {
  /** The newest zxid that it saw. */
  readonly zxid: bigint;
  /** When it was last connected. */
  readonly until: number;
  /** Its timeout, in ms. */
  readonly timeout: number;
}

/** The life of a client's sessions: performs what the machine says, and decides nothing else. */
export class Session {
  readonly hosts: HostList;
  readonly #settings: Settings;
  readonly #hooks: SessionHooks;
  readonly #course: Course;
  readonly #link: Link;
  readonly #wish: Wish;
  readonly #search: Search;
  readonly #lease: LeaseWatch;
  readonly #start: Start;
  readonly #burial: Burial;
  readonly #closing: Closing;
  #grant: Grant | null = null;
  #endsWithConnection: boolean;
  #hadSession = false;
  #past: Past | null = null;
  /** Why the last connection, or attempt at one, failed. */
  #failure: ZooKeeperError | null = null;
  #end: ZooKeeperError | null = null;
  /** Why there is no session, and will be none. */
  #gone: ZooKeeperError | null = null;

  constructor(settings: Settings, { hosts }: ConnectString, hooks: SessionHooks) {
    this.#settings = settings;
    this.#hooks = hooks;
    this.hosts = new HostList(hosts, settings.shuffle, settings.environment.random);
    this.#endsWithConnection = settings.sessionEnds === 'connection';
    this.#course = new Course(settings, {
      leave: hooks.leave,
      onState: hooks.onState,
      endGrant: (cause) => this.#endGrant(cause),
      perform: (effect, cause) => this.#perform(effect, cause),
    });
    const { now } = settings.environment.clock;
    this.#start = new Start(settings, () => this.#connectTimedOut());
    this.#burial = new Burial(now);
    this.#link = new Link(this.hosts, now);
    this.#wish = new Wish(settings, this.hosts, this.#burial, {
      grant: () => this.#grant,
      isOver: () => this.#end !== null,
      resumed: (connection) => this.#onResumed(connection),
      granted: (connection) => this.#onGranted(connection),
      gone: (cause) => this.#onGone(cause),
      late: (grant) => this.#leaseOver(grant),
    });
    this.#search = new Search(settings, this.hosts, {
      purpose: () => this.#wish.purpose(),
      lastZxid: () => this.lastZxid,
      timeLeft: (purpose) => this.#wish.timeLeft(purpose),
      handlers: () =>
        whilePresent(() => this.connection, {
          onWake: () => this.#lease.wake(),
          onInputRead: () => this.#onHeard(),
          onNotification: hooks.onNotification,
          onDrain: hooks.onDrain,
          onClosed: (cause) => this.#onClosed(cause),
        }),
      found: (connection, purpose) => this.#wish.found(connection, purpose),
      buried: () => this.#burial.done(),
      failed: (host, purpose, error) => this.#onFailedAttempt(host, purpose, error),
      broken: (error) => this.#onDefect(error),
    });
    this.#lease = new LeaseWatch(settings.environment.clock, settings.unref, {
      newestSentAt: () => this.connection?.newestSentAt ?? null,
      ping: () => this.connection?.ping(),
      over: (grant) => this.#leaseOver(grant),
      slept: (grant) => {
        grant.doubt();
        this.connection?.ping();
        this.#hooks.onSuspect();
      },
    });
    this.#closing = new Closing(settings, {
      link: this.#link,
      hosts: this.hosts,
      search: this.#search,
      burial: this.#burial,
      grant: () => this.#grant,
      endsWithConnection: () => this.#endsWithConnection,
      over: (reason) => {
        this.#course.take('close', reason);
        this.#end = reason;
      },
    });
  }

  get state(): State {
    return this.#course.state;
  }

  /** When the present state began, in `performance.now()` ms. */
  get since(): number {
    return this.#course.since;
  }

  get grant(): Grant | null {
    return this.#grant;
  }

  get connection(): Connection | null {
    return this.#link.connection;
  }

  /** Why the client is over; null while it isn't. */
  get end(): ZooKeeperError | null {
    return this.#end;
  }

  /** The zxid of the last reply that was processed in this session. */
  get lastZxid(): bigint {
    return this.#link.lastZxid;
  }

  /** The session that was lost last; null before the first loss. */
  get past(): Past | null {
    return this.#past;
  }

  /** Whether the servers of this client end a session with its connection; taken to stay so from one session to the next. */
  get endsWithConnection(): boolean {
    return this.#endsWithConnection;
  }

  /** Starts the search for a server; resolves with the first session. Called again: the same promise. */
  connect(): Promise<void> {
    const over = this.#end ?? this.#gone;
    if (over !== null) return Promise.reject(over);
    if (this.#start.promise !== null) return this.#start.promise;
    const started = this.#start.begin();
    this.#perform('connect', null);
    return started;
  }

  /**
   * Ends the client, and its session on the server unless `detach`. Always resolves: after `timeout` ms at the latest. Default: what is
   * left of the session, and no more than 1,750 while there is no connection.
   */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#closing.begin(options, zooKeeperError('CLOSED', { message: 'the client was closed' }));
  }

  /** Called before anything is sent or settled: is the lease still good? */
  wake(): void {
    this.#lease.wake();
  }

  /** A server said in a reply that the session is over. */
  sessionOver(cause: ZooKeeperError): void {
    if (this.#grant === null) return;
    this.#course.take('session-over', cause);
    this.#burial.done();
  }

  authRefused(cause: ZooKeeperError): void {
    if (this.#end === null) this.#course.take('auth-refused', cause);
  }

  /** Gives the present connection up for another server; the session goes on there. */
  move(why: string): void {
    this.hosts.succeeded();
    this.connection?.destroy(zooKeeperError('CONNECTION_LOSS', { message: why }));
  }

  #now(): number {
    return this.#settings.environment.clock.now();
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

  #seek(): void {
    const spare = this.#wish.takeSpare();
    if (spare === null) void this.#search.start();
    else this.#wish.found(spare, { kind: 'new' });
  }

  #serve(): void {
    const connection = this.connection as Connection;
    const accepted = this.#hooks.serve(connection);
    connection.start();
    this.#lease.watch(this.#grant as Grant);
    void accepted.then((all) => {
      if (all) this.#start.succeeded();
    });
  }

  #endGrant(cause: ZooKeeperError | null): void {
    const grant = this.#grant;
    this.#lease.stop();
    if (grant === null) return;
    this.#grant = null;
    if (!grant.readOnly) this.#past = { zxid: this.lastZxid, until: this.#link.lastThere, timeout: grant.timeout };
    if (!grant.readOnly && this.#course.state !== 'closed') this.#burial.order(grant, 2 * grant.timeout);
    grant.end(cause ?? zooKeeperError('SESSION_EXPIRED'));
  }

  #loseSession(cause: ZooKeeperError): void {
    this.#search.stop();
    this.#link.drop(cause);
    this.#link.forget();
    this.#hooks.endSession(cause);
    if (!this.#settings.renewSession) {
      this.#gone = cause;
      this.#start.failed(cause);
    } else if (this.#course.state === 'lost') this.#course.take('renew', null);
  }

  #stop(cause: ZooKeeperError): void {
    this.#end = cause;
    this.#wish.takeSpare()?.destroy(cause);
    this.#search.stop();
    this.#hooks.stop(cause);
    this.#start.failed(cause);
    if (this.#course.state === 'auth-failed') this.#link.drop(cause);
  }

  // --- what servers answer

  #onHeard(): void {
    const connection = this.connection as Connection;
    if (!connection.granted.readOnly || this.#grant?.readOnly) {
      this.#grant?.heard(connection.answeredSentAt, connection.lastReceived);
    }
    this.#lease.judge();
  }

  #onResumed(connection: Connection): void {
    this.#carry(connection);
    this.#course.take(connection.granted.readOnly ? 'granted-read-only' : 'resumed', null);
  }

  #onGranted(connection: Connection): void {
    const { readOnly } = connection.granted;
    this.#carry(connection);
    this.#grant?.end(
      zooKeeperError('SESSION_EXPIRED', { message: 'a session of a read-only server, replaced by a real one' }),
    );
    this.#grant = grantOn(connection, this.#settings);
    const input = readOnly ? 'granted-read-only' : this.#hadSession ? 'next-session' : 'first-session';
    this.#hadSession ||= !readOnly;
    this.#course.take(input, null);
  }

  #carry(connection: Connection): void {
    this.#link.carry(connection);
    // Servers that know no resumption give every session the same password of zeros.
    if (this.#settings.sessionEnds === 'auto') {
      this.#endsWithConnection = connection.granted.password.every((byte) => byte === 0);
    }
  }

  #onGone(cause: ZooKeeperError): void {
    this.#hadSession = true;
    this.#course.take('session-over', cause);
  }

  #onFailedAttempt(host: Host, purpose: Purpose, error: unknown): void {
    const failure = error instanceof ZooKeeperError ? error : zooKeeperError('CONNECTION_LOSS', { cause: error });
    this.#failure = failure;
    this.#settings.logger.warn(`${host.host}:${host.port}: ${failure.message}`);
    this.#wish.failed(purpose, failure);
  }

  /** What is in flight fails with the error that this returns. */
  #onClosed(cause: ZooKeeperError): ZooKeeperError {
    const grant = this.#grant;
    const connection = this.connection as Connection;
    // The news may be old: a process that was stopped may have no session any more.
    this.#lease.wake();
    if (connection === this.connection) this.#onSocketLost(connection, cause);
    return grant?.signal.aborted === true ? (grant.signal.reason as ZooKeeperError) : cause;
  }

  #onSocketLost(connection: Connection, cause: ZooKeeperError): void {
    this.#link.lost(connection);
    if (this.#end !== null) return;
    this.#settings.logger.warn(`${connection.target.host}:${connection.target.port}: ${cause.message}`);
    this.#failure = cause;
    if (this.#endsWithConnection) {
      this.sessionOver(zooKeeperError('SESSION_EXPIRED', { message: 'the session ended with its connection', cause }));
    } else this.#course.take('socket-lost', cause);
  }

  #leaseOver(grant: Grant): void {
    const silence = Math.round(this.#now() - (grant.deadline - grant.timeout));
    if (this.connection !== null && this.#now() - this.connection.lastReceived < grant.timeout / 2) {
      // It would go on so for ever, and nobody would know why.
      this.#settings.logger.warn(
        `the link is too slow for a session timeout of ${grant.timeout} ms, or the leaseMargin too large`,
      );
    }
    this.#course.take(
      'session-over',
      zooKeeperError('SESSION_EXPIRED', {
        message: `nothing sent in the last ${silence} ms was answered; the server may end the session (timeout ${grant.timeout} ms)`,
        cause: this.#failure ?? undefined,
      }),
    );
  }

  // --- the end

  #connectTimedOut(): void {
    const message = `no session within connectTimeout (${this.#settings.connectTimeout} ms)`;
    const reason = zooKeeperError('TIMEOUT', { operation: 'connect', message, cause: this.#failure ?? undefined });
    void this.#closing.begin({ timeout: 0 }, reason);
  }

  /** A client that stands still in silence would be worse than one that is closed. */
  #onDefect(error: unknown): void {
    this.#settings.logger.error(`the search for a server failed: ${String(error)}`);
    const reason = zooKeeperError('SYSTEM_ERROR', { message: 'the search for a server failed', cause: error });
    void this.#closing.begin({ timeout: 0 }, reason);
  }
}
