import { type Core, isPassing } from '@zookit/client/internal';
import type { Patience } from './patience.ts';

/** Between rounds that fail one after the other, in ms; doubled each time. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 2_000;

/**
 * Makes one round after the other until one has an outcome. A round that fails by the connection, the session or the
 * load is made again, ever more slowly. Rejects with what the server refuses, or what ended the wait.
 */
export async function inRounds<T>(
  core: Core,
  patience: Patience,
  round: () => Promise<T | 'again'>,
  pause: (ms: number) => Promise<void> = (ms) => patience.pause(ms),
): Promise<T> {
  for (let failures = 0; ; ) {
    try {
      const outcome = await round();
      if (outcome !== 'again') return outcome;
      failures = 0;
    } catch (error) {
      const { signal } = patience;
      if (signal.aborted) throw signal.reason;
      if (!isPassing(error) || core.over.aborted) throw error;
      if (failures > 0) await pause(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1)));
      failures += 1;
    }
  }
}
