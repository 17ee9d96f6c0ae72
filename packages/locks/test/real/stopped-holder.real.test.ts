import { type ChildProcess, fork } from 'node:child_process';
import { on, once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ZooKeeper } from '@zookit/client';
import { type CaughtFrame, type FaultProxy, RealServer } from '@zookit/testing';
import { type Held, Mutex } from '../../src/index.ts';
import type { HolderMessage, HolderOrder, HolderTerms, Sight } from './holder-process.ts';
import { Bench, contenders, pause, sourceProcess, times, until } from './support.ts';

jest.setTimeout(60_000);

const ROUNDS = 5;
const bench = new Bench();
const holders: Holder[] = [];
let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start();
});
afterEach(async () => {
  await Promise.all(holders.splice(0).map((holder) => holder.kill()));
  await bench.end();
});
afterAll(() => server.stop());

type Message<What> = Extract<HolderMessage, { what: What }>;

class Holder {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor(terms: HolderTerms) {
    this.#child = fork(join(import.meta.dirname, 'holder-process.ts'), [JSON.stringify(terms)], sourceProcess);
    this.#exited = once(this.#child, 'exit');
    holders.push(this);
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
