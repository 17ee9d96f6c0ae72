import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ZooKeeper, type ZooKeeperError } from 'zookit';
import { Arena, type ArenaOptions, PATH, RESOURCE } from './arena.ts';
import { now } from './clock.ts';
import type { Corner } from './corner.ts';
import { type Deposition, judge, lateRecovery, type Verdict } from './judge.ts';

/** Ends a term, and mends what it broke once the next one has begun. */
type End = (reign: Reign, holder: Corner) => Promise<void>;

export type EndName = 'blackhole' | 'stop' | 'kill' | 'delete' | 'restart' | 'wipe';

export interface ReignOptions extends Omit<ArenaOptions, 'work'> {
  /** In this order. */
  ends: readonly EndName[];
  log(line: string): void;
}

export interface ReignReport extends Verdict {
  /** From the end of each term to the next: ms, of which until the servers answered. */
  took: { end: EndName; grant: number; election: number }[];
}

/** What a busy machine may take on top of what is promised, in ms. */
const SLACK = 5_000;
const PATIENCE = 60_000;
/** Longer than any run, in ms. */
const FOREVER = 2 ** 31;

/** Holders that don't let go by themselves, and all that may end what they hold, one after the other. Then their records are judged. */
export async function runReign(options: ReignOptions): Promise<ReignReport> {
  const { folder, ends: names, log } = options;
  const reign = new Reign(await Arena.open({ ...options, work: FOREVER }), options.contenders);
  const { arena } = reign;
  const took: ReignReport['took'] = [];
  const mishaps: string[] = [];
  let left: string[] = [];
  try {
    try {
      await reign.open();
      for (const end of names) {
        const holder = await reign.fullLine();
        log(`${end}: ${holder.contender.name}`);
        arena.note(end, holder.contender.name);
        const at = now();
        reign.electedAt = at;
        await ends[end](reign, holder);
        const { electedAt } = reign;
        const grantedAt = reign.grantedAt ?? now();
        const allowance = arena.sessionTimeout + 2 * arena.tickTime + SLACK;
        mishaps.push(...lateRecovery({ at, electedAt, grantedAt, allowance }).map((late) => `${end}: ${late}`));
        took.push({ end, grant: Number(grantedAt - at) / 1e6, election: Number(electedAt - at) / 1e6 });
      }
      await reign.fullLine();
      await reign.close();
      mishaps.push(...(await arena.dismiss()));
      left = await arena.leftBehind();
    } catch (error) {
      mishaps.push(String(error));
    }
    await reign.close();
    const contenders = arena.corners.flatMap((corner) => corner.contenders);
    await Promise.all(contenders.map((contender) => contender.kill()));
    const histories = await Promise.all(contenders.map((contender) => contender.history()));
    const stops = contenders.flatMap((contender) => contender.stops);
    const { depositions } = reign;
    const wiped = names.includes('wipe');
    const report = { took, ...judge({ histories, stops, depositions, wiped, recovery: null, left, mishaps }) };
    await writeFile(join(folder, 'verdict.json'), `${JSON.stringify(report, null, 2)}\n`);
    return report;
  } finally {
    await reign.close();
    await arena.close();
  }
}

/** A contest whose holders stay, and an operator who looks at their line. */
class Reign {
  readonly arena: Arena;
  readonly depositions: Deposition[] = [];
  /** When the servers answered again after the last end of a term. */
  electedAt = 0n;
  /** When the next term began; null where the same one may have gone on. */
  grantedAt: bigint | null = null;
  readonly #contenders: number;
  readonly #zk: ZooKeeper;

  constructor(arena: Arena, contenders: number) {
    this.arena = arena;
    this.#contenders = contenders;
    this.#zk = new ZooKeeper(arena.server.connectString, { sessionTimeout: 20 * arena.tickTime });
  }

  async open(): Promise<void> {
    await this.#zk.connect();
    // So that the zxids of a server without data are behind for a while.
    for (let count = 0; count < 200; count += 1) await this.#zk.set(RESOURCE, String(count));
  }

  close(): Promise<void> {
    return this.#zk.close({ timeout: 2_000 });
  }

  /** Resolves with the holder, once everybody stands in line, once, and one of them says that it holds. */
  async fullLine(): Promise<Corner> {
    for (const end = performance.now() + PATIENCE; ; ) {
      const names = await this.#line();
      const holder = this.arena.holder;
      if (names.length === this.#contenders && holder?.contender.holds === true) return holder;
      if (performance.now() > end) throw new Error(`the line is ${names.join(', ') || 'empty'} after ${PATIENCE} ms`);
      await this.arena.pause(20);
    }
  }

  /** Does what ends the term, and waits for the next. */
  async handOver(act: () => Promise<void>): Promise<void> {
    const granted = this.arena.nextGrant();
    await act();
    this.grantedAt = await granted;
  }

  /** The first in line. */
  async first(): Promise<string> {
    const names = await this.#line();
    const numberOf = (name: string): number => Number(name.slice(-10));
    const [first = ''] = names.sort((a, b) => numberOf(a) - numberOf(b));
    return `${PATH}/${first}`;
  }

  async delete(path: string): Promise<void> {
    await this.#zk.delete(path);
  }

  /** All servers go at once and come back, with their data or without. */
  async restart(keep: boolean): Promise<void> {
    const { server } = this.arena;
    this.grantedAt = null;
    // With their data, the same term may go on.
    const granted = keep ? Promise.resolve(null) : this.arena.nextGrant();
    await server.kill();
    if (!keep) {
      const data = server.members.map(({ logFile }) => join(dirname(logFile), 'data', 'version-2'));
      await Promise.all(data.map((folder) => rm(folder, { recursive: true })));
    }
    await server.start();
    await this.arena.settled();
    this.electedAt = now();
    this.grantedAt = await granted;
    await this.fullLine();
  }

  async #line(): Promise<string[]> {
    try {
      await this.#zk.sync('/');
      return (await this.#zk.children(PATH)).children;
    } catch (error) {
      if ((error as ZooKeeperError).code === 'NO_NODE') return [];
      throw error;
    }
  }
}

const ends: Readonly<Record<EndName, End>> = {
  blackhole: async (reign, holder) => {
    await reign.handOver(() => holder.blackhole(false));
    await holder.heal();
  },
  stop: async (reign, { contender }) => {
    await reign.handOver(() => contender.pause());
    contender.resume();
  },
  kill: async (reign, holder) => {
    await reign.handOver(() => holder.contender.kill());
    holder.send();
    await holder.contender.ready;
  },
  /** By an operator. */
  delete: async (reign, { contender }) => {
    const path = await reign.first();
    reign.depositions.push({ contender: contender.name, at: now() });
    await reign.handOver(() => reign.delete(path));
  },
  restart: (reign) => reign.restart(true),
  wipe: (reign) => reign.restart(false),
};
