import type { ReadOptions, Stat, WatchEvent, ZooKeeper } from '@zookit/client';
import { orNull } from '@zookit/recipe-core/internal';
import type { Feed, FeedHandlers } from './feed.ts';
import type { CachedNode } from './image.ts';

/** Two one-shot watches on each znode, for servers without recursive ones. */
export class OneShotFeed implements Feed {
  readonly #zk: ZooKeeper;
  readonly #root: string;
  readonly #handlers: FeedHandlers;
  /** One function for all, so that a znode that is read twice is watched once. */
  readonly #options: ReadOptions;
  readonly #onConnected = (): void => this.#handlers.onResync();

  /** Aborting the signal ends its reads and takes its watches back. */
  constructor(zk: ZooKeeper, root: string, handlers: FeedHandlers, signal: AbortSignal) {
    this.#zk = zk;
    this.#root = root;
    this.#handlers = handlers;
    this.#options = { watch: (event) => this.#onEvent(event), watchSignal: signal, signal };
    zk.on('reconnected', this.#onConnected);
    zk.on('renewed', this.#onConnected);
  }

  async get(path: string): Promise<CachedNode | null> {
    for (;;) {
      const node = await orNull(this.#zk.get(path, this.#options));
      // Of others the parent's watch tells when they come.
      if (node !== null || path !== this.#root) return node;
      if ((await this.#zk.exists(path, this.#options)) === null) return null;
    }
  }

  async children(path: string): Promise<string[] | null> {
    return (await orNull(this.#zk.children(path, this.#options)))?.children ?? null;
  }

  /** Also to watch for the first one. */
  mayHaveChildren({ ephemeralOwner }: Stat): boolean {
    return ephemeralOwner === 0n;
  }

  /** The client takes the watches back in the background. */
  close(): Promise<void> {
    this.#zk.off('reconnected', this.#onConnected);
    this.#zk.off('renewed', this.#onConnected);
    return Promise.resolve();
  }

  #onEvent({ type, path }: WatchEvent): void {
    if (type === 'created' || type === 'changed') this.#handlers.onTouched(path);
    else if (type === 'children') this.#handlers.onChildren(path);
    else if (type === 'deleted') {
      this.#handlers.onGone(path);
      if (path === this.#root) this.#handlers.onTouched(path);
    }
  }
}
