import pRetry, { type Options as RetryOptions } from 'p-retry';

/**
 * Makes an attempt again and again, by p-retry's options, until it succeeds, fails with something that `again` doesn't accept, or
 * the signal aborts. The first failure has happened already: it counts, and the first repetition comes at once.
 */
export function repeat<T>(
  attempt: () => Promise<T>,
  options: RetryOptions,
  again: (error: unknown) => boolean,
  signal: AbortSignal,
  unref: boolean,
): Promise<T> {
  return pRetry(attempt, {
    ...options,
    retries: Math.max(0, (options.retries ?? 5) - 1),
    signal,
    unref: options.unref ?? unref,
    shouldRetry: (context) => again(context.error) && (options.shouldRetry?.(context) ?? true),
  });
}
