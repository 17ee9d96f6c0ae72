import { type CallOptions, ClosedError } from '@zookit/client';
import { abortController, coreOf, SafeEmitter, waitFor } from '@zookit/client/internal';
import { Patience, requireCallOptions } from '@zookit/recipe-core/internal';
import type { ServiceInstance } from './service-instance.ts';
import type { InstancesChange, ServiceWatch, ServiceWatchEvents } from './service-watch.ts';
import type { SharedWatches } from './shared-watches.ts';

/** The instances of one service as they come and go. Made by `discovery.cache()`; those of one service share their watch. */
export class ServiceCache extends SafeEmitter<ServiceWatchEvents> {
  /** Of the service. */
  readonly name: string;
  protected readonly watches: SharedWatches;
  readonly #closing = abortController();
  readonly #onClose: () => void;
  #watch: ServiceWatch | null = null;
  #closed: Promise<void> | null = null;
  readonly #onChange = (change: InstancesChange): void => {
    this.onChange(change);
    this.emit('change', change);
  };
  readonly #onStale = (): void => void this.emit('stale');
  readonly #onResynced = (): void => void this.emit('resynced');
  readonly #onError = (error: unknown): void => this.report(error);

  constructor(watches: SharedWatches, name: string, onClose: () => void) {
    super();
    this.watches = watches;
    this.name = name;
    this.#onClose = onClose;
  }

  /**
   * Begins to follow; resolves when the list is complete, once there is a connection. Called again, it is the same wait. When it rejects
   * (the signal's reason, TimeoutError, ClosedError, NoAuthError), it is closed.
   */
  async start(options: CallOptions = {}): Promise<void> {
    this.#closing.signal.throwIfAborted();
    const patience = new Patience(coreOf(this.watches.zk), options, { operation: 'start', path: this.#path });
    this.#watch ??= this.#listen();
    try {
      await patience.for(this.#watch.start());
      this.#closing.signal.throwIfAborted();
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      patience.end();
    }
  }

  /** As they are now or, while it is `stale`, as they were. Invalid ones are left out. */
  get instances(): ServiceInstance[] {
    return [...this.current];
  }

  /** Whether the connection is lost, or was and the list has not been read again since. Also true before it is started. */
  get stale(): boolean {
    return this.#watch?.stale ?? true;
  }

  /** Stops following. Idempotent. `options` end the wait alone. */
  async close(options: CallOptions = {}): Promise<void> {
    requireCallOptions(options, { operation: 'close', path: this.#path });
    this.#closed ??= this.#close();
    await waitFor(coreOf(this.watches.zk), this.#closed, options, 'close');
  }

  get #path(): string {
    return this.watches.pathOf(this.name);
  }

  async #close(): Promise<void> {
    this.#closing.abort(new ClosedError('CLOSED', { message: `the cache of ${this.name} is closed` }));
    this.#onClose();
    const watch = this.#watch;
    this.#watch = null;
    if (watch === null) return;
    this.#ignore(watch);
    await this.watches.release(this.name, watch);
  }

  /** As `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The same list for as long as nothing changes. */
  protected get current(): readonly ServiceInstance[] {
    return this.#watch?.instances ?? [];
  }

  /** Before users hear of a change. */
  protected onChange(_change: InstancesChange): void {}

  #listen(): ServiceWatch {
    const watch = this.watches.take(this.name);
    watch
      .on('change', this.#onChange)
      .on('stale', this.#onStale)
      .on('resynced', this.#onResynced)
      .on('error', this.#onError);
    return watch;
  }

  #ignore(watch: ServiceWatch): void {
    watch
      .off('change', this.#onChange)
      .off('stale', this.#onStale)
      .off('resynced', this.#onResynced)
      .off('error', this.#onError);
  }
}
