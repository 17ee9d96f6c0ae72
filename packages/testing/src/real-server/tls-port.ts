import { connect } from 'node:tls';
import type { FourLetterWordOptions } from './four-letter-word.ts';

/**
 * Whether a handshake on this port gets as far as a word of the server's, be it an alert: a server that is not ready hangs up
 * without one. False after `timeout` ms (default 1,000); rejects when the signal aborts.
 */
export function speaksTls(port: number, { signal, timeout = 1_000 }: FourLetterWordOptions = {}): Promise<boolean> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    // The server is our own child: whether its certificate is good is what the test that uses it asks.
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.destroy();
      finish();
    };
    const onAbort = (): void => settle(() => reject(signal?.reason));
    const timer = setTimeout(() => settle(() => resolve(false)), timeout);
    signal?.addEventListener('abort', onAbort);
    socket.on('secureConnect', () => settle(() => resolve(true)));
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => settle(() => resolve(code.startsWith('ERR_SSL_'))));
    socket.on('close', () => settle(() => resolve(false)));
  });
}
