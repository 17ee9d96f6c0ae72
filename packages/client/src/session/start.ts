import type { ZooKeeperError } from '@zookit/protocol';
import { type Deferred, deferred } from '../deferred.ts';
import type { Settings } from '../options.ts';

/** The wait for a client's first session, at most `connectTimeout` long. */
export class Start {
  readonly #settings: Settings;
  readonly #onTimeout: () => void;
  #wait: Deferred<void> | null = null;
  #timer: ReturnType<Settings['environment']['clock']['setTimeout']> | null = null;

  constructor(settings: Settings, onTimeout: () => void) {
    this.#settings = settings;
    this.#onTimeout = onTimeout;
  }

  /** What `connect()` hands out; null before it was called. */
  get promise(): Promise<void> | null {
    return this.#wait?.promise ?? null;
  }

  begin(): Promise<void> {
    this.#wait = deferred<void>();
    // The state tells it as well: a caller who drops the promise must not bring the process down.
    this.#wait.promise.catch(() => {});
    const { connectTimeout, environment, unref } = this.#settings;
    if (connectTimeout > 0) {
      this.#timer = environment.clock.setTimeout(this.#onTimeout, connectTimeout);
      if (unref) this.#timer.unref?.();
    }
    return this.#wait.promise;
  }

  succeeded(): void {
    this.#disarm();
    this.#wait?.resolve();
  }

  failed(error: ZooKeeperError): void {
    this.#disarm();
    this.#wait?.reject(error);
  }

  #disarm(): void {
    if (this.#timer !== null) this.#settings.environment.clock.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
