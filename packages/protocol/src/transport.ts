import type { Duplex } from 'node:stream';
import type { OpenSocket, SocketTarget } from './environment.ts';
import { zooKeeperError } from './errors.ts';

/** Names a target in messages: the host as written, and the address when it differs. */
export function describeTarget({ host, address, port }: SocketTarget): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return address === host ? `${name}:${port}` : `${name}:${port} (${address})`;
}

/**
 * Opens a socket and waits until it can be written to.
 *
 * Rejects with ConnectionLossError, whose `cause` is the socket's own error, or with the signal's reason. A socket that did not get so far is destroyed.
 */
export function openTransport(
  target: SocketTarget,
  open: OpenSocket,
  unref: boolean,
  signal: AbortSignal,
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const failed = (cause: unknown): void =>
      settle(() =>
        reject(
          zooKeeperError('CONNECTION_LOSS', {
            operation: 'connect',
            message: `no connection to ${describeTarget(target)}: ${reasonOf(cause)}`,
            cause,
          }),
        ),
      );
    let socket: Duplex;
    try {
      socket = open(target);
    } catch (cause) {
      reject(
        zooKeeperError('CONNECTION_LOSS', {
          operation: 'connect',
          message: `no socket for ${describeTarget(target)}: ${reasonOf(cause)}`,
          cause,
        }),
      );
      return;
    }
    if (unref) (socket as { unref?(): unknown }).unref?.();
    const ready = target.tls === null ? 'connect' : 'secureConnect';
    const onReady = (): void => {
      cleanUp();
      resolve(socket);
    };
    const onClose = (): void => failed(zooKeeperError('CONNECTION_LOSS', { message: 'closed by the peer' }));
    const onAbort = (): void => settle(() => reject(signal.reason));
    const settle = (end: () => void): void => {
      cleanUp();
      // A destroyed socket may still report the error that ended it; nobody is left to hear it.
      socket.on('error', ignore);
      socket.destroy();
      end();
    };
    const cleanUp = (): void => {
      socket.off(ready, onReady);
      socket.off('error', failed);
      socket.off('close', onClose);
      signal.removeEventListener('abort', onAbort);
    };
    socket.on(ready, onReady);
    socket.on('error', failed);
    socket.on('close', onClose);
    signal.addEventListener('abort', onAbort);
  });
}

export function ignore(): void {}

/** A foreign error's own words. Node's errors are not always `instanceof Error` (other realms), so the shape is asked. */
export function reasonOf(cause: unknown): string {
  if (typeof cause === 'object' && cause !== null) {
    const { code, message } = cause as { code?: unknown; message?: unknown };
    if (typeof message === 'string' && message !== '') return message;
    if (typeof code === 'string') return code;
  }
  return String(cause);
}
