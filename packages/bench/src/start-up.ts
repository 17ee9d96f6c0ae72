import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Bench, inRounds, type Row } from './bench.ts';

/** From the start of a process to its first answered get: zookit, and a raw socket. */
export async function compareStartUp(bench: Bench): Promise<Row[]> {
  await bench.zk.create('/start-up', 'x');
  const time = (name: string) => (): Promise<number> =>
    new Promise((resolve, reject) => {
      const script = fileURLToPath(new URL('./drivers/first-get.js', import.meta.url));
      const began = performance.now();
      const child = spawn(process.execPath, [script, name, bench.connectString], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let took: number | null = null;
      createInterface({ input: child.stdout }).once('line', () => {
        took = performance.now() - began;
      });
      child.on('error', reject);
      child.on('close', (code) => {
        if (took === null) reject(new Error(`${name} ended with code ${code} before its first get`));
        else resolve(took);
      });
    });
  const samples = await inRounds(bench.quick ? bench.rounds : bench.rounds * 2, {
    floor: time('floor'),
    zookit: time('zookit'),
    'node-zookeeper-client': time('node-zookeeper-client'),
  });
  await bench.zk.delete('/start-up');
  return [
    { workload: 'process start to first answered get', unit: 'ms', base: 'floor', samples, target: { more: 25 } },
  ];
}
