import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What a client process is to do. */
export interface Terms {
  how?: 'import' | 'require';
  connectString: string;
  options?: Record<string, unknown>;
  plan: readonly string[];
}

const program = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** A process of plain Node with the packages as they were built. */
export class Child {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #lines: { step: string; result: unknown }[] = [];
  #output = '';
  errors = '';

  constructor(file: string, argument: unknown) {
    const args = [program(file), JSON.stringify(argument)];
    // NODE_OPTIONS of the test runner are none of its business.
    const env = { ...process.env, NODE_OPTIONS: '' };
    this.#process = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.#ended = once(this.#process, 'close');
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
  }

  static client(terms: Terms): Child {
    return new Child('client-process.mjs', terms);
  }

  get output(): string {
    return this.#output;
  }

  get isAlive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Waits until a step of the plan is done; resolves with what came of it. */
  async done(step: string, ms = 20_000): Promise<unknown> {
    const end = performance.now() + ms;
    for (;;) {
      const complete = this.#output.split('\n').slice(0, -1);
      while (this.#lines.length < complete.length) this.#lines.push(JSON.parse(complete[this.#lines.length] as string));
      const line = this.#lines.find((each) => each.step === step);
      if (line !== undefined) return line.result;
      if (performance.now() > end || !this.isAlive) {
        throw new Error(`"${step}" was not done; the process said\n${this.#output}${this.errors}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Waits until the process has ended by itself: its exit code. Rejects, and kills it, when it does not. */
  async ended(ms: number): Promise<number | null> {
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), ms);
    await this.#ended;
    clearTimeout(timer);
    if (this.#process.signalCode === null) return this.#process.exitCode;
    throw new Error(`the process was alive after ${ms} ms; it had said\n${this.#output}${this.errors}`);
  }

  /** For afterEach. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}
