/**
 * Elements in buckets by the time at which they run out, as Apache's ExpiryQueue: an element goes with its bucket, up
 * to one interval after its own time, never before it.
 */
export class ExpiryQueue<E> {
  readonly #interval: number;
  readonly #bucketOf = new Map<E, number>();
  readonly #buckets = new Map<number, Set<E>>();

  /** @param interval in milliseconds: the width of a bucket */
  constructor(interval: number) {
    this.#interval = interval;
  }

  /** Adds the element, or moves it to the bucket of a new time. */
  update(element: E, now: number, timeout: number): void {
    const bucket = (Math.floor((Math.floor(now) + timeout) / this.#interval) + 1) * this.#interval;
    if (this.#bucketOf.get(element) === bucket) return;
    this.remove(element);
    this.#bucketOf.set(element, bucket);
    const elements = this.#buckets.get(bucket);
    if (elements === undefined) this.#buckets.set(bucket, new Set([element]));
    else elements.add(element);
  }

  remove(element: E): void {
    const bucket = this.#bucketOf.get(element);
    if (bucket === undefined) return;
    this.#bucketOf.delete(element);
    const elements = this.#buckets.get(bucket);
    elements?.delete(element);
    if (elements?.size === 0) this.#buckets.delete(bucket);
  }

  /** When the next bucket is due; infinity when there is none. */
  get next(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const bucket of this.#buckets.keys()) next = Math.min(next, bucket);
    return next;
  }

  /** Takes out everything whose bucket is due, the oldest bucket first. */
  takeDue(now: number): E[] {
    const due: E[] = [];
    for (let bucket = this.next; bucket <= now; bucket = this.next) {
      for (const element of this.#buckets.get(bucket) ?? []) {
        due.push(element);
        this.#bucketOf.delete(element);
      }
      this.#buckets.delete(bucket);
    }
    return due;
  }
}
