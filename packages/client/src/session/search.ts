import { type Connection, type HandshakeRequest, zooKeeperError } from '@zookit/protocol';
import { onAbort } from '../abort.ts';
import type { Host } from '../connect-string.ts';
import type { HostList } from '../ensemble/hosts.ts';
import type { Settings } from '../options.ts';
import { attempt, pause } from './attempt.ts';
import { endSession } from './farewell.ts';
import type { Grant } from './grant.ts';
import type { OpeningHandlers } from './while-present.ts';

/** What a handshake is for. */
export type Purpose =
  | { kind: 'new' }
  | { kind: 'resume'; grant: Grant }
  | { kind: 'take-over'; id: bigint; password: Uint8Array }
  /** A session that is over here may live on there, and its ephemerals would block everybody. */
  | { kind: 'bury'; grant: Grant };

export interface SearchHooks {
  /** What to ask the next server for; null when nothing is to be done any more. */
  purpose(): Purpose | null;
  lastZxid(): bigint;
  /** How long the session, or the wish for one, has left, in ms. */
  timeLeft(purpose: Purpose): number;
  /** The handlers of a connection that is being opened; `opened` is called with it before it delivers anything. */
  handlers(): OpeningHandlers;
  /** A handshake has succeeded; the search is over. */
  found(connection: Connection, purpose: Purpose): void;
  /** A session that was over has been ended on the server, or is not there any more. */
  buried(grant: Grant): void;
  /** An attempt has failed. The search goes on unless this ends it. */
  failed(host: Host, purpose: Purpose, error: unknown): void;
  /** The search itself has failed: a defect. */
  broken(error: unknown): void;
}

const NO_PASSWORD = Buffer.alloc(16);
/** The least that a handshake gets, in ms, however little is left of the session. */
const MIN_BUDGET = 100;

/** Goes from host to host until one gives what is wanted. One search runs at a time. */
export class Search {
  readonly #settings: Settings;
  readonly #hosts: HostList;
  readonly #hooks: SearchHooks;
  #running: AbortController | null = null;

  constructor(settings: Settings, hosts: HostList, hooks: SearchHooks) {
    this.#settings = settings;
    this.#hosts = hosts;
    this.#hooks = hooks;
  }

  /** Starts over; resolves when this search has ended, one way or the other. */
  start(): Promise<void> {
    this.stop();
    const running = new AbortController();
    this.#running = running;
    return this.#run(running.signal)
      .catch((error: unknown) => this.#hooks.broken(error))
      .finally(() => {
        // Nothing of a search stays with a client that is connected for months.
        if (this.#running === running) this.#running = null;
      });
  }

  stop(): void {
    this.#running?.abort();
    this.#running = null;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#hooks.purpose() !== null) {
      const { host, delay, untried } = this.#hosts.next();
      await pause(this.#settings, delay, signal);
      // Time has passed: the session may be over by now.
      const purpose = this.#hooks.purpose();
      if (signal.aborted || purpose === null) return;
      const found = await this.#try(host, purpose, untried, signal);
      if (found === null) continue;
      // Between its end and here the search may have been stopped.
      if (signal.aborted) found.connection.destroy(zooKeeperError('CLOSED'));
      else this.#hooks.found(found.connection, found.purpose);
      return;
    }
  }

  /** Null: it was in vain, or what was wanted is done and nothing was found. */
  async #try(
    host: Host,
    purpose: Purpose,
    untried: number,
    signal: AbortSignal,
  ): Promise<{ connection: Connection; purpose: Purpose } | null> {
    try {
      const connection = await this.#attempt(host, purpose, untried, signal);
      if (purpose.kind !== 'bury') return { connection, purpose };
      const instead = await this.#bury(connection, purpose.grant, signal);
      return instead === null ? null : { connection, purpose: instead };
    } catch (error) {
      if (!signal.aborted) this.#hooks.failed(host, purpose, error);
      return null;
    }
  }

  async #attempt(host: Host, purpose: Purpose, untried: number, signal: AbortSignal): Promise<Connection> {
    const budget = Math.max(MIN_BUDGET, this.#hooks.timeLeft(purpose)) / (untried + 1);
    const handlers = this.#hooks.handlers();
    const connection = await attempt(this.#settings, host, this.#handshake(purpose), budget, signal, handlers);
    if (signal.aborted || connection.closed) {
      const cause = zooKeeperError('CONNECTION_LOSS', { operation: 'connect', message: 'the attempt was given up' });
      connection.destroy(cause);
      throw cause;
    }
    handlers.opened(connection);
    return connection;
  }

  #handshake(purpose: Purpose): HandshakeRequest {
    const { sessionTimeout, readOnly } = this.#settings;
    const request = { sessionTimeout, readOnly, lastZxidSeen: 0n };
    switch (purpose.kind) {
      case 'resume':
        return {
          ...request,
          lastZxidSeen: this.#hooks.lastZxid(),
          sessionId: purpose.grant.id,
          password: purpose.grant.password,
        };
      // Nothing will be read in a session that is only to be ended, so a server that lags will do.
      case 'bury':
        return { ...request, readOnly: false, sessionId: purpose.grant.id, password: purpose.grant.password };
      case 'take-over':
        return { ...request, sessionId: purpose.id, password: purpose.password };
      case 'new':
        return { ...request, sessionId: 0n, password: NO_PASSWORD };
    }
  }

  /** Ends a session on the server. Not null: the server has replaced it, and what it made instead will do for this. */
  async #bury(connection: Connection, grant: Grant, signal: AbortSignal): Promise<Purpose | null> {
    if (connection.granted.sessionId === grant.id) {
      await this.#endOn(connection, grant, signal);
      return null;
    }
    this.#hooks.buried(grant);
    const purpose = this.#hooks.purpose();
    if (purpose?.kind === 'new') return purpose;
    connection.destroy(zooKeeperError('CLOSED'));
    return null;
  }

  async #endOn(connection: Connection, grant: Grant, signal: AbortSignal): Promise<void> {
    const { clock } = this.#settings.environment;
    const over = zooKeeperError('CLOSED');
    connection.start();
    const timer = clock.setTimeout(() => connection.destroy(zooKeeperError('TIMEOUT')), grant.timeout / 3);
    if (this.#settings.unref) timer.unref?.();
    const off = onAbort(signal, () => connection.destroy(over));
    const ended = await endSession(connection);
    clock.clearTimeout(timer);
    off();
    connection.destroy(over);
    // A server that hangs up instead of answering is asked once more: it will not know the session then.
    if (!ended) return;
    this.#hosts.succeeded();
    this.#hooks.buried(grant);
  }
}
