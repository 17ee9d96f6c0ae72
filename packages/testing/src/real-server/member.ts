import { readFile, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RealServerStartError } from './errors.ts';
import { type FourLetterWordOptions, serverMode } from './four-letter-word.ts';
import type { Seat } from './server-files.ts';
import { standsStill } from './stopped-process.ts';
import { speaksTls } from './tls-port.ts';
import { WatchedProcess } from './watchdog.ts';

/** How long a server may take to end by itself after SIGTERM. */
const TERMINATION_MS = 10_000;
const POLL_MS = 50;

export interface MemberOptions {
  seat: Seat;
  folder: string;
  java: string;
  jvmArgs: readonly string[];
  env: Readonly<Record<string, string>>;
  classpath: string;
  /** Whether clients are told the TLS port. */
  isSecure: boolean;
}

/** One server of an ensemble: where it is, and how it is. */
export interface RealServerMember {
  /** ZooKeeper's own number of it: its index plus one. */
  readonly id: number;
  readonly role: 'participant' | 'observer';
  readonly host: string;
  /** The port clients are told: the TLS one where the server was started with `tls`. */
  readonly port: number;
  /** 'host:port', for a client. */
  readonly connectString: string;
  /** Without TLS; 4-letter words are asked here. */
  readonly plainPort: number;
  /** Of the java process; null while there is none. */
  readonly pid: number | null;
  /** A paused server runs, too. */
  readonly isRunning: boolean;
  /** What the server prints, warnings and worse. */
  readonly logFile: string;
}

export class Member implements RealServerMember {
  readonly id: number;
  readonly role: 'participant' | 'observer';
  readonly host: string = '127.0.0.1';
  readonly port: number;
  readonly plainPort: number;
  readonly logFile: string;
  readonly #options: MemberOptions;
  #process: WatchedProcess | null = null;
  #isPaused = false;
  #logStart = 0;

  constructor(options: MemberOptions) {
    const { seat, folder, isSecure } = options;
    this.#options = options;
    this.id = seat.id;
    this.role = seat.role;
    this.port = isSecure ? seat.ports.secure : seat.ports.plain;
    this.plainPort = seat.ports.plain;
    this.logFile = join(folder, 'log');
  }

  get connectString(): string {
    return `${this.host}:${this.port}`;
  }

  get pid(): number | null {
    return this.isRunning ? (this.#process?.pid ?? null) : null;
  }

  get isRunning(): boolean {
    return this.#process?.isRunning ?? false;
  }

  async launch(): Promise<void> {
    const { folder, java, jvmArgs, env, classpath } = this.#options;
    this.#logStart = await stat(this.logFile).then(
      ({ size }) => size,
      () => 0,
    );
    this.#isPaused = false;
    this.#process = await WatchedProcess.start({
      command: java,
      args: [
        // Light and quick to start; and nothing is to be left behind outside the folder.
        ...['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData'],
        `-Djava.io.tmpdir=${join(folder, 'tmp')}`,
        ...jvmArgs,
        ...['-cp', [join(folder, 'conf'), classpath].join(delimiter)],
        ...['org.apache.zookeeper.server.quorum.QuorumPeerMain', join(folder, 'zoo.cfg')],
      ],
      cwd: folder,
      env: { ...process.env, ...env },
      log: this.logFile,
    });
  }

  /** Resolves when `srvr` tells a Mode and the TLS port, if there is one, is answered too. Rejects when the process ends, one of its ports is taken, or the signal aborts. */
  async serving(signal: AbortSignal): Promise<void> {
    for (let round = 1; ; round += 1) {
      // A server asked while it comes up may leave that one question unanswered for ever.
      const options = { signal, timeout: Math.min(200 * round, 1_000) };
      if ((await serverMode(this.plainPort, options)) && (await this.#isSecured(options))) return;
      if (!this.isRunning) throw await this.#failure('ended');
      if (round % 10 === 0 && (await this.#hasClash())) throw await this.#failure('found a port taken');
      await sleep(POLL_MS, undefined, { signal });
    }
  }

  mode(options: { signal?: AbortSignal | undefined; timeout?: number | undefined } = {}): Promise<string | null> {
    return this.isRunning && !this.#isPaused ? serverMode(this.plainPort, options) : Promise.resolve(null);
  }

  async kill(): Promise<void> {
    this.#process?.signal('SIGKILL');
    await this.#process?.exited;
  }

  /** SIGTERM, and SIGKILL when that was not enough. */
  async terminate(): Promise<void> {
    if (!this.#process) return;
    this.#process.signal('SIGTERM');
    this.resume();
    const patience = setTimeout(() => this.#process?.signal('SIGKILL'), TERMINATION_MS);
    await this.#process.exited;
    clearTimeout(patience);
  }

  async pause(): Promise<void> {
    if (!this.#process || !this.isRunning) return;
    this.#process.signal('SIGSTOP');
    this.#isPaused = true;
    await standsStill(this.#process.pid);
  }

  resume(): void {
    this.#isPaused = false;
    this.#process?.signal('SIGCONT');
  }

  /** For a message: what went wrong and the last lines of the log. */
  async tail(): Promise<string> {
    const lines = (await this.#log()).trim().split('\n').slice(-30);
    return `Server ${this.id} (${this.connectString}) says last:\n${lines.join('\n')}`;
  }

  /** A standalone server opens its TLS port only after it serves on the plain one. */
  async #isSecured(options: FourLetterWordOptions): Promise<boolean> {
    return !this.#options.isSecure || (await speaksTls(this.port, options));
  }

  async #failure(what: string): Promise<Error> {
    const isClash = await this.#hasClash();
    const error = new RealServerStartError(`A ZooKeeper server ${what} before it served. ${await this.tail()}`);
    return isClash ? new PortClash(error) : error;
  }

  async #hasClash(): Promise<boolean> {
    return /BindException|Address already in use/.test(await this.#log());
  }

  /** What was printed since the last launch. */
  async #log(): Promise<string> {
    const bytes = await readFile(this.logFile).catch(() => Buffer.alloc(0));
    return bytes.subarray(this.#logStart).toString();
  }
}

/** Another process has a port of this server. */
export class PortClash extends Error {
  override readonly cause: Error;

  constructor(cause: Error) {
    super(cause.message);
    this.cause = cause;
  }
}
