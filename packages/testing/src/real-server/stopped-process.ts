import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until every thread of a process that was sent SIGSTOP stands still: one that runs on another core goes on for a
 * moment. Where there is no /proc, the signal has to be enough.
 */
export async function standsStill(pid: number): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const states = await threadStates(pid);
    if (states.every((state) => state === 'T' || state === 't' || state === 'Z' || state === 'X')) return;
    await sleep(5);
  }
}

async function threadStates(pid: number): Promise<string[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  return Promise.all(
    threads.map(async (thread) => {
      const stat = await readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8').catch(() => ') X');
      // The name before it may hold anything, parentheses too.
      return stat.slice(stat.lastIndexOf(')') + 2)[0] ?? 'X';
    }),
  );
}
