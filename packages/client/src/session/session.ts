import { type Connection, ZooKeeperError, zooKeeperError } from '@zookit/protocol';
import { onAbort } from '../abort.ts';
import type { ConnectString, Host } from '../connect-string.ts';
import { deferred } from '../deferred.ts';
import { HostList } from '../ensemble/hosts.ts';
import type { CloseOptions } from '../method-options.ts';
import type { Settings } from '../options.ts';
import { Burial } from './burial.ts';
import { endSession } from './farewell.ts';
import { Grant } from './grant.ts';
import type { SessionHooks } from './hooks.ts';
import { LeaseWatch } from './lease-watch.ts';
import { type Effect, type Input, type State, step } from './machine.ts';
import { type Purpose, Search } from './search.ts';
import { Start } from './start.ts';
import { whilePresent } from './while-present.ts';

/** What a closed client without a connection spends on ending its session by default, in ms. */
const FAREWELL = 1_750;
/** How many short connections, in close succession, count as good ones. */
const CREDIT = 5;
/** How long until one of them is forgotten, in ms. */
const CREDIT_COMES_BACK = 10_000;
/** A connection that has lived so long, in ms, was a good one. */
const SOUND_AFTER = 1_000;

/** `close()` never rejects: what is no timeout is as good as none. */
function validTimeout(timeout: unknown): number | null {
  return typeof timeout === 'number' && timeout >= 0 ? timeout : null;
}

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
  readonly #search: Search;
  readonly #lease: LeaseWatch;
  #state: State = 'connecting';
  #since: number;
  #grant: Grant | null = null;
  #connection: Connection | null = null;
  readonly #start: Start;
  readonly #burial: Burial;
  /** Opened, granted, and not yet in use: the server gave another session than the one that was asked for. */
  #spare: Connection | null = null;
  #takeOver: { id: bigint; password: Uint8Array } | null;
  #endsWithConnection: boolean;
  #hadSession = false;
  #zxid = 0n;
  #leftAt = 0;
  #past: Past | null = null;
  /** Changes of state that listeners have not heard of yet. */
  readonly #untold: (() => void)[] = [];
  #credit = CREDIT;
  #creditAt = 0;
  #closing: Promise<void> | null = null;
  /** Ends the goodbye that is being said. */
  #hurry: (() => void) | null = null;
  #failure: ZooKeeperError | null = null;
  #end: ZooKeeperError | null = null;
  /** Why there is no session, and will be none. */
  #gone: ZooKeeperError | null = null;

  constructor(settings: Settings, { hosts }: ConnectString, hooks: SessionHooks) {
    this.#settings = settings;
    this.#hooks = hooks;
    this.hosts = new HostList(hosts, settings.shuffle, settings.environment.random);
    this.#takeOver = settings.session ?? null;
    this.#endsWithConnection = settings.sessionEnds === 'connection';
    this.#since = this.#now();
    this.#start = new Start(settings, () => this.#connectTimedOut());
    this.#burial = new Burial(settings.environment.clock.now);
    this.#search = new Search(settings, this.hosts, {
      purpose: () => this.#purpose(),
      lastZxid: () => this.lastZxid,
      timeLeft: (purpose) => this.#timeLeft(purpose),
      handlers: () =>
        whilePresent(() => this.#connection, {
          onWake: () => this.#lease.wake(),
          onInputRead: () => this.#onHeard(),
          onNotification: hooks.onNotification,
          onDrain: hooks.onDrain,
          onClosed: (cause) => this.#onClosed(cause),
        }),
      found: (connection, purpose) => this.#adopt(connection, purpose),
      buried: () => this.#burial.done(),
      failed: (host, purpose, error) => this.#onFailedAttempt(host, purpose, error),
      broken: (error) => this.#onDefect(error),
    });
    this.#lease = new LeaseWatch(settings.environment.clock, settings.unref, {
      newestSentAt: () => this.#connection?.newestSentAt ?? null,
      ping: () => this.#connection?.ping(),
      over: (grant) => this.#leaseOver(grant),
      slept: (grant) => {
        grant.doubt();
        this.#connection?.ping();
        this.#hooks.onSuspect();
      },
    });
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
  close({ detach = false, timeout, signal }: CloseOptions = {}): Promise<void> {
    const reason = zooKeeperError('CLOSED', { message: 'the client was closed' });
    const closing = this.#finish(detach, signal?.aborted ? 0 : timeout, reason);
    if (typeof signal?.addEventListener !== 'function') return closing;
    if (signal.aborted) this.#hurry?.();
    const off = onAbort(signal, () => this.#hurry?.());
    closing.then(off, off);
    return closing;
  }

  /** Called before anything is sent or settled: is the lease still good? */
  wake(): void {
    this.#lease.wake();
  }

  /** A server said in a reply that the session is over. */
  sessionOver(cause: ZooKeeperError): void {
    if (this.#grant === null) return;
    this.#step('session-over', cause);
    this.#burial.done();
  }

  authRefused(cause: ZooKeeperError): void {
    if (this.#end === null) this.#step('auth-refused', cause);
  }

  /** Gives the present connection up for another server; the session goes on there. */
  move(why: string): void {
    this.hosts.succeeded();
    this.#connection?.destroy(zooKeeperError('CONNECTION_LOSS', { message: why }));
  }

  #now(): number {
    return this.#settings.environment.clock.now();
  }

  /** Takes the edge for an input: state, the session's signal, the listeners, then the effects. */
  #step(input: Input, cause: ZooKeeperError | null): void {
    const previous = this.#state;
    const edge = step(previous, input);
    this.#state = edge.next;
    this.#since = this.#now();
    this.#settings.logger.info(
      `${previous} -> ${edge.next}: ${edge.why}${cause === null ? '' : ` (${cause.message})`}`,
    );
    const isOutermost = this.#untold.length === 0;
    this.#untold.push(() => this.#hooks.onState(edge.next, previous, edge.event));
    if (edge.next !== 'connected' && edge.next !== 'readonly') this.#hooks.leave(edge.next, cause);
    // The session's signal goes before any listener: whoever holds something must stop first.
    if (edge.next === 'lost' || edge.next === 'closed' || edge.next === 'auth-failed') this.#endGrant(cause);
    if (isOutermost) this.#tell();
    for (const effect of edge.effects) {
      // A listener may have closed the client meanwhile.
      if (this.#state !== edge.next) return;
      this.#perform(effect, cause);
    }
  }

  /** A listener that brings the next change about has it told after its own: everybody hears of all of them in order. */
  #tell(): void {
    for (let [next] = this.#untold; next !== undefined; [next] = this.#untold) {
      next();
      this.#untold.shift();
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

  #seek(): void {
    const spare = this.#spare;
    this.#spare = null;
    if (spare === null) void this.#search.start();
    else this.#adopt(spare, { kind: 'new' });
  }

  #serve(): void {
    const connection = this.#connection as Connection;
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
    const until = this.#connection === null ? this.#leftAt : this.#now();
    if (!grant.readOnly) this.#past = { zxid: this.lastZxid, until, timeout: grant.timeout };
    if (!grant.readOnly && this.#state !== 'closed') this.#burial.order(grant, 2 * grant.timeout);
    grant.end(cause ?? zooKeeperError('SESSION_EXPIRED'));
  }

  #loseSession(cause: ZooKeeperError): void {
    this.#search.stop();
    this.#dropConnection(cause);
    this.#zxid = 0n;
    this.#hooks.endSession(cause);
    if (!this.#settings.renewSession) {
      this.#gone = cause;
      this.#start.failed(cause);
    } else if (this.#state === 'lost') this.#step('renew', null);
  }

  #stop(cause: ZooKeeperError): void {
    this.#end = cause;
    this.#spare?.destroy(cause);
    this.#spare = null;
    this.#search.stop();
    this.#hooks.stop(cause);
    this.#start.failed(cause);
    if (this.#state === 'auth-failed') this.#dropConnection(cause);
  }

  #dropConnection(cause: ZooKeeperError): void {
    const connection = this.#connection;
    this.#connection = null;
    connection?.destroy(cause);
  }

  // --- what the search asks and tells

  #purpose(): Purpose | null {
    const toBury = this.#burial.due;
    if (this.#end !== null) return toBury === null ? null : { kind: 'bury', grant: toBury };
    if (this.#grant !== null && !this.#grant.readOnly) return { kind: 'resume', grant: this.#grant };
    // Read-only servers end no session, and are better than none where that is allowed.
    const mayRead = this.#settings.readOnly && this.#burial.failures >= this.hosts.hosts.length;
    if (toBury !== null && !mayRead) return { kind: 'bury', grant: toBury };
    return this.#takeOver === null ? { kind: 'new' } : { kind: 'take-over', ...this.#takeOver };
  }

  #timeLeft(purpose: Purpose): number {
    if (purpose.kind === 'resume') return purpose.grant.lostAt - this.#now();
    return this.#end === null ? this.#settings.sessionTimeout : this.#burial.timeLeft;
  }

  #onHeard(): void {
    const connection = this.#connection as Connection;
    if (!connection.granted.readOnly || this.#grant?.readOnly) {
      this.#grant?.heard(connection.answeredSentAt, connection.lastReceived);
    }
    this.#lease.judge();
  }

  /** A handshake has succeeded: what it means depends on what it was for. */
  #adopt(connection: Connection, purpose: Purpose): void {
    const { sessionId, password, sessionTimeout, readOnly } = connection.granted;
    const wanted = purpose.kind === 'resume' ? purpose.grant.id : purpose.kind === 'take-over' ? purpose.id : sessionId;
    if (sessionId !== wanted) {
      this.#replaced(connection, wanted);
      return;
    }
    if (purpose.kind === 'resume') {
      // A read-only server can't keep a session alive that the quorum may end: its answers don't count.
      if (!readOnly) purpose.grant.carried(connection.answeredSentAt, sessionTimeout);
      // The grant may be old news to a process that was stopped.
      if (this.#now() >= purpose.grant.lostAt) {
        connection.destroy(zooKeeperError('CONNECTION_LOSS'));
        this.#leaseOver(purpose.grant);
        return;
      }
    }
    this.#connection = connection;
    this.#takeOver = null;
    // Servers that know no resumption give every session the same password of zeros.
    if (this.#settings.sessionEnds === 'auto') this.#endsWithConnection = password.every((byte) => byte === 0);
    if (purpose.kind === 'resume') {
      this.#step(readOnly ? 'granted-read-only' : 'resumed', null);
      return;
    }
    const { environment, leaseMargin } = this.#settings;
    this.#grant?.end(
      zooKeeperError('SESSION_EXPIRED', { message: 'a session of a read-only server, replaced by a real one' }),
    );
    this.#grant = new Grant(sessionId, password, {
      timeout: sessionTimeout,
      leaseMargin,
      readOnly,
      now: environment.clock.now,
    });
    this.#grant.carried(connection.answeredSentAt, sessionTimeout);
    const input = readOnly ? 'granted-read-only' : this.#hadSession ? 'next-session' : 'first-session';
    this.#hadSession ||= !readOnly;
    this.#step(input, null);
  }

  /** The server has made a session of its own in place of the one that was asked for. */
  #replaced(connection: Connection, wanted: bigint): void {
    const cause = zooKeeperError('SESSION_EXPIRED', {
      message: `the server replaced session 0x${BigInt.asUintN(64, wanted).toString(16)} by another`,
    });
    if (this.#settings.renewSession) this.#spare = connection;
    else connection.destroy(cause);
    this.#sessionGone(cause);
  }

  /** The session that was asked for is not there: nothing is left to be buried. */
  #sessionGone(cause: ZooKeeperError): void {
    this.#takeOver = null;
    this.#hadSession = true;
    this.#step('session-over', cause);
    this.#burial.done();
  }

  #onFailedAttempt(host: Host, purpose: Purpose, error: unknown): void {
    const failure = error instanceof ZooKeeperError ? error : zooKeeperError('CONNECTION_LOSS', { cause: error });
    this.#failure = failure;
    this.#settings.logger.warn(`${host.host}:${host.port}: ${failure.message}`);
    if (purpose.kind === 'bury') this.#burial.failures += 1;
    if (failure.code !== 'SESSION_EXPIRED' || purpose.kind === 'new') return;
    // A handshake that ended in a clear no: the server is well.
    this.hosts.succeeded();
    if (purpose.kind === 'bury') this.#burial.done();
    else {
      this.#sessionGone(
        zooKeeperError('SESSION_EXPIRED', { message: 'the server no longer knows the session', cause: failure }),
      );
    }
  }

  /** What is in flight fails with the error that this returns. */
  #onClosed(cause: ZooKeeperError): ZooKeeperError {
    const grant = this.#grant;
    const connection = this.#connection;
    // The news may be old: a process that was stopped may have no session any more.
    this.#lease.wake();
    if (connection === this.#connection) this.#onSocketLost(cause);
    return grant?.signal.aborted === true ? (grant.signal.reason as ZooKeeperError) : cause;
  }

  #onSocketLost(cause: ZooKeeperError): void {
    const connection = this.#connection as Connection;
    this.#zxid = this.lastZxid;
    this.#leftAt = this.#now();
    this.#connection = null;
    this.#judgeServer(connection);
    if (this.#end !== null) return;
    this.#settings.logger.warn(`${connection.target.host}:${connection.target.port}: ${cause.message}`);
    this.#failure = cause;
    if (this.#endsWithConnection) {
      this.sessionOver(zooKeeperError('SESSION_EXPIRED', { message: 'the session ended with its connection', cause }));
    } else this.#step('socket-lost', cause);
  }

  /**
   * A finished handshake starts a new count of attempts, but not for ever: a server that shakes hands and then hangs up, over and over, is no
   * better than one that refuses. Short connections have some credit, which comes back slowly, and lasts longer where they have served.
   */
  #judgeServer({ hasReplied }: Connection): void {
    const now = this.#now();
    if (now - this.#since < SOUND_AFTER) {
      this.#credit = Math.min(CREDIT, this.#credit + (now - this.#creditAt) / CREDIT_COMES_BACK);
      this.#creditAt = now;
      const price = hasReplied ? 0.1 : 1;
      if (this.#credit < price) return;
      this.#credit -= price;
    }
    this.hosts.succeeded();
  }

  #leaseOver(grant: Grant): void {
    const silence = Math.round(this.#now() - (grant.deadline - grant.timeout));
    if (this.#connection !== null && this.#now() - this.#connection.lastReceived < grant.timeout / 2) {
      // It would go on so for ever, and nobody would know why.
      this.#settings.logger.warn(
        `the link is too slow for a session timeout of ${grant.timeout} ms, or the leaseMargin too large`,
      );
    }
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
    const message = `no session within connectTimeout (${this.#settings.connectTimeout} ms)`;
    const reason = zooKeeperError('TIMEOUT', { operation: 'connect', message, cause: this.#failure ?? undefined });
    void this.#finish(false, 0, reason);
  }

  /** A client that stands still in silence would be worse than one that is closed. */
  #onDefect(error: unknown): void {
    this.#settings.logger.error(`the search for a server failed: ${String(error)}`);
    void this.#finish(
      false,
      0,
      zooKeeperError('SYSTEM_ERROR', { message: 'the search for a server failed', cause: error }),
    );
  }

  /** One end, however often it is asked for; also by listeners that hear of it while it is under way. */
  #finish(detach: boolean, timeout: number | undefined, reason: ZooKeeperError): Promise<void> {
    if (this.#closing === null) {
      const closing = deferred<void>();
      this.#closing = closing.promise;
      this.#close(detach, timeout, reason).then(closing.resolve, closing.reject);
    }
    return this.#closing;
  }

  async #close(detach: boolean, timeout: number | undefined, reason: ZooKeeperError): Promise<void> {
    const grant = this.#grant;
    const patience = validTimeout(timeout) ?? (this.#connection === null ? FAREWELL : this.#settings.sessionTimeout);
    const limit = Math.min(patience, grant?.remaining() ?? 0);
    this.#step('close', reason);
    this.#end = reason;
    if (detach) this.#connection?.flush();
    else if (grant !== null && limit > 0) await this.#sayGoodbye(grant, limit);
    this.#search.stop();
    this.#dropConnection(reason);
  }

  /** Ends the session on the server: on the connection that is there, or on one that is found while time lasts. */
  async #sayGoodbye(grant: Grant, limit: number): Promise<void> {
    const { clock } = this.#settings.environment;
    let isLate = false;
    const hurry = (): void => {
      isLate = true;
      this.#search.stop();
      this.#dropConnection(zooKeeperError('CLOSED'));
    };
    this.#hurry = hurry;
    const timer = clock.setTimeout(hurry, limit);
    const began = this.#now();
    // A listener may have closed the client before the connection was put to use.
    this.#connection?.start();
    const ended = this.#connection !== null && (await endSession(this.#connection));
    if (!ended && !isLate && !grant.readOnly && !this.#endsWithConnection) {
      this.#burial.order(grant, limit - (this.#now() - began));
      this.hosts.succeeded();
      await this.#search.start();
    }
    clock.clearTimeout(timer);
    this.#hurry = null;
  }
}
