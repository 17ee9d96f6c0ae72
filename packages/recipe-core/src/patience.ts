import { type CallOptions, TimeoutError } from '@zookit/client';
import { onAbort } from '@zookit/client/internal';
import { requireCallOptions } from './recipe-options.ts';

/** Whose end ends a wait, and whose timers it uses: a client's core. */
export interface PatienceHost {
  readonly over: AbortSignal;
  readonly dispatcher: { setTimeout(callback: () => void, ms: number): () => void };
}

/** What is waited for, for messages. */
export interface Wish {
  operation: string;
  path: string;
}

/**
 * One wait of a caller, over however many calls: its signal aborts when the caller's does, when the time is up
 * (TimeoutError), or when the client is over. `end()` it.
 */
export class Patience {
  readonly #core: PatienceHost;
  /** Aborts when the wait is over. */
  readonly signal: AbortSignal;
  readonly #offs: (() => void)[] = [];

  /** Throws BadArgumentsError on a bad signal or timeout, and the reason when the wait is over before it begins. */
  constructor(core: PatienceHost, options: CallOptions, { operation, path }: Wish) {
    requireCallOptions(options, { operation, path });
    const { signal, timeout } = options;
    this.#core = core;
    signal?.throwIfAborted();
    core.over.throwIfAborted();
    const isLimited = timeout !== undefined && timeout !== Number.POSITIVE_INFINITY;
    this.signal = core.over;
    if (signal === undefined && !isLimited) return;
    const controller = new AbortController();
    this.signal = controller.signal;
    const follow = (other: AbortSignal): void => {
      this.#offs.push(onAbort(other, () => controller.abort(other.reason)));
    };
    follow(core.over);
    if (signal !== undefined) follow(signal);
    if (!isLimited) return;
    const expire = (): void =>
      controller.abort(
        new TimeoutError('TIMEOUT', {
          operation,
          path,
          message: `not done within ${timeout} ms`,
        }),
      );
    this.#offs.push(core.dispatcher.setTimeout(expire, timeout));
  }

  /** Resolves with the promise, or rejects when the wait is over. */
  async for<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this;
    signal.throwIfAborted();
    let off: (() => void) | undefined;
    const over = new Promise<never>((_, reject) => {
      off = onAbort(signal, () => reject(signal.reason));
    });
    try {
      return await Promise.race([promise, over]);
    } finally {
      off?.();
    }
  }

  /** Resolves after `ms`. */
  async pause(ms: number): Promise<void> {
    let stop: (() => void) | undefined;
    const over = new Promise<void>((resolve) => {
      stop = this.#core.dispatcher.setTimeout(resolve, ms);
    });
    try {
      await this.for(over);
    } finally {
      stop?.();
    }
  }

  /** Lets go of the caller's signal and of the timer. */
  end(): void {
    for (const off of this.#offs) off();
  }
}
