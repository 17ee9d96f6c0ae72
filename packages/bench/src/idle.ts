import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Bench, inRounds, type Row } from './bench.ts';

const CLIENTS = 200;

/** What a connected client that does nothing costs in the heap of its process. */
export async function compareIdleClients(bench: Bench): Promise<Row[]> {
  const script = fileURLToPath(new URL('./drivers/idle-heap.js', import.meta.url));
  const measure = (name: string) => async (): Promise<number> => {
    const args = ['--expose-gc', '--disable-warning=DEP0040', script, name, bench.connectString, String(CLIENTS)];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    return Number(stdout) / 1_024;
  };
  const names = ['floor', 'zookit', 'node-zookeeper-client'];
  const samples = await inRounds(
    Math.min(bench.rounds, 3),
    Object.fromEntries(names.map((name) => [name, measure(name)])),
  );
  return [{ workload: 'an idle client', unit: 'KiB of heap', base: 'floor', samples, target: { most: 6 } }];
}
