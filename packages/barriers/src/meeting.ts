import {
  type AclInput,
  type Data,
  type ReadOptions,
  type Stat,
  type Transaction,
  type TransactionError,
  type ZooKeeper,
  ZooKeeperError,
} from '@zookit/client';
import { childOf, dataOrAddress } from '@zookit/recipe-core/internal';

/** The child that says that a round is under way; all others are members. */
const READY = 'ready';

/** What is under a double barrier's path. */
export interface View {
  /** The members' names, in Curator's order. */
  readonly names: readonly string[];
  /** The znode that says that a round is under way. */
  readonly ready: Stat | null;
  /** Of the base, as it was before all else was looked at. */
  readonly base: Stat;
}

/** The znodes of one double barrier. `docs/design/double-barrier.md` says why they are handled like this. */
export class Meeting {
  readonly zk: ZooKeeper;
  readonly base: string;
  readonly #ready: string;
  readonly #acl: { acl?: AclInput };

  constructor(zk: ZooKeeper, base: string, acl: AclInput | undefined) {
    this.zk = zk;
    this.base = base;
    this.#ready = childOf(base, READY);
    this.#acl = acl === undefined ? {} : { acl };
  }

  get acl(): { acl?: AclInput } {
    return this.#acl;
  }

  get data(): Data {
    return dataOrAddress(this.zk, undefined);
  }

  pathOf(name: string): string {
    return childOf(this.base, name);
  }

  /** What is there; null when the base is gone. */
  async look(signal: AbortSignal): Promise<View | null> {
    // The base first: whoever begins a round changes it, so what is decided by a view can prove that it still holds.
    const listing = this.zk.children(this.base, { signal });
    const [list, ready] = await Promise.all([listing.catch(nullWhenMissing), this.ready({ signal })]);
    if (list === null) return null;
    return { names: list.children.filter((name) => name !== READY).sort(), ready, base: list.stat };
  }

  /** The stat of `ready`; null when no round is under way. */
  ready(options: ReadOptions): Promise<Stat | null> {
    return this.zk.exists(this.#ready, options);
  }

  /** The stats of those of the names that are still there. */
  async stats(names: readonly string[], signal: AbortSignal): Promise<{ name: string; stat: Stat }[]> {
    const stats = await Promise.all(
      names.map(async (name) => ({ name, stat: await this.zk.exists(this.pathOf(name), { signal }) })),
    );
    return stats.flatMap(({ name, stat }) => (stat === null ? [] : [{ name, stat }]));
  }

  /**
   * Begins a round, if all that are counted are still there and want to be counted. Resolves with the one that doesn't
   * want to any more, if that was it.
   */
  async begin(counted: readonly string[], base: Stat, signal: AbortSignal): Promise<string | null> {
    const data = base.dataLength === 0 ? '' : (await this.zk.get(this.base, { signal })).data;
    const transaction = this.zk.transaction().set(this.base, data, { version: base.version });
    for (const name of counted) transaction.check(this.pathOf(name), 0);
    transaction.create(this.#ready, this.data, this.#acl);
    const failure = await attempt(transaction, signal);
    return failure?.code === 'BAD_VERSION' ? (counted[failure.index - 1] ?? null) : null;
  }

  /** Takes `ready` away, and the last member's znode with it, unless another round has begun. */
  async end({ ready, base }: View, last: string | null, signal: AbortSignal): Promise<void> {
    // Once more: after a lost connection the view's parts may have been read in another order.
    if ((await this.ready({ signal }))?.czxid !== ready?.czxid) return;
    const transaction = this.zk.transaction().check(this.base, base.version);
    if (last !== null) transaction.delete(last);
    await attempt(transaction.delete(this.#ready), signal);
  }
}

/** What was overtaken by events: look again. */
const OVERTAKEN: ReadonlySet<string> = new Set(['NO_NODE', 'NODE_EXISTS', 'BAD_VERSION']);

async function attempt(transaction: Transaction, signal: AbortSignal): Promise<{ code: string; index: number } | null> {
  try {
    await transaction.commit({ signal });
    return null;
  } catch (error) {
    const { code, results, cause } = error as TransactionError;
    if (results === undefined) throw error;
    if (!OVERTAKEN.has(code)) throw cause;
    return { code, index: results.findIndex((result) => result !== null) };
  }
}

export function nullWhenMissing(error: unknown): null {
  if (error instanceof ZooKeeperError && error.code === 'NO_NODE') return null;
  throw error;
}
