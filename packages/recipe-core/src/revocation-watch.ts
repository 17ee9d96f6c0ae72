import type { WatchEvent, ZooKeeper, ZooKeeperError } from '@zookit/client';
import { coreOf, persevere } from '@zookit/client/internal';

/** What Curator writes into a holder's znode to ask for it. */
export const REVOKE_MESSAGE = '__REVOKE__';

export interface RevocationHandlers {
  onRevoke(): void;
  /** The znode is gone. */
  onGone(): void;
  /** It can't be watched. */
  onError(error: unknown): void;
}

/** Watches the data of a held znode for as long as somebody wants to hear of a revocation. */
export class RevocationWatch {
  readonly #zk: ZooKeeper;
  readonly #path: string;
  readonly #handlers: RevocationHandlers;
  #watching: AbortController | null = null;
  #armed = false;
  /** The data version that was told of already. */
  #told: number | null = null;

  constructor(zk: ZooKeeper, path: string, handlers: RevocationHandlers) {
    this.#zk = zk;
    this.#path = path;
    this.#handlers = handlers;
  }

  /** Begins to watch, or goes on after a lost connection. */
  start(): void {
    this.#watching ??= new AbortController();
    if (!this.#armed) this.#look(this.#watching.signal);
  }

  /** Takes the watch back. */
  stop(): void {
    this.#watching?.abort();
    this.#watching = null;
    this.#armed = false;
  }

  #look(signal: AbortSignal): void {
    this.#armed = true;
    const watch = (event: WatchEvent): void => {
      if (signal.aborted) return;
      this.#armed = false;
      if (event.type === 'deleted') this.#handlers.onGone();
      else if (event.type === 'changed') this.#look(signal);
    };
    const read = (): ReturnType<ZooKeeper['get']> => this.#zk.get(this.#path, { watch, watchSignal: signal });
    // An overloaded server must not leave the znode without a watch.
    persevere(coreOf(this.#zk), read, signal).then(
      ({ data, stat }) => {
        if (signal.aborted || data?.toString('latin1') !== REVOKE_MESSAGE || stat.version === this.#told) return;
        this.#told = stat.version;
        this.#handlers.onRevoke();
      },
      (error: ZooKeeperError) => {
        if (signal.aborted) return;
        this.#armed = false;
        if (error.code === 'NO_NODE') this.#handlers.onGone();
        // What else ends it is the end of the client.
        else if (error.code === 'NO_AUTH') this.#handlers.onError(error);
      },
    );
  }
}
