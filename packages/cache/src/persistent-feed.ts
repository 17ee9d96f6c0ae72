import type { CallOptions, PersistentWatchEvent, Stat, Watch, ZooKeeper } from '@zookit/client';
import { orNull } from '@zookit/recipe-core/internal';
import type { Feed, FeedHandlers } from './feed.ts';
import type { CachedNode } from './image.ts';

/** One persistent watch for all that is cached. */
export class PersistentFeed implements Feed {
  readonly #zk: ZooKeeper;
  readonly #options: CallOptions;
  readonly #watch: Watch;

  /** Rejects with UnimplementedError where the server has no recursive watches. Aborting the signal ends the feed, and its reads. */
  static async open(
    zk: ZooKeeper,
    root: string,
    recursive: boolean,
    handlers: FeedHandlers,
    signal: AbortSignal,
  ): Promise<PersistentFeed> {
    const watch = await zk.watch(root, { recursive, signal });
    watch.on('event', (event) => tell(event, handlers));
    // It ends by itself when the client comes to a server that refuses it, or doesn't know such watches.
    watch.once('close', () => handlers.onEnd());
    if (watch.closed) handlers.onEnd();
    return new PersistentFeed(zk, watch, signal);
  }

  private constructor(zk: ZooKeeper, watch: Watch, signal: AbortSignal) {
    this.#zk = zk;
    this.#watch = watch;
    this.#options = { signal };
  }

  get(path: string): Promise<CachedNode | null> {
    return orNull(this.#zk.get(path, this.#options));
  }

  async children(path: string): Promise<string[] | null> {
    return (await orNull(this.#zk.children(path, this.#options)))?.children ?? null;
  }

  /** Of the first one the watch tells. */
  mayHaveChildren({ numChildren }: Stat): boolean {
    return numChildren > 0;
  }

  close(): Promise<void> {
    return this.#watch.close();
  }
}

function tell({ type, path }: PersistentWatchEvent, handlers: FeedHandlers): void {
  if (type === 'created' || type === 'changed') handlers.onTouched(path);
  else if (type === 'deleted') handlers.onGone(path);
  else if (type === 'resync') handlers.onResync();
}
