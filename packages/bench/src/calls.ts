import { type Bench, inRounds, type Row } from './bench.ts';
import { ClientProcess, type Cost, type Program } from './client-process.ts';

interface Plan {
  workload: string;
  unit: string;
  /** What the drivers are told. */
  run: string;
  path: string;
  /** Operations a round. */
  count: number;
  window: number;
  figure: 'cpu' | 'p50';
  target: { ratio: number };
  /** Runs before anything is measured, for compilers that work at run time; default 2. */
  warmUps?: number;
  /** Once the watches are set. */
  during?: (bench: Bench) => Promise<unknown>;
  after?: (bench: Bench) => Promise<unknown>;
}

const WATCHED = 1_000;
/** What a compiler makes of a program at run time differs by a tenth from one process to the next. */
const ROUNDS_OF_A_PROCESS = 3;

const plans: readonly Plan[] = [
  {
    ...{ workload: 'get 100 B, window 256', unit: 'µs CPU', run: 'get', path: '/bench/get-100' },
    ...{ count: 20_000, window: 256, figure: 'cpu', target: { ratio: 1.3 } },
  },
  {
    ...{ workload: 'get 4 KiB, window 256', unit: 'µs CPU', run: 'get', path: '/bench/get-4096' },
    ...{ count: 20_000, window: 256, figure: 'cpu', target: { ratio: 1.5 } },
  },
  {
    ...{ workload: 'set 100 B, window 256', unit: 'µs CPU', run: 'set', path: '/bench/set' },
    ...{ count: 10_000, window: 256, figure: 'cpu', target: { ratio: 1.4 } },
  },
  {
    ...{ workload: 'create + delete, window 256', unit: 'µs CPU a pair', run: 'create-delete', path: '/bench/pairs' },
    ...{ count: 6_000, window: 256, figure: 'cpu', target: { ratio: 1.25 } },
  },
  {
    ...{ workload: 'multi of 50 creates, window 16', unit: 'µs CPU', run: 'multi', path: '/bench/multi' },
    ...{ count: 400, window: 16, figure: 'cpu', target: { ratio: 2 }, warmUps: 8 },
    after: async ({ zk }) => {
      await zk.delete('/bench/multi', { recursive: true });
      await zk.create('/bench/multi');
    },
  },
  {
    ...{ workload: 'children of 10,000, window 8', unit: 'µs CPU', run: 'children', path: '/bench/many' },
    ...{ count: 200, window: 8, figure: 'cpu', target: { ratio: 3 } },
  },
  {
    ...{ workload: 'get, one after another', unit: 'µs, p50', run: 'get', path: '/bench/get-100' },
    ...{ count: 3_000, window: 1, figure: 'p50', target: { ratio: 1.1 } },
  },
  {
    ...{ workload: 'watch: set, fired', unit: 'µs CPU an event', run: 'watch', path: '/bench/watched' },
    ...{ count: WATCHED, window: WATCHED, figure: 'cpu', target: { ratio: 1.25 }, warmUps: 10 },
    during: ({ zk }) =>
      Promise.all(Array.from({ length: WATCHED }, (_, index) => zk.set(`/bench/watched/n${index}`, 'x'))),
  },
];

async function prepare({ zk }: Bench): Promise<void> {
  const data = Buffer.alloc(100, 1);
  for (const path of ['', '/pairs', '/multi', '/many', '/watched']) await zk.create(`/bench${path}`);
  await zk.create('/bench/get-100', data);
  await zk.create('/bench/get-4096', Buffer.alloc(4_096, 1));
  await zk.create('/bench/set', data);
  await Promise.all(Array.from({ length: WATCHED }, (_, index) => zk.create(`/bench/watched/n${index}`, data)));
  for (let i = 0; i < 10; i += 1) {
    await Promise.all(
      Array.from({ length: 1_000 }, () => zk.create('/bench/many/item-', null, { mode: 'persistent-sequential' })),
    );
  }
}

/** The calls of one client each, beside a raw socket: CPU time of the client's process, or latency. */
export async function compareCalls(bench: Bench, programs: readonly Program[]): Promise<Row[]> {
  await prepare(bench);
  const rows: Row[] = [];
  for (let left = bench.rounds; left > 0; left -= ROUNDS_OF_A_PROCESS) {
    const found = await compareAll({ ...bench, rounds: Math.min(left, ROUNDS_OF_A_PROCESS) }, programs);
    for (const [index, more] of found.entries()) rows[index] = joined(rows[index], more);
  }
  await bench.zk.delete('/bench', { recursive: true });
  return rows;
}

/** The samples of both, for each client. */
function joined(row: Row | undefined, more: Row): Row {
  if (row === undefined) return more;
  const all = Object.entries(row.samples).map(([name, samples]) => [name, [...samples, ...(more.samples[name] ?? [])]]);
  return { ...row, samples: Object.fromEntries(all) };
}

async function compareAll(bench: Bench, programs: readonly Program[]): Promise<Row[]> {
  const clients: Record<string, ClientProcess> = {};
  try {
    for (const program of programs) clients[program.name] = await ClientProcess.start(program, bench.connectString);
    const rows: Row[] = [];
    for (const plan of plans) rows.push(await compare(bench, plan, clients));
    return rows;
  } finally {
    await Promise.all(Object.values(clients).map((client) => client.quit()));
  }
}

async function compare(bench: Bench, plan: Plan, clients: Readonly<Record<string, ClientProcess>>): Promise<Row> {
  const { workload, unit, target, figure, during, after, warmUps = 2 } = plan;
  const count = bench.quick && during === undefined ? Math.ceil(plan.count / 4) : plan.count;
  const run = async (client: ClientProcess): Promise<Cost> => {
    const onArmed = during === undefined ? undefined : () => during(bench);
    const cost = await client.run(plan.run, plan.path, count, plan.window, onArmed);
    await after?.(bench);
    return cost;
  };
  for (const client of Object.values(clients)) for (let i = 0; i < warmUps; i += 1) await run(client);
  const measures = Object.fromEntries(
    Object.entries(clients).map(([name, client]) => [
      name,
      async (): Promise<number> => {
        // Caches and clocks have gone cold while the others had their turns; what is measured is a client at work.
        await run(client);
        const cost = await run(client);
        return figure === 'p50' ? cost.p50 : cost.cpu / count;
      },
    ]),
  );
  return { workload, unit, base: 'floor', target, samples: await inRounds(bench.rounds, measures) };
}
