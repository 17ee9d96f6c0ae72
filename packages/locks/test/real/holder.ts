import { type ChildProcess, fork } from 'node:child_process';
import { on, once } from 'node:events';
import { join } from 'node:path';
import type { HolderMessage, HolderOrder, HolderTerms } from './holder-process.ts';
import { sourceProcess } from './support.ts';

type Message<What> = Extract<HolderMessage, { what: What }>;

/** A process that holds a lock, and waits for others. `kill()` it. */
export class Holder {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor(terms: HolderTerms) {
    this.#child = fork(join(import.meta.dirname, 'holder-process.ts'), [JSON.stringify(terms)], sourceProcess);
    this.#exited = once(this.#child, 'exit');
  }

  order(order: HolderOrder): void {
    this.#child.send(order);
  }

  /** The next message of that kind. */
  async hears<What extends HolderMessage['what']>(what: What): Promise<Message<What>> {
    for await (const [message] of on(this.#child, 'message')) {
      if ((message as HolderMessage).what === what) return message as Message<What>;
    }
    throw new Error('unreachable');
  }

  async ask<What extends HolderMessage['what']>(order: HolderOrder, what: What): Promise<Message<What>> {
    const answer = this.hears(what);
    this.order(order);
    return answer;
  }

  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    this.#child.kill(name);
  }

  async close(): Promise<number | null> {
    this.order({ order: 'close' });
    await this.#exited;
    return this.#child.exitCode;
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#exited;
  }
}
