import { type Deferred, deferred } from '../deferred.ts';
import type { PersistentWatchEvent } from './event.ts';

/** Events that wait for their reader. */
const CAPACITY = 1_000;

/** The events of one watch between the server and whoever reads them; bounded: what doesn't fit becomes one `resync`. */
export class EventBuffer {
  readonly #path: string;
  #events: PersistentWatchEvent[] = [];
  /** Where the oldest event lies: those before it have been read. */
  #head = 0;
  readonly #readers: Deferred<IteratorResult<PersistentWatchEvent, undefined>>[] = [];
  #ended = false;
  #failure: unknown = null;

  /** `path` is that of the `resync` events it makes. */
  constructor(path: string) {
    this.#path = path;
  }

  push(event: PersistentWatchEvent): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) reader.resolve({ done: false, value: event });
    else if (this.#events.length - this.#head < CAPACITY) this.#events.push(event);
    else if (this.#events.at(-1)?.type !== 'resync') this.#events.push({ type: 'resync', path: this.#path });
  }

  /** No more comes. What is here can still be read; then readers are told the end, or the failure, once. */
  end(failure: unknown = null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    for (const reader of this.#readers.splice(0)) void this.#next().then(reader.resolve, reader.reject);
  }

  next(): Promise<IteratorResult<PersistentWatchEvent, undefined>> {
    return this.#next();
  }

  #next(): Promise<IteratorResult<PersistentWatchEvent, undefined>> {
    const value = this.#events[this.#head];
    if (value !== undefined) {
      this.#advance();
      return Promise.resolve({ done: false, value });
    }
    if (!this.#ended) {
      const reader = deferred<IteratorResult<PersistentWatchEvent, undefined>>();
      this.#readers.push(reader);
      return reader.promise;
    }
    const failure = this.#failure;
    this.#failure = null;
    return failure === null ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(failure);
  }

  #advance(): void {
    this.#head += 1;
    if (this.#head < this.#events.length && this.#head < CAPACITY) return;
    this.#events = this.#events.slice(this.#head);
    this.#head = 0;
  }
}
