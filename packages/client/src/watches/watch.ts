import type { ZooKeeperError } from '@zookit/protocol';
import { SafeEmitter } from '../emitter.ts';
import type { CallOptions } from '../options.ts';
import type { PathRoot } from '../paths.ts';
import type { Change, PersistentWatchEvent } from './event.ts';
import { EventBuffer } from './event-buffer.ts';

/** What a persistent watch tells its listeners. */
export interface WatchEvents {
  event: (event: PersistentWatchEvent) => void;
  /** The watch is over. `reason` says why, unless it was closed by `close()` or its signal. */
  close: (reason?: ZooKeeperError) => void;
}

/** Taken by `zk.watch`. */
export interface WatchOptions extends CallOptions {
  /** Watch the znode and all that lies below it. Default false: the znode, its data and the list of its children. */
  recursive?: boolean;
  /** Ends the watch, whenever it aborts. */
  signal?: AbortSignal | undefined;
}

/**
 * A persistent watch. It lives across reconnects and sessions until it is closed, by `close()`, its signal or the client.
 *
 * Read it with `for await`, or listen: `watch.on('event', …)`. Both may be used; one reader gets each event. A reader may be behind by 1,000 events:
 * what comes beyond them is one `resync`. While there are listeners and there has never been a reader, nothing is kept: one that comes
 * later begins with a `resync` when it has missed something. The iteration ends with the watch, and throws when the watch was ended by an error of the server.
 */
export interface Watch extends AsyncIterable<PersistentWatchEvent> {
  /** As it was asked for. */
  readonly path: string;
  readonly recursive: boolean;
  readonly closed: boolean;
  on<E extends keyof WatchEvents>(event: E, listener: WatchEvents[E]): this;
  once<E extends keyof WatchEvents>(event: E, listener: WatchEvents[E]): this;
  off<E extends keyof WatchEvents>(event: E, listener: WatchEvents[E]): this;
  /** As `on()`. */
  addListener<E extends keyof WatchEvents>(event: E, listener: WatchEvents[E]): this;
  /** As `off()`; Node's `events.once` and `events.on` ask for it. */
  removeListener<E extends keyof WatchEvents>(event: E, listener: WatchEvents[E]): this;
  listenerCount(event: keyof WatchEvents): number;
  /**
   * Ends the watch at once; resolves when the server has forgotten it, or has nothing to forget: another watch of this client may need it, or the
   * connection be gone. Idempotent. Rejects only by its own `signal` and `timeout`.
   */
  close(options?: CallOptions): Promise<void>;
  /** As `close()`. */
  [Symbol.asyncDispose](): Promise<void>;
  [Symbol.asyncIterator](): AsyncIterator<PersistentWatchEvent, undefined>;
}

/** What a watch asks of whoever sets it. */
export interface WatchOwner {
  /** Where the errors of listeners go. */
  report(error: unknown): void;
  /** Resolves when the server has forgotten what only this watch needed. */
  release(watch: WatchHandle, options: CallOptions): Promise<void>;
}

export class WatchHandle implements Watch {
  readonly path: string;
  readonly recursive: boolean;
  /** The server's path. */
  readonly target: string;
  readonly #root: PathRoot;
  readonly #owner: WatchOwner;
  readonly #events: SafeEmitter<WatchEvents & Record<string, never>> = new SafeEmitter();
  readonly #buffer: EventBuffer;
  #isRead = false;
  /** An event went to listeners alone. */
  #skipped = false;
  /** Whether the server has it now. */
  #armed = false;
  #hasBeenArmed = false;
  #closed = false;
  /** Called when it is set for the first time, or can't be. */
  onSettled: ((error: ZooKeeperError | null) => void) | null = null;
  /** Called when it is over. */
  onEnd: (() => void) | null = null;

  constructor(owner: WatchOwner, root: PathRoot, path: string, recursive: boolean) {
    this.#owner = owner;
    this.#events.on('error', (error: unknown) => owner.report(error));
    this.#root = root;
    this.path = path;
    this.target = root.toServer(path);
    this.recursive = recursive;
    this.#buffer = new EventBuffer(path);
  }

  get closed(): boolean {
    return this.#closed;
  }

  get armed(): boolean {
    return this.#armed;
  }

  get hasBeenArmed(): boolean {
    return this.#hasBeenArmed;
  }

  on<E extends keyof WatchEvents>(event: E, listener: WatchEvents[E]): this {
    this.#events.on(event as never, listener as never);
    return this;
  }

  once<E extends keyof WatchEvents>(event: E, listener: WatchEvents[E]): this {
    this.#events.once(event as never, listener as never);
    return this;
  }

  off<E extends keyof WatchEvents>(event: E, listener: WatchEvents[E]): this {
    this.#events.off(event as never, listener as never);
    return this;
  }

  addListener<E extends keyof WatchEvents>(event: E, listener: WatchEvents[E]): this {
    return this.on(event, listener);
  }

  removeListener<E extends keyof WatchEvents>(event: E, listener: WatchEvents[E]): this {
    return this.off(event, listener);
  }

  listenerCount(event: keyof WatchEvents): number {
    return this.#events.listenerCount(event as never);
  }

  close(options: CallOptions = {}): Promise<void> {
    this.end();
    return this.#owner.release(this, options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<PersistentWatchEvent, undefined> {
    if (this.#skipped) this.#buffer.push({ type: 'resync', path: this.path });
    this.#isRead = true;
    this.#skipped = false;
    return this.#buffer.iterate();
  }

  /** The server has it. What may have been missed until now is told. */
  arm(): void {
    if (this.#armed || this.#closed) return;
    this.#armed = true;
    if (this.#hasBeenArmed) {
      this.#emit({ type: 'resync', path: this.path });
      return;
    }
    this.#hasBeenArmed = true;
    this.onSettled?.(null);
  }

  /** The server doesn't have it any more. */
  disarm(): void {
    this.#armed = false;
  }

  /** A change, by its server path. One that comes before the server has confirmed the watch is part of what `resync` stands for. */
  tell(type: Change, target: string, zxid: bigint): void {
    if (!this.#armed || this.#closed) return;
    const path = this.#root.toView(target);
    this.#emit(zxid > 0n ? { type, path, zxid } : { type, path });
  }

  /** Once. `failure` also goes to the reader. */
  end(reason?: ZooKeeperError, failure: ZooKeeperError | null = null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#armed = false;
    this.onEnd?.();
    this.#buffer.end(this.#hasBeenArmed ? failure : null);
    if (!this.#hasBeenArmed) this.onSettled?.(reason ?? null);
    if (reason === undefined) this.#events.emit('close');
    else this.#events.emit('close', reason);
  }

  #emit(event: PersistentWatchEvent): void {
    if (this.#isRead || this.listenerCount('event') === 0) this.#buffer.push(event);
    else this.#skipped = true;
    this.#events.emit('event', event);
  }
}
