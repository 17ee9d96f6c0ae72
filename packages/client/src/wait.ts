import { zooKeeperError } from '@zookit/protocol';
import { onAbort } from './abort.ts';
import type { ClientParts } from './client-parts.ts';
import { type CallOptions, checkCallOptions } from './options.ts';

/** The outcome of something that goes on by itself, for a caller who may lose patience with it. */
export function waitFor<T>(
  client: ClientParts,
  work: Promise<T>,
  options: CallOptions,
  operation = 'wait',
): Promise<T> {
  let given: CallOptions;
  try {
    given = checkCallOptions(options, operation);
  } catch (error) {
    work.catch(() => {});
    return Promise.reject(error);
  }
  const { signal, timeout } = given;
  if (signal === undefined && timeout === undefined) return work;
  return new Promise((resolve, reject) => {
    const offs: (() => void)[] = [];
    work.then(resolve, reject).finally(() => {
      for (const off of offs) off();
    });
    if (signal?.aborted) reject(signal.reason);
    else if (signal !== undefined) offs.push(onAbort(signal, () => reject(signal.reason)));
    if (timeout === undefined) return;
    const expire = (): void =>
      reject(zooKeeperError('TIMEOUT', { operation, message: `not done within ${timeout} ms` }));
    offs.push(client.dispatcher.setTimeout(expire, timeout));
  });
}
