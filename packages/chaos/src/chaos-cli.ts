#!/usr/bin/env node
// Contenders fight for one lock while faults strike, and their records are judged: --help
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Kind, kinds } from './kinds.ts';
import { type EndName, runReign } from './reign.ts';
import { runChaos } from './run.ts';

const HELP = `Contenders in processes of their own fight for one lock on an ensemble of three while faults strike.

  --seconds N      how long faults strike (default 300)
  --minutes N      the same in minutes
  --seed N         decides which faults strike whom (default: the time)
  --kind KIND      what is fought for: ${Object.keys(kinds).join(', ')} (default mutex)
  --contenders N   (default 10)
  --session MS     session timeout (default 3000)
  --tick MS        of the servers (default 500)
  --ends A,B,…     no storm: holders never let go, and each of these ends what is held in turn:
                   blackhole, stop, kill, delete, restart, wipe
  --folder PATH    where records and verdict.json are kept; must not have any yet (default: a new temporary one)

Exit code: 0 when nothing went wrong, 1 when something did, 2 when called wrongly.
`;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string' },
    kind: { type: 'string', default: 'mutex' },
    contenders: { type: 'string', default: '10' },
    session: { type: 'string', default: '3000' },
    tick: { type: 'string', default: '500' },
    ends: { type: 'string' },
    folder: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

function number(text: string, name: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  process.stderr.write(`--${name} must be a positive number, not ${text}\n`);
  process.exit(2);
}

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (!Object.hasOwn(kinds, values.kind)) {
    process.stderr.write(`--kind must be one of ${Object.keys(kinds).join(', ')}, not ${values.kind}\n`);
    return 2;
  }
  const seconds =
    values.seconds === undefined ? 60 * number(values.minutes ?? '5', 'minutes') : number(values.seconds, 'seconds');
  const seed = values.seed === undefined ? Date.now() % 2 ** 32 : number(values.seed, 'seed');
  const folder = values.folder ?? (await mkdtemp(join(tmpdir(), 'zookit-chaos-')));
  await mkdir(folder, { recursive: true });
  console.log(`seed ${seed}, records in ${folder}`);
  const start = performance.now();
  const common = {
    kind: values.kind as Kind,
    contenders: number(values.contenders, 'contenders'),
    sessionTimeout: number(values.session, 'session'),
    tickTime: number(values.tick, 'tick'),
    folder,
    log: (line: string) => console.log(`${((performance.now() - start) / 1_000).toFixed(1).padStart(7)} s  ${line}`),
  };
  if (values.ends !== undefined) {
    const { took, failures } = await runReign({ ...common, ends: values.ends.split(',') as EndName[] });
    for (const { end, grant, election } of took) {
      console.log(`${end}: the next term after ${grant.toFixed(0)} ms, of which election ${election.toFixed(0)} ms`);
    }
    return conclude(failures);
  }
  const report = await runChaos({ ...common, duration: seconds * 1_000, seed });
  const struck = Object.entries(report.struck).map(([name, count]) => `${count} ${name}`);
  console.log(`${report.grants} grants, ${report.lost} lost, ${report.killed} killed; struck: ${struck.join(', ')}`);
  console.log(`${report.staleWrites} guarded writes after the end of a hold, ${report.refusedTokens} tokens refused`);
  if (report.recovery !== null) {
    const { grant, election } = report.recovery;
    console.log(`last fault to next grant: ${grant?.toFixed(0)} ms, of which election ${election.toFixed(0)} ms`);
  }
  return conclude(report.failures);
}

function conclude(failures: readonly string[]): number {
  for (const failure of failures) console.log(`WRONG: ${failure}`);
  console.log(failures.length === 0 ? 'nothing went wrong' : `${failures.length} things went wrong`);
  return failures.length === 0 ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
process.exitCode = await main();
