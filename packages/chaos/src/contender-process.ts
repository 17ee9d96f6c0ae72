// One contender, in a process of its own: holds again and again, writes under each hold, and records what it sees.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Held, type Stat, ZooKeeper, type ZooKeeperError } from 'zookit';
import { now } from './clock.ts';
import { type Line, LineFile } from './history.ts';
import { type Contest, kinds } from './kinds.ts';
import type { ContenderMessage, ContenderTerms, Order } from './messages.ts';

/** How often a holder looks whether it still holds, in ms. */
const STEP = 2;
/** How long a write may wait for a connection, in ms. */
const PATIENCE = 30_000;

class Contender {
  readonly #terms: ContenderTerms;
  readonly #zk: ZooKeeper;
  readonly #record: LineFile<Line>;
  readonly #stopped = new AbortController();
  readonly #unanswered = new Map<number, (accepted: boolean) => void>();
  readonly #underWay = new Set<Promise<void>>();
  #writes = 0;

  constructor(terms: ContenderTerms) {
    this.#terms = terms;
    this.#record = new LineFile(terms.record);
    this.#zk = new ZooKeeper(terms.connectString, { sessionTimeout: terms.sessionTimeout, connectTimeout: 0 });
  }

  async run(): Promise<void> {
    process.on('message', (order: Order) => this.#obey(order));
    const { signal } = this.#stopped;
    try {
      await this.#zk.connect({ signal });
      const contest = kinds[this.#terms.kind](this.#zk, this.#terms.path);
      tell({ what: 'ready' });
      try {
        while (!signal.aborted) await this.#turn(contest);
      } finally {
        await contest.close();
        await Promise.all(this.#underWay);
      }
    } catch (error) {
      if (error !== signal.reason) throw error;
    } finally {
      await this.#zk.close();
      this.#record.close();
    }
  }

  async #turn(contest: Contest): Promise<void> {
    const held = await contest.acquire(this.#stopped.signal);
    const from = now();
    const token = held.fencingToken;
    let told: bigint | null = null;
    held.signal.addEventListener('abort', () => {
      told ??= now();
    });
    this.#record.write({ what: 'granted', token: String(token), at: String(from) });
    tell({ what: 'granted', at: from });
    const seen = await this.#work(held, from);
    // Before the last look: what comes between the two may take as long as it likes.
    const at = now();
    const end = held.isHeld ? 'released' : 'lost';
    const to = end === 'lost' ? (told ?? at) : at;
    this.#record.write({ what: 'ended', token: String(token), at: String(to), seen: String(seen), end });
    tell({ what: 'ended' });
    const releasing = held.release();
    if (end === 'lost') this.#follow(this.#writeStale(held));
    else if (this.#writes % 10 === 1) this.#follow(this.#writeLate(held, releasing));
    await releasing;
  }

  /** Returns when it last held for sure. */
  async #work(held: Held, from: bigint): Promise<bigint> {
    const writing = Promise.all([this.#tokenWrite(held), this.#guardedWrite(held, false)]).then(() => 'written');
    this.#follow(writing.then(() => {}));
    let seen = from;
    let written = false;
    void writing.then(() => {
      written = true;
    });
    const end = performance.now() + this.#terms.work;
    while ((performance.now() < end && !this.#stopped.signal.aborted) || !written) {
      const at = now();
      if (!held.isHeld) break;
      seen = at;
      await sleep(STEP);
    }
    return seen;
  }

  /** What a holder might do that has not noticed yet. */
  async #writeStale(held: Held): Promise<void> {
    await Promise.all([this.#tokenWrite(held), this.#guardedWrite(held, true)]);
  }

  /** When another holds, in all likelihood. */
  async #writeLate(held: Held, released: Promise<unknown>): Promise<void> {
    await released;
    await sleep(5 * this.#terms.work);
    await this.#guardedWrite(held, true);
  }

  async #tokenWrite({ fencingToken }: Held): Promise<void> {
    const sent = now();
    const number = this.#writes;
    this.#writes += 1;
    const accepted = await new Promise<boolean>((resolve) => {
      this.#unanswered.set(number, resolve);
      tell({ what: 'write', number, token: fencingToken });
    });
    const token = String(fencingToken);
    this.#record.write({ what: 'token write', token, sent: String(sent), answered: String(now()), accepted });
  }

  async #guardedWrite(held: Held, late: boolean): Promise<void> {
    const begun = String(now());
    const token = String(held.fencingToken);
    let zxid: string | null = null;
    let outcome = 'applied';
    try {
      const transaction = held.guard(this.#zk.transaction()).set(this.#terms.resource, token);
      const results = await transaction.commit({ timeout: PATIENCE });
      zxid = String((results.at(-1) as Stat).mzxid);
    } catch (error) {
      outcome = String((error as ZooKeeperError).code ?? error);
    }
    this.#record.write({ what: 'guarded write', token, begun, late, zxid, outcome });
  }

  #follow(work: Promise<void>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }

  #obey(order: Order): void {
    if (order.order === 'stop') {
      this.#stopped.abort(new Error('stopped'));
      return;
    }
    this.#unanswered.get(order.number)?.(order.accepted);
    this.#unanswered.delete(order.number);
  }
}

function tell(message: ContenderMessage): void {
  process.send?.(message);
}

// The arena is gone, however it went: nobody is to stay behind.
process.on('disconnect', () => process.exit(1));
await new Contender(JSON.parse(process.argv[2] ?? '') as ContenderTerms).run();
process.removeAllListeners('disconnect');
process.disconnect();
