import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Arena, type ArenaOptions } from './arena.ts';
import { now } from './clock.ts';
import type { Corner } from './corner.ts';
import { type FaultName, faults } from './faults.ts';
import { judge, type Recovery, type Verdict } from './judge.ts';
import { Random } from './random.ts';

export interface ChaosOptions extends ArenaOptions {
  /** How long new faults strike, in ms; each kind strikes once at least. */
  duration: number;
  seed: number;
  /** Told of what happens, a line each. */
  log(line: string): void;
}

export interface ChaosReport extends Verdict {
  seed: number;
  /** How often each fault struck. */
  struck: Record<FaultName | 'finale', number>;
}

/** What a busy machine may take on top of what is promised, in ms. */
const SLACK = 10_000;

/** Contenders fight while faults strike; then their records are judged. Everything is kept in the folder. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { folder, log, seed } = options;
  const struck: ChaosReport['struck'] = { cut: 0, blackhole: 0, stop: 0, kill: 0, server: 0, finale: 0 };
  const mishaps: string[] = [];
  const arena = await Arena.open(options);
  try {
    let recovery: Recovery | null = null;
    let left: string[] = [];
    try {
      log(`${arena.corners.length} contenders fight`);
      await storm(arena, options, struck);
      recovery = await finale(arena, log);
      struck.finale += 1;
      await arena.settled();
      mishaps.push(...(await arena.dismiss()));
      left = await arena.leftBehind();
    } catch (error) {
      mishaps.push(String(error));
    }
    const contenders = arena.corners.flatMap((corner) => corner.contenders);
    await Promise.all(contenders.map((contender) => contender.kill()));
    const histories = await Promise.all(contenders.map((contender) => contender.history()));
    const stops = contenders.flatMap((contender) => contender.stops);
    const report = { seed, struck, ...judge({ histories, stops, recovery, left, mishaps }) };
    await writeFile(join(folder, 'verdict.json'), `${JSON.stringify(report, null, 2)}\n`);
    return report;
  } finally {
    await arena.close();
  }
}

/** Round after round of faults, some at once; after each, all go on until each of them has held. */
async function storm(
  arena: Arena,
  { seed, duration, log }: ChaosOptions,
  struck: ChaosReport['struck'],
): Promise<void> {
  const random = new Random(seed);
  const names = Object.keys(faults) as FaultName[];
  const end = performance.now() + duration;
  let queue: FaultName[] = [];
  for (let round = 1; performance.now() < end || names.some((name) => struck[name] === 0); round += 1) {
    // Every kind in turn, in an order that the seed decides, one to three at once.
    if (queue.length === 0) queue = random.shuffled(names);
    const chosen = queue.splice(0, 1 + Math.floor(random.next() * 3));
    await arena.nextGrant();
    const targets = [arena.holder, ...random.shuffled(arena.corners)].filter(
      (corner, index, all): corner is Corner => corner !== null && all.indexOf(corner) === index,
    );
    log(`round ${round}: ${chosen.join(', ')}`);
    await Promise.all(
      chosen.map(async (name, index) => {
        // The holder first: it is the one that could do harm.
        const target = targets[index] as Corner;
        arena.note(name, target.contender.name);
        await faults[name](arena, target, random);
        struck[name] += 1;
        arena.note(`${name} is over`, target.contender.name);
      }),
    );
    await arena.everyGrant();
  }
}

/** The leader and the holder die together; how soon is somebody granted? */
async function finale(arena: Arena, log: (line: string) => void): Promise<Recovery> {
  await arena.settled();
  const leader = await arena.server.leader();
  await arena.nextGrant();
  const holder = arena.holder as Corner;
  log(`finale: the leader and ${holder.contender.name} die`);
  arena.note('finale', holder.contender.name);
  await Promise.all([arena.server.kill(leader), holder.contender.kill()]);
  const at = now();
  const [grantedAt, electedAt] = await Promise.all([arena.nextGrant(), arena.server.leader().then(() => now())]);
  arena.note('finale is over', `server ${leader}`);
  await arena.server.start(leader);
  return { at, electedAt, grantedAt, allowance: arena.sessionTimeout + 2 * arena.tickTime + SLACK };
}
