/** Wakes one waiter. A ring before the wait counts until `clear()`, so that no wake-up is lost. */
export class Bell {
  #rung = false;
  #wake: (() => void) | null = null;

  /** Whether it has rung since `clear()`. */
  get rung(): boolean {
    return this.#rung;
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  clear(): void {
    this.#rung = false;
  }

  /** Resolves at the next ring, or at once when it has rung since `clear()`. */
  heard(): Promise<void> {
    if (this.#rung) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
