import type { Watch, ZooKeeper, ZooKeeperError } from '@zookit/client';
import { coreOf, deferred } from '@zookit/client/internal';
import { Bell, childOf, inRounds, Patience, untilConnected } from '@zookit/recipe-core/internal';

/** The members of a group, by id, and what each says. */
export type Members = Map<string, Buffer | null>;

/** How many znodes are read in one request. */
const BATCH = 500;

/** Reads who is there now. Those that leave meanwhile are left out; a missing base is an empty group. */
export async function readMembers(zk: ZooKeeper, base: string, signal?: AbortSignal): Promise<Members> {
  const names = await namesOf(zk, base, { signal });
  const members: Members = new Map();
  for (let from = 0; from < names.length; from += BATCH) {
    const batch = names.slice(from, from + BATCH);
    const results = await zk.multiRead(
      batch.map((name) => ({ get: childOf(base, name) })),
      { signal },
    );
    for (const [at, result] of results.entries()) {
      if ('data' in result) members.set(batch[at] as string, result.data);
      else if ((result as ZooKeeperError).code !== 'NO_NODE') throw result;
    }
  }
  return members;
}

async function namesOf(
  zk: ZooKeeper,
  base: string,
  options: NonNullable<Parameters<ZooKeeper['children']>[1]>,
): Promise<string[]> {
  try {
    return (await zk.children(base, options)).children.sort();
  } catch (error) {
    if ((error as ZooKeeperError).code !== 'NO_NODE') throw error;
  }
  if (options.watch === undefined) return [];
  // A watch on a list can't wait for the list itself.
  return (await zk.exists(base, options)) === null ? [] : namesOf(zk, base, options);
}

export interface MembershipHooks {
  onMembers(members: Members): void;
  /** The server refuses to show them. It is asked again when the client reconnects. */
  onRefused(error: unknown): void;
}

/** Follows who is in a group, from `start()` to `stop()`. */
export class Membership {
  readonly #zk: ZooKeeper;
  readonly #base: string;
  readonly #hooks: MembershipHooks;
  readonly #bell = new Bell();
  readonly #ring = (): void => this.#bell.ring();
  readonly #stop = new AbortController();
  readonly #first = deferred<void>();
  #watch: Watch | null = null;
  /** Servers before 3.6 tell who comes and goes, and not what members change. */
  #oneShot = false;

  constructor(zk: ZooKeeper, base: string, hooks: MembershipHooks) {
    this.#zk = zk;
    this.#base = base;
    this.#hooks = hooks;
    this.#first.promise.catch(() => {});
  }

  /** Resolves when the members have been read for the first time. */
  start(): Promise<void> {
    if (!this.#stop.signal.aborted) {
      this.#zk.on('reconnected', this.#ring);
      this.#zk.on('renewed', this.#ring);
      void this.#run();
    }
    return this.#first.promise;
  }

  stop(reason: ZooKeeperError): void {
    this.#stop.abort(reason);
    this.#first.reject(reason);
    this.#zk.off('reconnected', this.#ring);
    this.#zk.off('renewed', this.#ring);
  }

  async #run(): Promise<void> {
    const core = coreOf(this.#zk);
    while (!this.#stop.signal.aborted && !core.over.aborted) {
      const wish = { operation: 'members', path: this.#base };
      const patience = new Patience(core, { signal: this.#stop.signal }, wish);
      try {
        await inRounds(core, patience, () => this.#round(patience));
      } catch (error) {
        if (patience.signal.aborted) continue;
        this.#first.reject(error);
        if ((error as ZooKeeperError).code !== 'CLOSED') this.#hooks.onRefused(error);
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
    if (this.#watch === null && !this.#oneShot) await this.#arm();
    if (this.#oneShot) {
      await namesOf(this.#zk, this.#base, { watch: this.#ring, watchSignal: this.#stop.signal, signal });
    }
    const members = await readMembers(this.#zk, this.#base, signal);
    if (!signal.aborted) this.#hooks.onMembers(members);
    this.#first.resolve();
    await patience.for(this.#bell.heard());
    return 'again';
  }

  async #arm(): Promise<void> {
    try {
      const watch = await this.#zk.watch(this.#base, { recursive: true, signal: this.#stop.signal });
      this.#watch = watch;
      watch.on('event', this.#ring);
      watch.on('close', () => {
        this.#watch = null;
        this.#bell.ring();
      });
    } catch (error) {
      if ((error as ZooKeeperError).code !== 'UNIMPLEMENTED') throw error;
      this.#oneShot = true;
    }
  }
}
