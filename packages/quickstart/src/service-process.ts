import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { now } from './clock.ts';
import type { Order, ServiceMessage, WorkerTerms } from './messages.ts';
import { readRecords, type ServiceRecords } from './records.ts';

export interface Listeners {
  onMessage: (service: ServiceProcess, message: ServiceMessage) => void;
  onExit: (service: ServiceProcess) => void;
}

/** How a process ended. `at`: when its end had been seen, which is never before its last instruction. */
export interface Exit {
  at: bigint;
  code: number | null;
  signal: string | null;
}

/** A service as the demo sees it. */
export class ServiceProcess {
  readonly name: string;
  /** Resolves, and never rejects, when the process is gone. */
  readonly gone: Promise<void>;
  readonly #child: ChildProcess;
  readonly #file: string;
  #exit: Exit | null = null;

  constructor(name: string, terms: WorkerTerms, { onMessage, onExit }: Listeners) {
    this.name = name;
    this.#file = terms.recordFile;
    const script = fileURLToPath(new URL('./service.js', import.meta.url));
    this.#child = fork(script, [JSON.stringify(terms)], { serialization: 'advanced' });
    this.#child.on('message', (message) => onMessage(this, message as ServiceMessage));
    this.gone = new Promise((resolve) => {
      const ended = (code: number | null, signal: string | null): void => {
        if (this.#exit !== null) return;
        this.#exit = { at: now(), code, signal };
        resolve();
        onExit(this);
      };
      this.#child.on('exit', ended);
      this.#child.on('error', (error) => {
        if (this.#child.pid === undefined) ended(null, String(error));
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Null while the process runs. */
  get exit(): Exit | null {
    return this.#exit;
  }

  order(order: Order): void {
    // One that has just died can't be told any more; its exit is heard of by itself.
    if (this.#child.connected) this.#child.send(order, () => {});
  }

  /** SIGKILL: nothing of it runs any more, and nobody is told. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** What it has written down. To be asked when it is gone. */
  records(): ServiceRecords {
    const diedAt = this.#exit === null || this.#exit.code === 0 ? null : this.#exit.at;
    return readRecords(this.name, readFileSync(this.#file, 'utf8'), diedAt);
  }
}
