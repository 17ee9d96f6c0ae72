import { type Deferred, deferred } from '../deferred.ts';
import type { PersistentWatchEvent } from './event.ts';

type Read = IteratorResult<PersistentWatchEvent, undefined>;

interface Reader extends Deferred<Read> {
  /** The iterator that it waits for. */
  owner: object;
}

/** Events that wait for their reader. */
const CAPACITY = 1_000;

const DONE: Read = { done: true, value: undefined };

/** The events of one watch between the server and whoever reads them; bounded: what doesn't fit becomes one `resync`. */
export class EventBuffer {
  readonly #path: string;
  #events: PersistentWatchEvent[] = [];
  /** Where the oldest event lies: those before it have been read. */
  #head = 0;
  #readers: Reader[] = [];
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
    for (const reader of this.#readers.splice(0)) reader.resolve(this.#last());
  }

  /** One reader. Several share the events: each goes to one of them. */
  iterate(): AsyncIterator<PersistentWatchEvent, undefined> {
    const mine = {};
    let left = false;
    return {
      // Its promises are those that `push` resolves: a reader that waits runs before the code behind any later reply.
      next: () => {
        const event = left ? undefined : this.#take();
        if (event !== undefined) return Promise.resolve({ done: false, value: event });
        if (left) return Promise.resolve(DONE);
        if (this.#ended) return this.#last();
        const wait = deferred<Read>();
        this.#readers.push({ ...wait, owner: mine });
        return wait.promise;
      },
      return: () => {
        left = true;
        for (const reader of this.#readers) if (reader.owner === mine) reader.resolve(DONE);
        this.#readers = this.#readers.filter(({ owner }) => owner !== mine);
        return Promise.resolve(DONE);
      },
    };
  }

  #last(): Promise<Read> {
    const failure = this.#failure;
    this.#failure = null;
    return failure === null ? Promise.resolve(DONE) : Promise.reject(failure);
  }

  #take(): PersistentWatchEvent | undefined {
    const event = this.#events[this.#head];
    if (event === undefined) return undefined;
    this.#head += 1;
    if (this.#head === this.#events.length || this.#head === CAPACITY) {
      this.#events = this.#events.slice(this.#head);
      this.#head = 0;
    }
    return event;
  }
}
