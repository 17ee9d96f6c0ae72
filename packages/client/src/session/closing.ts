import { type ZooKeeperError, zooKeeperError } from '@zookit/protocol';
import { onAbort } from '../abort.ts';
import { deferred } from '../deferred.ts';
import type { HostList } from '../ensemble/hosts.ts';
import type { CloseOptions } from '../method-options.ts';
import type { Settings } from '../options.ts';
import type { Burial } from './burial.ts';
import { endSession } from './farewell.ts';
import type { Grant } from './grant.ts';
import type { Link } from './link.ts';
import type { Search } from './search.ts';

/** What a closed client without a connection spends on ending its session by default, in ms. */
const FAREWELL = 1_750;

/** `close()` never rejects: what is no timeout is as good as none. */
function validTimeout(timeout: unknown): number | null {
  return typeof timeout === 'number' && timeout >= 0 ? timeout : null;
}

/** What the end of a client works on. */
export interface ClosingParts {
  link: Link;
  hosts: HostList;
  search: Search;
  burial: Burial;
  /** The present session; null when there is none. */
  grant(): Grant | null;
  /** Whether the servers end a session with its connection. */
  endsWithConnection(): boolean;
  /** The client is over: everybody is told, and nothing but the farewell is sent from now on. */
  over(reason: ZooKeeperError): void;
}

/** The end of a client: of its session on the server first, as far as time allows, then of its connection. */
export class Closing {
  readonly #settings: Settings;
  readonly #parts: ClosingParts;
  #promise: Promise<void> | null = null;
  /** Ends the goodbye that is being said. */
  #hurry: (() => void) | null = null;

  constructor(settings: Settings, parts: ClosingParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  /** One end, however often it is asked for; also by listeners that hear of it while it is under way. The first reason counts. */
  begin({ detach = false, timeout, signal }: CloseOptions, reason: ZooKeeperError): Promise<void> {
    const closing = this.#once(detach, signal?.aborted ? 0 : timeout, reason);
    if (typeof signal?.addEventListener !== 'function') return closing;
    if (signal.aborted) this.#hurry?.();
    const off = onAbort(signal, () => this.#hurry?.());
    closing.then(off, off);
    return closing;
  }

  #once(detach: boolean, timeout: number | undefined, reason: ZooKeeperError): Promise<void> {
    if (this.#promise === null) {
      const closing = deferred<void>();
      this.#promise = closing.promise;
      this.#close(detach, timeout, reason).then(closing.resolve, closing.reject);
    }
    return this.#promise;
  }

  async #close(detach: boolean, timeout: number | undefined, reason: ZooKeeperError): Promise<void> {
    const { link, search } = this.#parts;
    const grant = this.#parts.grant();
    const patience = validTimeout(timeout) ?? (link.connection === null ? FAREWELL : this.#settings.sessionTimeout);
    const limit = Math.min(patience, grant?.remaining() ?? 0);
    this.#parts.over(reason);
    if (detach) link.connection?.flush();
    else if (grant !== null && limit > 0) await this.#sayGoodbye(grant, limit);
    search.stop();
    link.drop(reason);
  }

  /** Ends the session on the server: on the connection that is there, or on one that is found while time lasts. */
  async #sayGoodbye(grant: Grant, limit: number): Promise<void> {
    const { link, hosts, search, burial } = this.#parts;
    const { clock } = this.#settings.environment;
    let isLate = false;
    const hurry = (): void => {
      isLate = true;
      search.stop();
      link.drop(zooKeeperError('CLOSED'));
    };
    this.#hurry = hurry;
    const timer = clock.setTimeout(hurry, limit);
    const began = clock.now();
    // A listener may have closed the client before the connection was put to use.
    link.connection?.start();
    const ended = link.connection !== null && (await endSession(link.connection));
    if (!ended && !isLate && !grant.readOnly && !this.#parts.endsWithConnection()) {
      burial.order(grant, limit - (clock.now() - began));
      hosts.succeeded();
      await search.start();
    }
    clock.clearTimeout(timer);
    this.#hurry = null;
  }
}
