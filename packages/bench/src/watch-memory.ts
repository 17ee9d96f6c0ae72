import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Bench, inRounds, type Row } from './bench.ts';

const WATCHES = 100_000;

/** What a watch costs in the heap of the client's process: many on missing znodes, with one listener for all. */
export async function compareWatchMemory(bench: Bench): Promise<Row[]> {
  const count = String(bench.quick ? WATCHES / 5 : WATCHES);
  const script = fileURLToPath(new URL('./drivers/watch-heap.js', import.meta.url));
  const measure = (name: string, kind: string) => async (): Promise<number> => {
    const args = ['--expose-gc', '--disable-warning=DEP0040', script, name, kind, bench.connectString, count];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    return Number(stdout);
  };
  const rounds = Math.min(bench.rounds, 3);
  const unit = 'bytes of heap';
  return [
    {
      workload: 'a one-shot watch',
      unit,
      base: 'zookit',
      samples: await inRounds(rounds, {
        zookit: measure('zookit', 'one-shot'),
        'node-zookeeper-client': measure('node-zookeeper-client', 'one-shot'),
      }),
      target: { most: 180 },
    },
    {
      workload: 'a persistent watch, with its handle and a listener',
      unit,
      base: 'zookit',
      samples: await inRounds(rounds, { zookit: measure('zookit', 'persistent') }),
    },
  ];
}
