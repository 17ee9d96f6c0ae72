import type { ConnectionOptions } from './connection-options.ts';
import { zooKeeperError } from './errors.ts';
import { type Greeted, shakeHands } from './shake-hands.ts';
import { describeTarget, openTransport } from './transport.ts';

/** Opens a socket and shakes hands on it, all within `handshakeTimeout`; `make` as in `shakeHands`. No socket is left open when it rejects. */
export async function openAndGreet<T>(options: ConnectionOptions, make: (greeted: Greeted) => T): Promise<T> {
  const { clock, signal, target, handshakeTimeout } = options;
  const given = new AbortController();
  const onAbort = (): void => given.abort(signal.reason);
  const timer = clock.setTimeout(
    () =>
      given.abort(
        zooKeeperError('TIMEOUT', {
          operation: 'connect',
          message: `no handshake with ${describeTarget(target)} within ${Math.round(handshakeTimeout)} ms`,
        }),
      ),
    handshakeTimeout,
  );
  if (options.unref) timer.unref?.();
  signal.addEventListener('abort', onAbort);
  try {
    signal.throwIfAborted();
    const socket = await openTransport(target, options.open, options.unref, given.signal);
    return await shakeHands(socket, options, given.signal, make);
  } finally {
    signal.removeEventListener('abort', onAbort);
    clock.clearTimeout(timer);
  }
}
