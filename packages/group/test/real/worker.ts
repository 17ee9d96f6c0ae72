import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { standsStill } from '@zookit/testing/internal';
import type { Stop, Tenure } from './judge.ts';
import type { WorkerLine, WorkerMessage, WorkerOrder, WorkerTerms } from './worker-process.ts';

/** After every time that a record may name. */
const FOREVER = 2n ** 63n;

/** A worker's process, from outside. */
export class Worker {
  readonly id: string;
  readonly stops: Stop[] = [];
  readonly started: Promise<void>;
  readonly #record: string;
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;
  #answer: ((count: number) => void) | null = null;
  #deadAt: bigint | null = null;

  constructor(terms: WorkerTerms) {
    this.id = terms.id;
    this.#record = terms.record;
    this.#child = fork(join(import.meta.dirname, 'worker-process.ts'), [JSON.stringify(terms)], {
      cwd: join(import.meta.dirname, '../..'),
      execArgv: ['--import', '@zookit/jest-preset/run-source', '--conditions=@zookit/source'],
    });
    this.#gone = once(this.#child, 'exit');
    this.started = new Promise((resolve, reject) => {
      this.#child.on('message', (message: WorkerMessage) => {
        if (message.what === 'started') resolve();
        else this.#answer?.(message.count);
      });
      this.#gone.then(() => reject(new Error(`${this.id} has ended before it had started`)), reject);
    });
    this.started.catch(() => {});
    this.#child.on('error', () => {});
  }

  /** How many items it says it owns. */
  async count(): Promise<number> {
    const count = new Promise<number>((resolve) => {
      this.#answer = resolve;
    });
    this.#tell({ order: 'count' });
    return Promise.race([count, this.#gone.then(() => Promise.reject(new Error(`${this.id} is gone`)))]);
  }

  /** SIGSTOP; resolves when it stands still. */
  async pause(): Promise<void> {
    this.#child.kill('SIGSTOP');
    await standsStill(this.#child.pid as number);
    this.stops.push({ worker: this.id, from: process.hrtime.bigint(), to: FOREVER });
  }

  /** SIGCONT */
  resume(): void {
    const stop = this.stops.at(-1);
    if (stop !== undefined) stop.to = process.hrtime.bigint();
    this.#child.kill('SIGCONT');
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    const runs = this.#child.exitCode === null && this.#child.signalCode === null;
    this.#child.kill('SIGKILL');
    await this.#gone;
    if (runs) this.#deadAt = process.hrtime.bigint();
  }

  /** Ends it in good order; resolves with its exit code. */
  async close(): Promise<number | null> {
    this.#tell({ order: 'close' });
    await this.#gone;
    return this.#child.exitCode;
  }

  /** What it has written down. What a dead process left open ends when it was surely gone. */
  tenures(): Tenure[] {
    const open = new Map<string, Tenure>();
    const all: Tenure[] = [];
    for (const text of readFileSync(this.#record, 'utf8')
      .split('\n')
      .filter((each) => each !== '')) {
      const line = JSON.parse(text) as WorkerLine;
      const key = `${line.item} ${line.token}`;
      if (line.what === 'granted') {
        const from = BigInt(line.at);
        const to = this.#deadAt ?? FOREVER;
        const tenure = { worker: this.id, item: line.item, token: BigInt(line.token), from, to, seen: from };
        open.set(key, tenure);
        all.push(tenure);
      } else Object.assign(open.get(key) ?? {}, { to: BigInt(line.at), seen: BigInt(line.seen) });
    }
    return all;
  }

  #tell(order: WorkerOrder): void {
    if (this.#child.connected) this.#child.send(order, () => {});
  }
}
