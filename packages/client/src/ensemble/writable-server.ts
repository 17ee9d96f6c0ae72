import type { Duplex } from 'node:stream';
import { ignore } from '@zookit/protocol/internal';
import { onAbort } from '../abort.ts';
import type { Host } from '../connect-string.ts';
import type { Settings } from '../options.ts';
import { addressesOf, pause } from '../session/attempt.ts';

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 60_000;
const ANSWER_TIMEOUT = 1_000;

/** Asks one server after another whether it is writable, until one is; null when the signal aborts first. */
export async function findWritable(
  settings: Settings,
  hosts: () => readonly Host[],
  signal: AbortSignal,
): Promise<Host | null> {
  let wait = FIRST_PAUSE;
  for (let index = 0; !signal.aborted; index += 1) {
    await pause(settings, wait, signal);
    wait = Math.min(LONGEST_PAUSE, wait * 2);
    const candidates = hosts();
    const host = candidates[index % candidates.length] as Host;
    if (!signal.aborted && (await isWritable(settings, host, signal))) return host;
  }
  return null;
}

/** The four-letter word `isro`: `rw` from a server that has its quorum. Servers without read-only mode answer nothing. */
async function isWritable(settings: Settings, { host, port }: Host, signal: AbortSignal): Promise<boolean> {
  const { clock, connect } = settings.environment;
  try {
    const [address] = await addressesOf(settings, host, ANSWER_TIMEOUT, signal);
    if (address === undefined || signal.aborted) return false;
    const socket = connect({ host, address, port, tls: settings.tls });
    if (settings.unref) (socket as { unref?(): unknown }).unref?.();
    return await new Promise((resolve) => {
      const answer = (writable: boolean): void => {
        clock.clearTimeout(timer);
        off();
        socket.on('error', ignore);
        socket.destroy();
        resolve(writable);
      };
      const timer = clock.setTimeout(() => answer(false), ANSWER_TIMEOUT);
      if (settings.unref) timer.unref?.();
      const off = onAbort(signal, () => answer(false));
      ask(socket, settings.tls !== null, answer);
    });
  } catch {
    // A name that can't be resolved now may be later; the next host is asked.
    return false;
  }
}

function ask(socket: Duplex, tls: boolean, answer: (writable: boolean) => void): void {
  let heard = '';
  socket.on(tls ? 'secureConnect' : 'connect', () => socket.write('isro'));
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1');
    if (heard.length >= 2) answer(heard.startsWith('rw'));
  });
  socket.on('error', () => answer(false));
  socket.on('close', () => answer(false));
}
