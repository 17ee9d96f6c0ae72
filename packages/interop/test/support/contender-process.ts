import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Kill } from '@zookit/quickstart/judge';
import { readRecords, type ServiceRecords } from '@zookit/quickstart/records';
import type { Program } from '../../src/program.ts';

/** Longer than anything takes that is waited for, and a grant in a race. */
const PATIENCE_MS = 60_000;
const GRANT_MS = 600;

export interface ProcessTerms {
  connectString: string;
  /** In ms. */
  sessionTimeout: number;
  /** Where the contenders write their records. */
  folder: string;
}

interface Waiter {
  start: string;
  resolve(line: string): void;
  reject(error: Error): void;
}

let count = 0;

/** A process of one client of one library, with any number of contenders in it; spoken to in lines. */
export class ContenderProcess {
  readonly #program: Program;
  readonly #folder: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #gone: Promise<void>;
  readonly #lines: string[] = [];
  readonly #waiters = new Set<Waiter>();
  #complaints = '';
  #end: string | null = null;
  #deadAt: bigint | null = null;

  /** Resolves when it is connected. */
  static async start(program: Program, terms: ProcessTerms): Promise<ContenderProcess> {
    const started = new ContenderProcess(program, terms);
    try {
      await started.#answer('ready');
    } catch (error) {
      await started.kill();
      throw error;
    }
    return started;
  }

  private constructor(program: Program, { connectString, sessionTimeout, folder }: ProcessTerms) {
    this.#program = program;
    this.#folder = folder;
    const { command, before, after } = program;
    this.#child = spawn(command, [...before, connectString, String(sessionTimeout), folder, ...after]);
    // One that has died can't be told anything any more; what it leaves unanswered says so.
    this.#child.stdin.on('error', () => {});
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaints += text;
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#hear(line));
    this.#gone = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#deadAt = process.hrtime.bigint();
        this.#over(`ended with ${signal ?? `code ${code}`}`);
        resolve();
      });
      this.#child.once('error', (error) => this.#over(String(error)));
    });
  }

  get name(): Program['name'] {
    return this.#program.name;
  }

  /** One more who can stand in line. */
  contender(): Contender {
    count += 1;
    return new Contender(`${this.name}-${count}`, this, this.#folder);
  }

  /** Its monotonic clock, in ns. */
  async clock(): Promise<bigint> {
    return BigInt(await this.ask('clock', 'clock'));
  }

  /** Who stands in line, as it sees it: paths, the holder first. */
  async participants(path: string): Promise<string[]> {
    return (await this.ask(`participants ${path}`, 'participants')).split(' ').filter((each) => each !== '');
  }

  /** Asks the holder to let go. */
  async revoke(path: string): Promise<void> {
    await this.ask(`revoke ${path}`, 'revoked');
  }

  /** Says something and resolves with what follows `start` in the answer. */
  ask(line: string, start: string, patience: number = PATIENCE_MS): Promise<string> {
    const answer = this.#answer(start, patience);
    this.#child.stdin.write(`${line}\n`);
    return answer;
  }

  /** Resolves with what follows `start` in a line that begins so, each line once. */
  hear(start: string): Promise<string> {
    return this.#answer(start);
  }

  /** SIGKILL; resolves, with when it was sent, once the process is gone. */
  async kill(): Promise<bigint> {
    const at = process.hrtime.bigint();
    this.#child.kill('SIGKILL');
    await this.#gone;
    return at;
  }

  /** Lets it close its session and end by itself. */
  async quit(): Promise<void> {
    this.#child.stdin.end('quit\n');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.#gone;
    clearTimeout(timer);
  }

  /** When it had surely ended; null while it runs. */
  get deadAt(): bigint | null {
    return this.#deadAt;
  }

  #answer(start: string, patience: number = PATIENCE_MS): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => waiter.reject(this.#error(`does not say '${start}'`)), patience);
      const settled = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        start,
        resolve(line) {
          settled();
          resolve(line.slice(start.length + 1));
        },
        reject(error) {
          settled();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
      this.#match();
      if (this.#end !== null) this.#over(this.#end);
    });
  }

  #hear(line: string): void {
    this.#lines.push(line);
    if (line.startsWith('failed ')) this.#over(line);
    else this.#match();
  }

  #match(): void {
    for (const waiter of this.#waiters) {
      const at = this.#lines.findIndex((line) => line === waiter.start || line.startsWith(`${waiter.start} `));
      if (at >= 0) waiter.resolve(this.#lines.splice(at, 1)[0]!);
    }
  }

  /** Nothing more is to be expected. */
  #over(why: string): void {
    this.#end = why;
    for (const waiter of this.#waiters) waiter.reject(this.#error(why));
  }

  #error(why: string): Error {
    const { name, version } = this.#program;
    return new Error(`The process of ${name} (${version}) ${why}\n${this.#lines.join('\n')}\n${this.#complaints}`);
  }
}

/** What a contender asks for: `semaphore:LEASES` or `semaphore:LEASES:COUNT` for leases. */
export type Kind = 'mutex' | 'read' | 'write' | `semaphore:${string}`;

/** Stands in line again and again, one place of a kind at a time, and writes down when it held. */
export class Contender {
  /** Also the name in its records. */
  readonly id: string;
  readonly process: ContenderProcess;
  readonly #folder: string;

  constructor(id: string, process: ContenderProcess, folder: string) {
    this.id = id;
    this.process = process;
    this.#folder = folder;
  }

  /** Resolves with its znode's path, once it is granted. */
  acquire(
    path: string,
    { kind = 'mutex', revocable = false }: { kind?: Kind; revocable?: boolean } = {},
  ): Promise<string> {
    const line = `acquire ${this.id} ${path} ${kind}${revocable ? ' revocable' : ''}`;
    return this.process.ask(line, `granted ${this.id}`);
  }

  async release(kind: Kind = 'mutex'): Promise<void> {
    await this.process.ask(`release ${this.id} ${kind}`, `released ${this.id}`);
  }

  /** Acquires and releases so many times, working for a millisecond each. */
  async race(path: string, grants: number, kind: Kind = 'mutex'): Promise<void> {
    const line = `race ${this.id} ${path} ${kind} ${grants}`;
    await this.process.ask(line, `raced ${this.id}`, PATIENCE_MS + grants * GRANT_MS);
  }

  /** Resolves when it was asked to let go. */
  async asked(): Promise<void> {
    await this.process.hear(`asked ${this.id}`);
  }

  /** Resolves when it has noticed that its hold is lost. */
  async lost(): Promise<void> {
    await this.process.hear(`lost ${this.id}`);
  }

  /** Kills its whole process. */
  async kill(): Promise<Kill> {
    return { service: this.id, at: await this.process.kill() };
  }

  records(kind: Kind = 'mutex'): ServiceRecords {
    const text = readFileSync(join(this.#folder, `${this.id}.${kind}.jsonl`), 'utf8');
    return readRecords(this.id, text, this.process.deadAt);
  }
}
