import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { fetchCurator, fetchKazoo } from '@zookit/interop/clients';
import { findJava } from '@zookit/testing/internal';

/** What a workload has cost one client, in all. */
export interface Cost {
  /** CPU time of its process, all threads, in µs. */
  cpu: number;
  /** In µs. */
  wall: number;
  /** The median time that one operation took, in µs; only of workloads with a window of 1. */
  p50: number;
}

/** The start of a driver: `command ...args CONNECT-STRING`. */
export interface Program {
  name: string;
  version: string;
  command: string;
  args: readonly string[];
}

/** Drivers that are built with this package. */
export function builtProgram(name: string, version: string): Program {
  const script = fileURLToPath(new URL(`./drivers/${name}.js`, import.meta.url));
  return { name, version, command: process.execPath, args: ['--disable-warning=DEP0040', script] };
}

/** Apache Curator; rejects where there is no Java, or no way to fetch it. */
export async function curatorProgram(): Promise<Program> {
  const [command, { version, classpath }] = await Promise.all([findJava(), fetchCurator()]);
  const source = fileURLToPath(new URL('../java/Driver.java', import.meta.url));
  return { name: 'curator', version, command, args: ['-Xmx512m', '-cp', classpath, source] };
}

/** kazoo; rejects where there is no Python, or no way to fetch it. */
export async function kazooProgram(): Promise<Program> {
  const { version, python } = await fetchKazoo();
  return {
    name: 'kazoo',
    version,
    command: python,
    args: [fileURLToPath(new URL('../python/driver.py', import.meta.url))],
  };
}

/** One client in a process of its own, so that its CPU time is its own; led by lines on standard input. */
export class ClientProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #name: string;
  readonly #lines: string[] = [];
  #awaited: ((line: string | null) => void) | null = null;
  #complaints = '';

  private constructor({ name, command, args }: Program, connectString: string) {
    this.#name = name;
    this.#child = spawn(command, [...args, connectString]);
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaints += text;
    });
    const output = createInterface({ input: this.#child.stdout });
    output.on('line', (line) => this.#hear(line));
    output.on('close', () => this.#hear(null));
    this.#child.on('error', () => this.#hear(null));
    this.#child.stdin.on('error', () => {});
  }

  /** Resolves when it is connected. */
  static async start(program: Program, connectString: string): Promise<ClientProcess> {
    const started = new ClientProcess(program, connectString);
    await started.#expect('ready');
    return started;
  }

  /** Runs a workload. `onArmed`: what is to happen once its watches are set. */
  async run(
    workload: string,
    path: string,
    count: number,
    window: number,
    onArmed?: () => Promise<unknown>,
  ): Promise<Cost> {
    this.#child.stdin.write(`${workload} ${path} ${count} ${window}\n`);
    if (onArmed !== undefined) {
      await this.#expect('armed');
      await onArmed();
    }
    const [cpu, wall, p50] = (await this.#expect('done')).split(' ').map(Number);
    return { cpu: cpu as number, wall: wall as number, p50: p50 as number };
  }

  /** Lets it end by itself. */
  async quit(): Promise<void> {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      await new Promise((resolve) => this.#child.once('close', resolve));
    }
    clearTimeout(timer);
  }

  #hear(line: string | null): void {
    if (this.#awaited !== null) {
      const awaited = this.#awaited;
      this.#awaited = null;
      awaited(line);
    } else if (line !== null) this.#lines.push(line);
  }

  async #expect(word: string): Promise<string> {
    const line =
      this.#lines.shift() ??
      (await new Promise<string | null>((resolve) => {
        this.#awaited = resolve;
      }));
    if (line?.startsWith(word)) return line.slice(word.length).trim();
    throw new Error(`${this.#name} says ${JSON.stringify(line)} where '${word}' was awaited\n${this.#complaints}`);
  }
}
