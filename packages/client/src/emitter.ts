import { EventEmitter } from 'eventemitter3';

// biome-ignore lint/suspicious/noExplicitAny: the shape that eventemitter3 asks of an event map
type EventMap = Record<string, (...args: any[]) => void>;

/**
 * An emitter in which a listener that throws stops nobody else: its error goes to the `error` event and, when nobody
 * listens to that, to `process.emitWarning`.
 */
export class SafeEmitter<Events extends EventMap> extends EventEmitter<Events & { error: (error: unknown) => void }> {
  // biome-ignore lint/suspicious/noExplicitAny: as in eventemitter3; what may be emitted is typed by `on`
  override emit(event: any, ...args: any[]): boolean {
    const listeners = this.listeners(event) as ((...args: unknown[]) => void)[];
    for (const listener of listeners) {
      this.removeListener(event, listener as never, undefined, true);
      guarded(() => listener.apply(this, args), event === 'error' ? warn : (error) => this.report(error));
    }
    return listeners.length > 0;
  }

  /** Tells the `error` listeners, or warns when there are none. Never throws. */
  report(error: unknown): void {
    if (!this.emit('error', error)) warn(error);
  }
}

/** Runs foreign code; what it throws, or what its promise rejects with, goes to `onError`. */
export function guarded(run: () => unknown, onError: (error: unknown) => void): void {
  try {
    const result = run();
    if (typeof (result as PromiseLike<unknown> | undefined)?.then === 'function') {
      (result as PromiseLike<unknown>).then(undefined, onError);
    }
  } catch (error) {
    onError(error);
  }
}

function warn(error: unknown): void {
  // As text: Node refuses an Error of another realm, and nothing may be thrown from here.
  const { message = String(error), stack } = (error ?? {}) as Partial<Error>;
  process.emitWarning(message, { type: 'ZookitWarning', ...(stack === undefined ? {} : { detail: stack }) });
}
