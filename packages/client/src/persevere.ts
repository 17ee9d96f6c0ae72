import type { ZooKeeperError } from '@zookit/protocol';
import type { ClientParts } from './client-parts.ts';
import { pause } from './session/attempt.ts';

/** Between tries, in ms; doubled each time. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;

/** Ends of a try after which another makes sense, on this session or the next. */
const PASSING: ReadonlySet<string> = new Set([
  'CONNECTION_LOSS',
  'SESSION_EXPIRED',
  'SESSION_MOVED',
  'BUSY',
  'THROTTLED_OP',
  'NOT_READ_ONLY',
]);

/** Whether an error says of the connection, the session or the load, and nothing of the request itself. */
export function isPassing(error: unknown): boolean {
  return PASSING.has((error as Partial<ZooKeeperError>).code ?? '');
}

/**
 * Makes an attempt again and again, ever more slowly, until it succeeds, the server refuses it, or the client is over, or the
 * signal aborts; rejects as the last one then.
 */
export async function persevere<T>(
  client: ClientParts,
  attempt: () => Promise<T>,
  signal: AbortSignal = client.over,
): Promise<T> {
  for (let wait = 0; ; wait = Math.min(LONGEST_PAUSE, wait === 0 ? FIRST_PAUSE : wait * 2)) {
    await pause(client.settings, wait, signal);
    try {
      return await attempt();
    } catch (error) {
      if (!isPassing(error) || client.session.end !== null || client.over.aborted || signal.aborted) throw error;
    }
  }
}
