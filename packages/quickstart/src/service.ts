// One service, in a process of its own: waits for the lock, works under it, lets go, and writes down when.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Held, Mutex, ZooKeeper } from 'zookit';
import { now } from './clock.ts';
import type { Order, ServiceMessage, WorkerTerms } from './messages.ts';
import { RecordFile } from './records.ts';

class Service {
  readonly #terms: WorkerTerms;
  readonly #records: RecordFile;
  readonly #stopped = new AbortController();
  readonly #started: Promise<void>;
  #start: () => void = () => {};
  #held: Held | null = null;
  #keeps = false;

  constructor(terms: WorkerTerms, records: RecordFile) {
    this.#terms = terms;
    this.#records = records;
    this.#started = new Promise((resolve) => {
      this.#start = resolve;
    });
  }

  async run(): Promise<void> {
    process.on('message', (order: Order) => this.#obey(order));
    // The demo is gone, however it went: nobody is to stay behind.
    process.on('disconnect', () => this.#stop());
    const { connectString, sessionTimeout } = this.#terms;
    const { signal } = this.#stopped;
    try {
      const zk = await ZooKeeper.connect(connectString, { sessionTimeout, createChroot: true, signal });
      try {
        await this.#serve(zk);
      } finally {
        await zk.close();
      }
    } catch (error) {
      if (error !== signal.reason) throw error;
    }
  }

  async #serve(zk: ZooKeeper): Promise<void> {
    const holdsFor = (): number | null => (this.#held ? this.#held.deadline - performance.now() : null);
    zk.on('suspended', () => tell({ what: 'suspended', at: now(), holdsFor: holdsFor() }));
    for (const what of ['reconnected', 'lost', 'renewed'] as const) zk.on(what, () => tell({ what, at: now() }));
    tell({ what: 'ready', sessionTimeout: zk.session?.timeout ?? 0 });
    await this.#started;
    const mutex = new Mutex(zk, this.#terms.lockPath);
    while (!this.#stopped.signal.aborted) await this.#turn(mutex);
  }

  async #turn(mutex: Mutex): Promise<void> {
    const queuedAt = now();
    this.#records.queued(queuedAt);
    tell({ what: 'queued', at: queuedAt });
    const held = await mutex.acquire({ signal: this.#stopped.signal });
    const from = now();
    const token = held.fencingToken;
    this.#records.granted(token, from);
    tell({ what: 'granted', at: from, token });
    this.#held = held;
    await this.#work(held);
    this.#held = null;
    this.#keeps = false;
    const why = held.isHeld ? 'released' : 'lost';
    // After the last bit of work, and before the release that lets the next one in.
    const to = now();
    this.#records.ended(token, to, why);
    tell({ what: 'ended', at: to, token, why });
    await held.release();
  }

  /** Ends when the work is done, or at once when the hold is lost or the service is to stop. */
  async #work(held: Held): Promise<void> {
    const signal = AbortSignal.any([held.signal, this.#stopped.signal]);
    await during(signal, this.#terms.work * (0.55 + 0.9 * Math.random()));
    while (this.#keeps && !signal.aborted) await during(signal, 60_000);
  }

  #obey(order: Order): void {
    if (order.order === 'start') this.#start();
    if (order.order === 'stop') this.#stop();
    if (order.order === 'keep' && this.#held?.isHeld && this.#held.fencingToken === order.token) {
      this.#keeps = true;
      tell({ what: 'keeping', token: order.token });
    }
  }

  #stop(): void {
    this.#keeps = false;
    this.#start();
    this.#stopped.abort();
  }
}

async function during(signal: AbortSignal, ms: number): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function tell(message: ServiceMessage): void {
  if (process.connected) process.send?.(message);
}

/** An error and what it came from, in one line. */
function inWords(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  return cause === undefined ? String(error) : `${String(error)}; ${String(cause)}`;
}

// Ctrl-C reaches every process of the terminal; it is the demo that decides when this one stops.
process.on('SIGINT', () => {});

const terms = JSON.parse(process.argv[2] ?? '') as WorkerTerms;
const records = new RecordFile(terms.recordFile);
try {
  await new Service(terms, records).run();
} catch (error) {
  tell({ what: 'failed', reason: inWords(error) });
  process.exitCode = 1;
}
records.close();
if (process.connected) process.disconnect();
