import { BadArgumentsError, type CallOptions } from '@zookit/client';
import { coreOf, nameOf } from '@zookit/client/internal';
import type { Held, QueueEntry } from '@zookit/recipe-core';
import {
  type Contest,
  contend,
  LockEmitter,
  readQueue,
  requireWork,
  revokeAt,
  runHeld,
  tryContend,
} from '@zookit/recipe-core/internal';
import type { AsyncOwner } from './async-owner.ts';
import type { Lock } from './lock.ts';
import { noteClient } from './lock-host.ts';
import { drivers, holdsAt, type Kind, kindOf, nodeName } from './read-write-line.ts';

/** The read or the write lock of a ReadWriteLock. */
export class ReadWriteSide extends LockEmitter implements Lock {
  readonly path: string;
  readonly #kind: Kind;
  readonly #contest: Contest;
  readonly #owner: AsyncOwner<Kind>;

  constructor(kind: Kind, common: Omit<Contest, 'nodeName' | 'driver'>, owner: AsyncOwner<Kind>) {
    super(`${kind}-lock`, common.base);
    this.path = common.base;
    this.#kind = kind;
    this.#contest = { ...common, nodeName: nodeName[kind], driver: drivers[kind], teller: this.teller };
    this.#owner = owner;
    noteClient(this, common.zk);
  }

  async acquire(options: CallOptions = {}): Promise<Held> {
    const contest = this.#contestOf('acquire');
    const ownership = this.#owner.enter(this.#kind);
    ownership.hold = await contend(contest, options);
    return ownership.hold;
  }

  async tryAcquire(options: CallOptions = {}): Promise<Held | null> {
    const contest = this.#contestOf('tryAcquire');
    const ownership = this.#owner.enter(this.#kind);
    ownership.hold = await tryContend(contest, options);
    return ownership.hold;
  }

  async run<T>(work: (held: Held) => T | PromiseLike<T>, options: CallOptions = {}): Promise<T> {
    requireWork(work, 'run', this.path);
    const held = await contend(this.#contestOf('run'), options);
    const report = (error: unknown): void => coreOf(this.#contest.zk).events.report(error);
    return this.#owner.run(this.#kind, held, () => runHeld(held, work, report));
  }

  async queue(options: CallOptions = {}): Promise<QueueEntry[]> {
    const { zk, driver } = this.#contest;
    const line = await readQueue(zk, this.path, driver.ticketOf, options, holdsAt);
    return line.filter(({ path }) => kindOf(nameOf(path)) === this.#kind);
  }

  async revoke(options: CallOptions = {}): Promise<boolean> {
    const holders = (await this.queue(options)).filter(({ holds }) => holds);
    const asked = await Promise.all(holders.map(({ path }) => revokeAt(this.#contest.zk, path, options)));
    return asked.includes(true);
  }

  /** With what this context holds already. Throws BadArgumentsError where it would wait for itself. */
  #contestOf(operation: string): Contest {
    const reading = this.#owner.latest('read');
    if (this.#kind === 'read') {
      const beside = this.#owner.latest('write') ?? reading ?? undefined;
      return { ...this.#contest, beside };
    }
    if (reading === null) return this.#contest;
    throw new BadArgumentsError('BAD_ARGUMENTS', {
      path: this.path,
      operation,
      message:
        `who asks for the write lock holds the read lock ${reading.path} through the same object, and would wait for ` +
        'itself: release that first, or begin with the write lock, whose holder may take the read lock',
    });
  }
}
