import { type Bench, inRounds, type Row } from './bench.ts';
import { ClientProcess, type Program } from './client-process.ts';
import { Relay } from './relay.ts';

/** Those that have a lock recipe; the floor does for one contender what goes over the wire. */
const LOCKERS: ReadonlySet<string> = new Set(['zookit', 'curator', 'kazoo']);

interface Plan {
  workload: string;
  /** Grants a round, and contenders, each with a client of its own. */
  grants: number;
  contenders: number;
  time: { unit: string; of: (wall: number, grants: number) => number; ratio: number };
  packets: number;
}

const plans: readonly Plan[] = [
  {
    workload: 'lock, uncontended',
    grants: 1_000,
    contenders: 1,
    // 1.4 times as many a second.
    time: { unit: 'µs a grant', of: (wall, grants) => wall / grants, ratio: 1 / 1.4 },
    packets: 3,
  },
  {
    workload: 'lock, 20 contenders × 10',
    grants: 200,
    contenders: 20,
    time: { unit: 'ms', of: (wall) => wall / 1_000, ratio: 0.8 },
    packets: 5,
  },
];

/** The mutexes of the clients that have one: time, and packets a grant. */
export async function compareLocks(bench: Bench, programs: readonly Program[]): Promise<Row[]> {
  const recipes = programs.filter(({ name }) => LOCKERS.has(name));
  const base = recipes.some(({ name }) => name === 'curator') ? 'curator' : 'zookit';
  const rows: Row[] = [];
  for (const plan of plans) {
    const { workload, time, packets, contenders } = plan;
    const lockers =
      contenders === 1 ? programs.filter((each) => each.name === 'floor' || recipes.includes(each)) : recipes;
    const took = { workload, unit: time.unit, base, samples: await times(bench, plan, lockers) };
    rows.push(base === 'zookit' ? took : { ...took, target: { ratio: Number(time.ratio.toFixed(2)) } });
    const samples = await packetsOf(bench, plan, recipes);
    rows.push({ workload, unit: 'packets a grant', base, samples, target: { most: packets } });
  }
  return rows;
}

async function times(
  { connectString, rounds, quick }: Bench,
  { grants, contenders, time }: Plan,
  lockers: readonly Program[],
): Promise<Record<string, number[]>> {
  const clients: Record<string, ClientProcess> = {};
  try {
    for (const program of lockers) clients[program.name] = await ClientProcess.start(program, connectString);
    const run = async (name: string): Promise<number> => {
      const { wall } = await (clients[name] as ClientProcess).run('lock', `/bench-locks-${name}`, grants, contenders);
      return time.of(wall, grants);
    };
    // Compilers that work at run time have had their time before anything is measured.
    for (let warming = 0; warming < (quick ? 2 : 5); warming += 1) {
      for (const { name } of lockers) await run(name);
    }
    return await inRounds(rounds, Object.fromEntries(lockers.map(({ name }) => [name, () => run(name)])));
  } finally {
    await Promise.all(Object.values(clients).map((client) => client.quit()));
  }
}

async function packetsOf(
  { server, quick }: Bench,
  { grants, contenders }: Plan,
  lockers: readonly Program[],
): Promise<Record<string, number[]>> {
  const { host, port } = server.members[0] as { host: string; port: number };
  const relay = await Relay.start(host, port);
  const samples: Record<string, number[]> = {};
  try {
    for (const program of lockers) {
      const client = await ClientProcess.start(program, relay.connectString);
      const run = async (): Promise<number> => {
        const before = relay.requests;
        await client.run('lock', `/bench-locks-${program.name}`, grants, contenders);
        return (relay.requests - before) / grants;
      };
      // Connects, and makes the parents.
      await run();
      const found: number[] = [];
      for (let round = 0; round < (quick ? 1 : 5); round += 1) found.push(await run());
      samples[program.name] = found;
      await client.quit();
    }
    return samples;
  } finally {
    relay.stop();
  }
}
