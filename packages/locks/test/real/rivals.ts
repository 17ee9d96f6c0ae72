import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RivalLine, RivalMessage, RivalOrder, RivalStanding, RivalTerms } from './rival-process.ts';
import { sourceProcess, times, until } from './support.ts';

/** A stretch in which one process held the lock, by its own record: nanoseconds of the system's monotonic clock. */
export interface Hold {
  rival: string;
  token: bigint;
  from: bigint;
  to: bigint;
  why: 'released' | 'lost';
}

/** Processes that want one lock. */
export class Rivals {
  readonly #folder: string;
  readonly #rivals: readonly Rival[];

  private constructor(folder: string, rivals: readonly Rival[]) {
    this.#folder = folder;
    this.#rivals = rivals;
  }

  /** Each is told the members in another order, and takes the first that it reaches. */
  static async start(count: number, members: readonly string[], sessionTimeout: number): Promise<Rivals> {
    const folder = await mkdtemp(join(tmpdir(), 'zookit-rivals-'));
    const rivals = Array.from({ length: count }, (_, index) => {
      const name = `rival-${index}`;
      const first = index % members.length;
      const connectString = [...members.slice(first), ...members.slice(0, first)].join(',');
      const record = join(folder, `${name}.jsonl`);
      return new Rival({ name, connectString, sessionTimeout, lock: LOCK, sign: signOf(name), work: 20, record });
    });
    return new Rivals(folder, rivals);
  }

  /** Resolves once each of them has been granted the lock after this moment. */
  async progress(): Promise<void> {
    const since = process.hrtime.bigint();
    await until('each gets the lock', () => this.#rivals.every(({ grantedAt }) => grantedAt > since), 60_000);
  }

  /** Where each of them stands. To be asked while all of them are connected. */
  standings(): Promise<{ rival: string; sign: string; standing: RivalStanding }[]> {
    return Promise.all(
      this.#rivals.map(async (rival) => ({
        rival: rival.name,
        sign: signOf(rival.name),
        standing: await rival.standing(),
      })),
    );
  }

  /** Ends them in good order; resolves with all that they have written down, in order of time. */
  async stop(): Promise<Hold[]> {
    const codes = await times(this.#rivals.length, (index) => (this.#rivals[index] as Rival).stop());
    if (codes.some((code) => code !== 0)) throw new Error(`the rivals ended with ${codes.join(', ')}`);
    const records = await Promise.all(this.#rivals.map((rival) => rival.holds()));
    return records.flat().sort((a, b) => (a.from < b.from ? -1 : 1));
  }

  /** SIGKILL to whoever still runs. */
  async end(): Promise<void> {
    await Promise.all(this.#rivals.map((rival) => rival.kill()));
    await rm(this.#folder, { recursive: true });
  }
}

const LOCK = '/locks/rivals';
const signOf = (name: string): string => `/signs/${name}`;

class Rival {
  readonly name: string;
  grantedAt = 0n;
  readonly #record: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #onStanding: (standing: RivalStanding) => void = () => {};

  constructor(terms: RivalTerms) {
    this.name = terms.name;
    this.#record = terms.record;
    this.#child = fork(join(import.meta.dirname, 'rival-process.ts'), [JSON.stringify(terms)], sourceProcess);
    this.#exited = once(this.#child, 'exit');
    this.#child.on('message', (message: RivalMessage) => {
      if (message.what === 'granted') this.grantedAt = BigInt(message.from);
      else this.#onStanding(message.standing);
    });
  }

  standing(): Promise<RivalStanding> {
    return new Promise((resolve) => {
      this.#onStanding = resolve;
      this.#order('tell');
    });
  }

  async stop(): Promise<number | null> {
    this.#order('stop');
    await this.#exited;
    return this.#child.exitCode;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async holds(): Promise<Hold[]> {
    const holds: Hold[] = [];
    const lines = (await readFile(this.#record, 'utf8')).split('\n').filter((line) => line !== '');
    for (const line of lines.map((text) => JSON.parse(text) as RivalLine)) {
      const token = BigInt(line.token);
      const last = holds.at(-1);
      if (line.what === 'granted') {
        holds.push({ rival: this.name, token, from: BigInt(line.from), to: NEVER, why: 'lost' });
      } else if (last?.token === token) Object.assign(last, { to: BigInt(line.to), why: line.why });
      else throw new Error(`${this.name} ended what it did not hold`);
    }
    return holds;
  }

  #order(order: RivalOrder): void {
    this.#child.send(order);
  }
}

const NEVER = 2n ** 63n;

/** Pairs that held the lock at the same time, in words. `holds` are in order of time. */
export function overlapsOf(holds: readonly Hold[]): string[] {
  const found: string[] = [];
  let running: Hold[] = [];
  for (const hold of holds) {
    running = running.filter(({ to }) => to > hold.from);
    for (const other of running) {
      const ms = Number(other.to - hold.from) / 1e6;
      found.push(`${other.rival} held ${other.token} for ${ms} ms more when ${hold.rival} was granted ${hold.token}`);
    }
    running.push(hold);
  }
  return found;
}
