import { randomUUID } from 'node:crypto';
import { BadArgumentsError, type CallOptions, ClosedError, type ZooKeeper, type ZooKeeperError } from '@zookit/client';
import { checkPath, coreOf, deferred, isPassing, SafeEmitter, waitFor } from '@zookit/client/internal';
import type { Held, RecipeOptions } from '@zookit/recipe-core';
import {
  Bell,
  childOf,
  inRounds,
  orNull,
  Patience,
  requireCallOptions,
  requirePolicy,
  untilConnected,
} from '@zookit/recipe-core/internal';
import { assign } from './assign.ts';
import { type Assignment, readAssignment, removeAssignment, writeAssignment } from './assignment.ts';
import { PersistentNode } from './persistent-node.ts';
import { nameOf, Tenures } from './tenures.ts';
import { whileConnected } from './while-connected.ts';

export interface PartitionerOptions extends RecipeOptions {
  /** What is split: the same items with each member. */
  items: Iterable<string>;
  /** Nobody else's. A member that comes back with the id that it had gets its items back. Default: a UUID. */
  id?: string | undefined;
}

export type PartitionerEvents = {
  /** Items have come or gone. Quick changes may come as one. */
  change: (mine: Map<string, Held>) => void;
  /** A listener threw, or the server refuses what the partitioner needs. */
  error: (error: unknown) => void;
};

/** After the last member has come or gone, in ms: those that start together are counted together. */
const SETTLING = 100;
const LONGEST_SETTLING = 1_000;
/** How long the others wait for the one whose turn it is to write the split down, each for those before it, in ms. */
const PATIENCE = 500;

/**
 * Splits a set of items among the members that live: each item belongs to one member at a time, nobody has more than one
 * item more than another, and when members come or go no item moves that need not.
 *
 * Each item is a lock, and comes with its `Held`. One that is to move is let go by its owner first.
 */
export class Partitioner extends SafeEmitter<PartitionerEvents> {
  readonly path: string;
  readonly id: string;
  readonly #zk: ZooKeeper;
  readonly #items: readonly string[];
  readonly #acl: RecipeOptions['acl'];
  readonly #node: PersistentNode;
  readonly #tenures: Tenures;
  readonly #bell = new Bell();
  readonly #ring = (): void => this.#bell.ring();
  readonly #stop = new AbortController();
  readonly #first = deferred<void>();
  #hasJoined = false;
  /** Since when the split that is written down is not that of the members. */
  #stale: { since: number; changed: number; members: string } | null = null;
  #running: Promise<void> = Promise.resolve();
  #started: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  /** Throws PathError or BadArgumentsError. */
  constructor(zk: ZooKeeper, path: string, options: PartitionerOptions) {
    super();
    coreOf(zk);
    checkPath(path, 'Partitioner');
    const { items, id = randomUUID(), acl } = options ?? {};
    this.path = path;
    this.id = id;
    this.#zk = zk;
    this.#acl = acl;
    this.#items = itemsOf(items, path);
    if (typeof id !== 'string' || id === '' || id.includes('/')) {
      throw bad(path, `id must be the name of a znode: text without "/", not ${JSON.stringify(id)}`);
    }
    this.#node = new PersistentNode(zk, childOf(this.#members, id), { mode: 'ephemeral', acl });
    const placement = { acl, data: id, policy: requirePolicy(options, path) };
    this.#tenures = new Tenures(zk, childOf(path, 'items'), placement, {
      onChange: () => this.emit('change', this.mine()),
      onVacant: this.#ring,
      onError: (error) => this.report(error),
    });
    this.#first.promise.catch(() => {});
    this.#node.on('created', this.#ring);
    this.#node.on('error', (error) => this.report(error));
  }

  /**
   * Joins the members. Resolves when its share is known, and each item of it is held or waits for the one who has it.
   * Called again, it is the same wait. Once it has been closed: ClosedError.
   *
   * When the first call rejects with BadArgumentsError because the others split other items, with what the server refuses
   * (NoAuthError), TimeoutError, the signal's reason or ClosedError, it is closed.
   */
  async start(options: CallOptions = {}): Promise<void> {
    if (this.#closing !== null) throw this.#closed();
    const isFirst = this.#started === null;
    const patience = new Patience(coreOf(this.#zk), options, { operation: 'start', path: this.path });
    try {
      this.#started ??= this.#join();
      await patience.for(this.#started);
    } catch (error) {
      if (isFirst) this.close().catch((refusal: unknown) => this.report(refusal));
      throw error;
    } finally {
      patience.end();
    }
  }

  /**
   * What belongs to this member now. An item that is to move is let go at once, unless somebody listens for `revoke` on its
   * Held: then it is kept until `held.release()`, which says that the work on it is done.
   */
  mine(): Map<string, Held> {
    return this.#tenures.held();
  }

  /** Lets all items go and leaves the members. Resolves when that is done; in an outage at once, and it goes on in the background. */
  async close(options: CallOptions = {}): Promise<void> {
    requireCallOptions(options, { operation: 'close', path: this.path });
    this.#closing ??= this.#close();
    await waitFor(coreOf(this.#zk), this.#closing, options, 'close');
  }

  /** As `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #members(): string {
    return childOf(this.path, 'members');
  }

  get #assignment(): string {
    return childOf(this.path, 'assignment');
  }

  async #join(): Promise<void> {
    this.#zk.on('reconnected', this.#ring);
    this.#zk.on('renewed', this.#ring);
    await this.#node.start();
    this.#running = this.#run();
    await this.#first.promise;
  }

  async #run(): Promise<void> {
    const core = coreOf(this.#zk);
    while (!this.#stop.signal.aborted && !core.over.aborted) {
      const patience = new Patience(core, { signal: this.#stop.signal }, { operation: 'Partitioner', path: this.path });
      try {
        await inRounds(core, patience, () => this.#round(patience));
      } catch (error) {
        if (patience.signal.aborted) continue;
        // Whoever starts it is told by that.
        if (!this.#hasJoined) this.#first.reject(error);
        else if ((error as ZooKeeperError).code !== 'CLOSED') this.report(error);
        await patience.for(this.#bell.heard()).catch(() => {});
      } finally {
        patience.end();
      }
    }
    this.#first.reject(core.over.reason);
  }

  async #round(patience: Patience): Promise<'again'> {
    const { signal } = patience;
    await untilConnected(this.#zk, patience);
    this.#bell.clear();
    const watching = { watch: this.#ring, watchSignal: this.#stop.signal, signal };
    const [list, assignment] = await Promise.all([
      orNull(this.#zk.children(this.#members, watching)),
      readAssignment(this.#zk, this.#assignment, watching),
    ]);
    const members = list?.children.sort() ?? [];
    let wait = Number.POSITIVE_INFINITY;
    // While our own znode is being made again it is for the others to decide.
    if (members.includes(this.id)) {
      this.#requireSameItems(assignment, members);
      wait = this.#staleFor(assignment, members);
      if (wait <= 0) {
        const shares = assign(this.#items, members, assignment.shares);
        await writeAssignment(this.#zk, this.#assignment, assignment, shares, { acl: this.#acl, signal });
        return 'again';
      }
      const share = assignment.shares.get(this.id);
      this.#tenures.follow(share ?? []);
      if (share !== undefined) void this.#tenures.placed().then(() => this.#joined());
    }
    const cancel = coreOf(this.#zk).dispatcher.setTimeout(this.#ring, wait);
    try {
      await patience.for(this.#bell.heard());
    } finally {
      cancel();
    }
    return 'again';
  }

  #joined(): void {
    this.#hasJoined = true;
    this.#first.resolve();
  }

  #requireSameItems({ shares }: Assignment, members: readonly string[]): void {
    if (!members.some((member) => member !== this.id && shares.has(member))) return;
    const theirs = [...shares.values()].flat();
    const own = new Set(this.#items);
    if (theirs.length === own.size && theirs.every((item) => own.has(item))) return;
    throw bad(this.path, 'the other members split other items; all need the same, or paths of their own');
  }

  /** How long it takes until it is for us to write a new split down, in ms; infinite when there is no need. */
  #staleFor({ shares }: Assignment, sorted: readonly string[]): number {
    if (shares.size === sorted.length && sorted.every((member) => shares.has(member))) {
      this.#stale = null;
      return Number.POSITIVE_INFINITY;
    }
    const now = coreOf(this.#zk).settings.environment.clock.now();
    const members = sorted.join('/');
    this.#stale ??= { since: now, changed: now, members };
    if (this.#stale.members !== members) this.#stale = { since: this.#stale.since, changed: now, members };
    const { since, changed } = this.#stale;
    const settled = Math.min(changed + SETTLING, since + LONGEST_SETTLING);
    return settled + sorted.indexOf(this.id) * PATIENCE - now;
  }

  async #close(): Promise<void> {
    const reason = this.#closed();
    this.#stop.abort(reason);
    this.#first.reject(reason);
    this.#zk.off('reconnected', this.#ring);
    this.#zk.off('renewed', this.#ring);
    await whileConnected(this.#zk, this.#finish());
  }

  async #finish(): Promise<void> {
    await this.#running;
    await Promise.all([this.#tenures.end(), this.#node.close()]);
    if (this.#started === null || this.#zk.state !== 'connected') return;
    // The last one puts out the lights, if it can.
    try {
      const assignment = await readAssignment(this.#zk, this.#assignment, {});
      const others = await orNull(this.#zk.children(this.#members));
      if ((others?.children.length ?? 0) === 0) await removeAssignment(this.#zk, this.#assignment, assignment);
    } catch (error) {
      if (!isPassing(error) && (error as ZooKeeperError).code !== 'CLOSED') this.report(error);
    }
  }

  #closed(): ClosedError {
    return new ClosedError('CLOSED', {
      operation: 'start',
      path: this.path,
      message: 'this Partitioner has been closed',
    });
  }
}

/** Throws BadArgumentsError unless they are different texts. */
function itemsOf(items: Iterable<string>, path: string): string[] {
  if (typeof items === 'string' || typeof items?.[Symbol.iterator] !== 'function') {
    throw bad(path, 'items must be a list of texts');
  }
  const all = [...items];
  for (const item of all) {
    if (typeof item !== 'string' || item === '')
      throw bad(path, `an item is text, and not empty: ${String(item)} is not`);
    try {
      nameOf(item);
    } catch {
      throw bad(path, `the item ${JSON.stringify(item)} has half a surrogate pair`);
    }
  }
  if (new Set(all).size !== all.length) throw bad(path, 'an item is there twice');
  return all.sort();
}

function bad(path: string, message: string): BadArgumentsError {
  return new BadArgumentsError('BAD_ARGUMENTS', { operation: 'Partitioner', path, message });
}
