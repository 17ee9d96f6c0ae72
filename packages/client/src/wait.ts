import { zooKeeperError } from '@zookit/protocol';
import { onAbort } from './abort.ts';
import type { ClientParts } from './client-parts.ts';
import { type CallOptions, checkCallOptions } from './options.ts';

/** The outcome of something that goes on by itself, for a caller who may lose patience with it. */
export function waitFor<T>(
  client: ClientParts,
  work: Promise<T>,
  { signal, timeout }: CallOptions,
  operation = 'wait',
): Promise<T> {
  if (signal === undefined && timeout === undefined) return work;
  return new Promise((resolve, reject) => {
    const offs: (() => void)[] = [];
    work.then(resolve, reject).finally(() => {
      for (const off of offs) off();
    });
    checkCallOptions({ timeout }, operation);
    if (signal?.aborted) reject(signal.reason);
    else if (signal !== undefined) offs.push(onAbort(signal, () => reject(signal.reason)));
    if (timeout === undefined) return;
    const expire = (): void =>
      reject(zooKeeperError('TIMEOUT', { operation, message: `not done within ${timeout} ms` }));
    offs.push(client.dispatcher.setTimeout(expire, timeout));
  });
}
