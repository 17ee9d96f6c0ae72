import { setTimeout as pause } from 'node:timers/promises';

const PATIENCE_MS = 10_000;
const POLL_MS = 5;

/** Waits until a condition holds, by asking again and again. Rejects after 10 s, with what it waited for. */
export async function until(what: string, holds: () => unknown): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Not within ${PATIENCE_MS} ms: ${what}`);
    await pause(POLL_MS);
  }
}
