import { type ErrorDetails, zooKeeperError } from '@zookit/protocol';
import { abortController, onAbort } from './abort.ts';
import type { Core } from './core.ts';
import { type CallOptions, checkCallOptions } from './options.ts';

/**
 * Does work of several calls under one signal and one timeout: the work gets a signal that aborts with the caller's reason, or
 * with a TimeoutError of these details, and passes it on to all that it waits for.
 */
export async function underDeadline<T>(
  core: Core,
  options: CallOptions,
  details: ErrorDetails & { operation: string },
  work: (inner: { signal?: AbortSignal | undefined }) => Promise<T>,
): Promise<T> {
  const { signal, timeout } = checkCallOptions(options, details.operation);
  signal?.throwIfAborted();
  if (timeout === undefined) return work({ signal });
  const inner = abortController();
  const expire = (): void =>
    inner.abort(zooKeeperError('TIMEOUT', { ...details, message: `not done within ${timeout} ms` }));
  const offs = [core.dispatcher.setTimeout(expire, timeout)];
  if (signal !== undefined) offs.push(onAbort(signal, () => inner.abort(signal.reason)));
  try {
    return await work({ signal: inner.signal });
  } finally {
    for (const off of offs) off();
  }
}

/** What is left, at each call of the result, of one timeout for several calls. */
export function remainder(core: Core, { signal, timeout }: CallOptions): () => CallOptions {
  const { clock } = core.settings.environment;
  if (timeout === undefined) {
    const all = { signal };
    return () => all;
  }
  const until = clock.now() + timeout;
  return () => ({ signal, timeout: Math.max(0, until - clock.now()) });
}
