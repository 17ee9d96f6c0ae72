import type { CallOptions, Data, ZooKeeper } from '@zookit/client';
import { checkPath, coreOf, toBytes } from '@zookit/client/internal';
import type { Held, QueueEntry, RecipeOptions } from '@zookit/recipe-core';
import {
  childOf,
  curatorTickets,
  firstInLine,
  LockEmitter,
  mutexName,
  mutexTickets,
  Patience,
  readQueue,
  requirePolicy,
  requireWork,
  revokeAt,
  runHeld,
} from '@zookit/recipe-core/internal';
import { type LeaseCount, LeaseLimit } from './lease-limit.ts';
import { LeaseWish, type SemaphoreTerms } from './lease-wish.ts';
import type { Lock } from './lock.ts';
import { noteClient } from './lock-host.ts';

export interface SemaphoreOptions extends RecipeOptions {
  /**
   * How many leases there are. The server does not know it: all who use the path have to agree. One that may change is
   * heard while somebody waits, and read at each acquire.
   */
  leases: number | LeaseCount;
  /** Written into the znode of each lease, for people to read. Default: this end's address as text. */
  data?: Data | undefined;
}

export interface LeaseOptions extends CallOptions {
  /** How many leases to take, all of them or none. Default 1. */
  count?: number | undefined;
}

const leaseName = 'lease-';
const leaseTickets = curatorTickets(leaseName);

/**
 * A number of leases on a path, for processes on any number of machines, Apache Curator's InterProcessSemaphoreV2 among
 * them. First come, first served: who wants several is not overtaken by those who want fewer.
 *
 * A lease ends with its own `release()`, or with its session. Its `fencingToken` tells it from others and fences
 * nothing: several hold at the same time.
 */
export class Semaphore extends LockEmitter implements Lock {
  /** The znode above `locks`, where those stand who want leases, and `leases`. */
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #terms: SemaphoreTerms;

  /** Throws PathError or BadArgumentsError. */
  constructor(zk: ZooKeeper, path: string, options: SemaphoreOptions) {
    super('semaphore', path);
    coreOf(zk);
    checkPath(path, 'Semaphore');
    const { leases, data, acl } = options ?? {};
    const policy = requirePolicy(options ?? {}, path);
    toBytes(data, 'Semaphore', path);
    const limit = new LeaseLimit(leases, path);
    const { teller } = this;
    this.path = path;
    this.#zk = zk;
    this.#terms = {
      path,
      limit,
      policy,
      teller,
      leases: { zk, base: childOf(path, 'leases'), nodeName: leaseName, data, acl },
      mutex: {
        zk,
        base: childOf(path, 'locks'),
        nodeName: mutexName.curator,
        acl,
        driver: firstInLine(mutexTickets.curator),
        policy: 'deadline',
      },
    };
    noteClient(this, zk);
  }

  /**
   * Waits for leases. `timeout` (ms) is for all of it, lost sessions and outages included. All of them are one hold,
   * which is lost as soon as one of them is.
   *
   * Rejects with BadArgumentsError when `count` is more than there are leases, also when they become fewer meanwhile;
   * with TimeoutError, the signal's reason, ClosedError, or NoAuthError where the server refuses. Nothing is left
   * behind then, or goes as soon as there is a connection.
   */
  async acquire(options: LeaseOptions = {}): Promise<Held> {
    return (await this.#take('acquire', options, true)) as Held;
  }

  /**
   * Takes leases if they are free; null, and nothing is left behind, when they are not, or others wait. Those who just
   * come or go are waited for. Rejects as `acquire`.
   */
  async tryAcquire(options: LeaseOptions = {}): Promise<Held | null> {
    return this.#take('tryAcquire', options, false);
  }

  /** Waits for leases as `acquire` does, runs the function, and releases; as `run` of a Mutex. */
  async run<T>(work: (held: Held) => T | PromiseLike<T>, options: LeaseOptions = {}): Promise<T> {
    requireWork(work, 'run', this.path);
    const held = (await this.#take('run', options, true)) as Held;
    return runHeld(held, work, (error) => coreOf(this.#zk).events.report(error));
  }

  /**
   * The leases that are held, the oldest first, also those of other clients. Of one who waits for several, those that
   * are free are among them.
   */
  async holders(options: CallOptions = {}): Promise<QueueEntry[]> {
    const [holders] = await this.#read(options);
    return holders;
  }

  /** The leases that are held, the oldest first, then those who wait, in order. */
  async queue(options: CallOptions = {}): Promise<QueueEntry[]> {
    const [holders, line] = await this.#read(options);
    return [...holders, ...line];
  }

  /**
   * Asks all who have leases to let go: their Held emits `revoke`. Nothing is forced. False when nobody has one.
   */
  async revoke(options: CallOptions = {}): Promise<boolean> {
    const asked = (await this.holders(options)).map(({ path }) => revokeAt(this.#zk, path, options));
    return (await Promise.all(asked)).includes(true);
  }

  async #read({ signal, timeout }: CallOptions): Promise<[holders: QueueEntry[], line: QueueEntry[]]> {
    const { leases, mutex, limit } = this.#terms;
    const options = { signal, timeout };
    const [line, entries] = await Promise.all([
      readQueue(this.#zk, mutex.base, mutex.driver.ticketOf, options, () => false),
      readQueue(this.#zk, leases.base, leaseTickets, options, () => true),
    ]);
    const [first] = line;
    const excess = entries.length - limit.value;
    if (excess <= 0 || first === undefined) return [entries, line];
    // The first in line has laid down the leases that are too many, and waits for others to go.
    const waiting = entries.filter(({ sessionId }) => sessionId === first.sessionId).slice(-excess);
    return [entries.filter((entry) => !waiting.includes(entry)), line];
  }

  async #take(operation: string, options: LeaseOptions, waits: boolean): Promise<Held | null> {
    const { count = 1, ...rest } = options;
    this.#terms.limit.check(count, operation);
    const patience = new Patience(coreOf(this.#zk), rest, { operation, path: this.path });
    try {
      return await new LeaseWish(this.#terms, operation, count, patience).run(waits);
    } finally {
      patience.end();
    }
  }
}
