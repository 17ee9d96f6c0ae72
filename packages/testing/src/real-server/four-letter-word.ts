import { connect } from 'node:net';

const ANSWER_MS = 5_000;

export interface FourLetterWordOptions {
  signal?: AbortSignal | undefined;
  /** Milliseconds for the whole exchange; default 5,000. */
  timeout?: number | undefined;
}

/** Asks one server a 4-letter command. Rejects when nobody listens, or the answer is not complete in time. */
export function fourLetterWord(
  port: number,
  word: string,
  { signal, timeout = ANSWER_MS }: FourLetterWordOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const pieces: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(word));
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.destroy();
      finish();
    };
    const onAbort = (): void => settle(() => reject(signal?.reason));
    const late = new Error(`No answer to '${word}' from port ${port} within ${timeout} ms`);
    const timer = setTimeout(() => settle(() => reject(Object.assign(late, { code: 'TIMEOUT' }))), timeout);
    signal?.addEventListener('abort', onAbort);
    socket.on('data', (piece) => pieces.push(piece));
    socket.on('end', () => settle(() => resolve(Buffer.concat(pieces).toString())));
    socket.on('error', (error) => settle(() => reject(error)));
  });
}

/** What a server's `srvr` says behind 'Mode: '; null when it doesn't serve, or doesn't answer within `timeout` ms. */
export async function serverMode(
  port: number,
  { signal, timeout = 1_000 }: FourLetterWordOptions = {},
): Promise<string | null> {
  try {
    const answer = await fourLetterWord(port, 'srvr', { signal, timeout });
    return /^Mode: (\S+)/m.exec(answer)?.[1] ?? null;
  } catch {
    signal?.throwIfAborted();
    return null;
  }
}
