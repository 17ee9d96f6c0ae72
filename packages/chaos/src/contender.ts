import { type ChildProcess, fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { standsStill } from '@zookit/testing/internal';
import { now } from './clock.ts';
import { type ContenderHistory, readHistory } from './history.ts';
import type { Stop } from './judge.ts';
import type { ContenderMessage, ContenderTerms, Order } from './messages.ts';

const PROGRAM = fileURLToPath(new URL('contender-process.js', import.meta.url));

export interface ContenderEvents {
  onGranted(contender: Contender, at: bigint): void;
  onWrite(contender: Contender, token: bigint): boolean;
}

/** A contender's process, from outside. */
export class Contender {
  readonly name: string;
  readonly stops: Stop[] = [];
  readonly ready: Promise<void>;
  readonly #record: string;
  readonly #child: ChildProcess;
  /** Resolves, and never rejects. */
  readonly #gone: Promise<void>;
  #holds = false;
  #deadAt: bigint | null = null;

  constructor(terms: ContenderTerms, { onGranted, onWrite }: ContenderEvents) {
    this.name = terms.name;
    this.#record = terms.record;
    this.#child = fork(PROGRAM, [JSON.stringify(terms)], { serialization: 'advanced' });
    // Not by events.once(): that rejects when a process that was killed can't be told something any more.
    this.#gone = new Promise((resolve) => this.#child.once('exit', () => resolve()));
    this.ready = new Promise((resolve, reject) => {
      this.#child.on('message', (message: ContenderMessage) => {
        if (message.what === 'ready') resolve();
        else if (message.what === 'granted') {
          this.#holds = true;
          onGranted(this, message.at);
        } else if (message.what === 'ended') this.#holds = false;
        else this.#tell({ order: 'written', number: message.number, accepted: onWrite(this, message.token) });
      });
      void this.#gone.then(() => reject(new Error(`${this.name} has ended before it was ready`)));
      this.#child.on('error', reject);
    });
    // Whoever waits for it hears of it.
    this.ready.catch(() => {});
  }

  /** By its own words, which may be a moment old. */
  get holds(): boolean {
    return this.#holds;
  }

  /** SIGSTOP; resolves when it stands still. */
  async pause(): Promise<void> {
    this.#child.kill('SIGSTOP');
    await standsStill(this.#child.pid as number);
    this.stops.push({ contender: this.name, from: now(), to: now() });
  }

  /** SIGCONT */
  resume(): void {
    const stop = this.stops.at(-1);
    if (stop !== undefined) stop.to = now();
    this.#child.kill('SIGCONT');
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    const runs = this.#child.exitCode === null && this.#child.signalCode === null;
    this.#child.kill('SIGKILL');
    await this.#gone;
    if (runs) this.#deadAt = now();
  }

  /** SIGKILL, without a look back. */
  abandon(): void {
    this.#child.kill('SIGKILL');
  }

  /** Ends it in good order, if it was not killed; says what went wrong, or null. */
  async stop(timeout: number): Promise<string | null> {
    if (this.#deadAt !== null) return null;
    this.#tell({ order: 'stop' });
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), timeout);
    await this.#gone;
    clearTimeout(timer);
    const { exitCode, signalCode } = this.#child;
    return exitCode === 0 ? null : `${this.name} ended with ${exitCode ?? signalCode}`;
  }

  async history(): Promise<ContenderHistory> {
    return readHistory(this.name, await readFile(this.#record, 'utf8'), this.#deadAt);
  }

  #tell(order: Order): void {
    if (this.#child.connected) this.#child.send(order, () => {});
  }
}
