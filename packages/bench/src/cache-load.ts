import { type Bench, inRounds, type Row } from './bench.ts';
import { ClientProcess, type Program } from './client-process.ts';

/** Those that have a cache of trees. */
const CACHES: ReadonlySet<string> = new Set(['zookit', 'curator']);

const ROOT = '/bench-cache';
const BATCH = 500;
const CHILDREN = 1_000;

/** From the start of a cache of a large tree to its being complete: zookit's TreeCache, and Curator's CuratorCache. */
export async function compareCacheLoads(bench: Bench, programs: readonly Program[]): Promise<Row[]> {
  const caches = programs.filter(({ name }) => CACHES.has(name));
  const base = caches.some(({ name }) => name === 'curator') ? 'curator' : 'zookit';
  const count = bench.quick ? 10_000 : 100_000;
  await makeTree(bench, count);
  const clients: Record<string, ClientProcess> = {};
  try {
    for (const program of caches) clients[program.name] = await ClientProcess.start(program, bench.connectString);
    const load = async (name: string): Promise<number> =>
      (await (clients[name] as ClientProcess).run('cache', ROOT, count, 1)).wall / 1_000;
    // Compilers that work at run time have had their time before anything is measured.
    for (const { name } of caches) await load(name);
    const rounds = Math.min(bench.rounds, 5);
    const samples = await inRounds(rounds, Object.fromEntries(caches.map(({ name }) => [name, () => load(name)])));
    return [{ workload: `cache of ${count.toLocaleString('en')} znodes, loaded`, unit: 'ms', base, samples }];
  } finally {
    await Promise.all(Object.values(clients).map((client) => client.quit()));
    await bench.zk.delete(ROOT, { recursive: true });
  }
}

/** So many znodes of 100 bytes in all, a thousand under each child of the root. */
async function makeTree({ zk }: Bench, count: number): Promise<void> {
  const paths = [ROOT];
  for (let made = 1; paths.length < count; made += 1) {
    const parent = `${ROOT}/${made}`;
    paths.push(parent);
    for (let i = 0; i < CHILDREN && paths.length < count; i += 1) paths.push(`${parent}/${i}`);
  }
  const data = Buffer.alloc(100, 1);
  for (let from = 0; from < count; from += BATCH) {
    const transaction = zk.transaction();
    for (const path of paths.slice(from, from + BATCH)) transaction.create(path, data);
    await transaction.commit();
  }
}
