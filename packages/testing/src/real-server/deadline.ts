import { setMaxListeners } from 'node:events';

export interface WaitOptions {
  signal?: AbortSignal | undefined;
  /** Milliseconds. */
  timeout?: number | undefined;
}

/**
 * Runs `work` with a signal that aborts when the time is up, when the caller's signal aborts, or when `work` aborts it;
 * what `work` then rejects with gives way to the reason, or to what `late` makes of it when it was the time.
 */
export async function withDeadline<T>(
  { signal, timeout }: { signal: AbortSignal | undefined; timeout: number },
  late: () => Promise<Error>,
  work: (controller: AbortController) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  // One listener a server: as many as there are.
  setMaxListeners(0, controller.signal);
  let isLate = false;
  const onAbort = (): void => controller.abort(signal?.reason);
  const timer = setTimeout(() => {
    isLate = true;
    controller.abort();
  }, timeout);
  signal?.addEventListener('abort', onAbort);
  try {
    return await work(controller);
  } catch (error) {
    if (isLate) throw await late();
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}
