/** Delivers one thing after the other: what is sent by a receiver comes after what is being delivered, for everybody. */
export class Outbox {
  readonly #waiting: (() => void)[] = [];

  send(deliver: () => void): void {
    this.#waiting.push(deliver);
    if (this.#waiting.length > 1) return;
    for (let [next] = this.#waiting; next !== undefined; [next] = this.#waiting) {
      next();
      this.#waiting.shift();
    }
  }
}
