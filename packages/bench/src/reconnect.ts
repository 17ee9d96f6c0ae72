import { type Bench, inRounds, type Row } from './bench.ts';
import { ClientProcess, type Program } from './client-process.ts';
import { Relay, type Return } from './relay.ts';

/** Those that set their watches again by themselves, in setWatches. */
const REARMING: ReadonlySet<string> = new Set(['zookit', 'node-zookeeper-client', 'curator']);

const WATCHES = 10_000;

/** What a client does when its connection is cut and the server is there at once: how long it waits, and how long its watches take. */
export async function compareReconnects(bench: Bench, programs: readonly Program[]): Promise<Row[]> {
  const { host, port } = bench.server.members[0] as { host: string; port: number };
  const watches = bench.quick ? WATCHES / 5 : WATCHES;
  const clients: { program: Program; relay: Relay; process: ClientProcess }[] = [];
  const returns: Record<string, Return[]> = {};
  try {
    for (const program of programs.filter(({ name }) => REARMING.has(name))) {
      const relay = await Relay.start(host, port);
      const process = await ClientProcess.start(program, relay.connectString);
      clients.push({ program, relay, process });
      await process.run('set-watches', '/bench-reconnect', watches, 256);
      returns[program.name] = [];
    }
    const cut = async (relay: Relay, name: string): Promise<number> => {
      const back = await relay.cut(watches);
      returns[name]?.push(back);
      return back.waited;
    };
    const measures = clients.map(({ relay, program: { name } }) => [name, () => cut(relay, name)] as const);
    // Compilers that work at run time have had their time before anything is measured.
    for (let i = 0; i < 2; i += 1) for (const [, measure] of measures) await measure();
    for (const found of Object.values(returns)) found.length = 0;
    const waited = await inRounds(bench.rounds, Object.fromEntries(measures));
    const rearmed = Object.fromEntries(
      Object.entries(returns).map(([name, found]) => [name, found.map((back) => back.rearmed)]),
    );
    const workload = `reconnect with ${watches.toLocaleString('en')} watches`;
    const base = programs.some(({ name }) => name === 'curator') ? 'curator' : 'zookit';
    return [
      { workload: `${workload}, until it asks again`, unit: 'ms', base, samples: waited, target: { most: 5 } },
      { workload: `${workload}, then until all are set`, unit: 'ms', base, samples: rearmed, target: { most: 40 } },
    ];
  } finally {
    await Promise.all(clients.map(({ process }) => process.quit()));
    for (const { relay } of clients) relay.stop();
  }
}
