import { type CallOptions, ClosedError, type State, type ZooKeeper } from '@zookit/client';
import {
  abortController,
  checkPath,
  coreOf,
  deferred,
  isPassing,
  onAbort,
  SafeEmitter,
  waitFor,
} from '@zookit/client/internal';
import type { RecipeOptions } from '@zookit/recipe-core';
import { Patience, requireCallOptions, requirePolicy } from '@zookit/recipe-core/internal';
import type { Feed, FeedHandlers } from './feed.ts';
import { type CachedChange, type CachedNode, Image } from './image.ts';
import { Loader } from './loader.ts';
import { openFeed } from './open-feed.ts';
import { Scope, type ScopeOptions } from './scope.ts';

export type CacheEvents = {
  /** A znode is in the cache that was not, be it one that was deleted and made again: `deleted` came before then. */
  created: (change: CachedChange) => void;
  changed: (change: CachedChange) => void;
  deleted: (change: CachedChange) => void;
  /** The first load is done. */
  ready: () => void;
  /** The connection is lost: what is cached may be old. */
  stale: () => void;
  /** Everything has been read again after that; what had changed was told by then. */
  resynced: () => void;
  /**
   * A listener threw, or a znode can't be read (NoAuthError, ResponseTooLargeError) and is left out, or the server takes the watch back and
   * refuses another: the cache is stale then, and asks again, ever more slowly.
   */
  error: (error: unknown) => void;
};

/** Between loads that fail one after the other, in ms; doubled each time. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;

const CONNECTED: ReadonlySet<State> = new Set<State>(['connected', 'readonly']);

/** What all caches have in common: a copy of a znode, or of those under it too, that follows the server. */
export abstract class Cache extends SafeEmitter<CacheEvents> {
  /** The root of what is cached. */
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #scope: Scope;
  readonly #recursive: boolean;
  readonly #image: Image;
  readonly #closing = abortController();
  readonly #ready = deferred<void>();
  readonly #offs: (() => void)[] = [];
  readonly #onState = (state: State): void => this.#follow(state);
  #loader: Loader | null = null;
  #isReady = false;
  #isStale = true;
  #isStarted = false;
  #failures = 0;
  #offRetry: (() => void) | null = null;
  #feed: Promise<Feed> | null = null;
  #closed: Promise<void> | null = null;

  protected constructor(zk: ZooKeeper, path: string, scope: ScopeOptions & RecipeOptions, recursive: boolean) {
    super();
    coreOf(zk);
    checkPath(path, new.target.name);
    requirePolicy(scope, path);
    this.path = path;
    this.#zk = zk;
    this.#scope = new Scope(path, scope, (error) => this.report(error));
    this.#recursive = recursive;
    this.#image = new Image(path, (type, change) => this.emit(type, change));
    // Whoever starts it waits for it.
    this.#ready.promise.catch(() => {});
  }

  /** Whether the connection is lost, or was and not everything has been read again since. Also true until the first load is done. */
  get stale(): boolean {
    return this.#isStale;
  }

  /**
   * Begins to follow the server; resolves when everything has been read, once there is a connection. Called again, it is the same
   * wait. Znodes that are missing, the root included, are not made.
   *
   * When the first call rejects (the signal's reason, TimeoutError, ClosedError, NoAuthError for the root), the cache is closed.
   */
  async start(options: CallOptions = {}): Promise<void> {
    this.#closing.signal.throwIfAborted();
    const isFirst = !this.#isStarted;
    const patience = new Patience(coreOf(this.#zk), options, { operation: 'start', path: this.path });
    try {
      if (isFirst) this.#begin();
      await patience.for(this.#ready.promise);
    } catch (error) {
      if (isFirst) await this.close();
      throw error;
    } finally {
      patience.end();
    }
  }

  /** What is cached of a znode, by default of the root; undefined when it is missing or not in the cache. */
  get(path: string = this.path): CachedNode | undefined {
    return this.#image.get(path);
  }

  /** The names of a znode's cached children, sorted. */
  children(path: string = this.path): string[] {
    return this.#image.children(path);
  }

  /** All that is cached. */
  entries(): Iterable<[string, CachedNode]> {
    return this.#image.entries();
  }

  /** Stops following, forgets everything and takes the watches back. Idempotent. `options` end the wait alone. */
  async close(options: CallOptions = {}): Promise<void> {
    requireCallOptions(options, { operation: 'close', path: this.path });
    this.#closed ??= this.#close();
    await waitFor(coreOf(this.#zk), this.#closed, options, 'close');
  }

  async #close(): Promise<void> {
    const reason = new ClosedError('CLOSED', { path: this.path, message: 'the cache is closed' });
    this.#closing.abort(reason);
    this.#ready.reject(reason);
    this.#offRetry?.();
    for (const off of this.#offs) off();
    this.#loader?.close();
    this.#isStale = true;
    this.#image.clear();
    await this.#feed?.then(
      (feed) => feed.close(),
      () => {},
    );
  }

  /** As `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #begin(): void {
    this.#isStarted = true;
    this.#zk.on('state', this.#onState);
    this.#offs.push(
      () => this.#zk.off('state', this.#onState),
      onAbort(coreOf(this.#zk).over, () => this.#ready.reject(coreOf(this.#zk).over.reason)),
    );
    this.#open();
  }

  #open(): void {
    const { signal } = this.#closing;
    const handlers: FeedHandlers = {
      onTouched: (path) => {
        if (this.#scope.includes(path)) this.#loader?.readNode(path);
      },
      onChildren: (path) => this.#loader?.readChildren(path),
      onGone: (path) => this.#image.delete(path),
      onResync: () => this.#load(),
      onEnd: () => this.#reopen(),
    };
    const opening = openFeed(this.#zk, this.path, this.#recursive, handlers, signal);
    this.#feed = opening;
    opening.then(
      (feed) => {
        if (signal.aborted || this.#feed !== opening) return;
        this.#loader = new Loader(feed, this.#image, this.#scope, {
          onLoaded: () => this.#onLoaded(),
          onFailure: (path, error) => this.#onFailure(path, error),
        });
        this.#load();
      },
      (error: unknown) => this.#onUnopened(error),
    );
  }

  /** The feed has ended by itself. Another one, of the kind that the present server knows, takes its place. */
  #reopen(): void {
    if (this.#isOver()) return;
    this.#loader?.close();
    this.#loader = null;
    this.#setStale();
    this.#open();
  }

  #onUnopened(error: unknown): void {
    if (!this.#isReady) this.#ready.reject(error);
    else if (!this.#isOver()) {
      if (!isPassing(error)) this.report(error);
      this.#later(() => this.#open());
    }
  }

  #isOver(): boolean {
    return this.#closing.signal.aborted || coreOf(this.#zk).over.aborted;
  }

  #follow(state: State): void {
    if (CONNECTED.has(state)) return;
    // The feed tells when it is in step again.
    this.#loader?.interrupt();
    this.#setStale();
  }

  #setStale(): void {
    if (!this.#isReady || this.#isStale) return;
    this.#isStale = true;
    this.emit('stale');
  }

  #load(): void {
    this.#offRetry?.();
    if (CONNECTED.has(this.#zk.state)) this.#loader?.load();
  }

  #onLoaded(): void {
    this.#failures = 0;
    this.#isStale = false;
    if (this.#isReady) {
      this.emit('resynced');
      return;
    }
    this.#isReady = true;
    this.emit('ready');
    this.#ready.resolve();
  }

  /** True when the load has to be done again. */
  #onFailure(path: string, error: unknown): boolean {
    if (this.#isOver()) return true;
    if (isPassing(error)) {
      this.#later(() => this.#load());
      return true;
    }
    if (path === this.path && !this.#isReady) {
      this.#ready.reject(error);
      return true;
    }
    this.#image.delete(path);
    this.report(error);
    return false;
  }

  /** Ever later, until a load is done. */
  #later(action: () => void): void {
    this.#offRetry?.();
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#failures);
    this.#failures += 1;
    this.#offRetry = coreOf(this.#zk).dispatcher.setTimeout(action, pause);
  }
}
