import type { AclInput, CallOptions, ZooKeeper, ZooKeeperError } from '@zookit/client';
import { checkPath, coreOf, parentOf } from '@zookit/client/internal';
import type { RecipeOptions } from '@zookit/recipe-core';
import {
  Bell,
  dataOrAddress,
  inRounds,
  Patience,
  PredecessorWatch,
  requireCallOptions,
  requirePolicy,
  untilConnected,
} from '@zookit/recipe-core/internal';

/** How a set ended: closed, or nobody can tell. */
type Outcome = 'closed' | { unknown: unknown };

/**
 * A gate on a path, closed while its znode exists. Any process may close and open it, and any number may wait until it
 * is open. Apache Curator's DistributedBarrier on the wire.
 */
export class Barrier {
  /** The znode that closes the gate. */
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #acl: { acl?: AclInput };

  /** Throws PathError or BadArgumentsError. */
  constructor(zk: ZooKeeper, path: string, options: RecipeOptions = {}) {
    coreOf(zk);
    checkPath(path, 'Barrier');
    requirePolicy(options, path);
    const { acl } = options;
    this.path = path;
    this.#zk = zk;
    this.#acl = acl === undefined ? {} : { acl };
  }

  /**
   * Closes the gate; resolves as well when it is closed already. The znode is persistent: it stays until `remove()`.
   *
   * A lost reply is looked into. ConnectionLossError (`maybeApplied: true`) is left for the case that nobody can answer:
   * the gate is open, and other znodes beside it came or went meanwhile, so this call may have closed it and another
   * opened it again. Rejects also with TimeoutError, the signal's reason, ClosedError, NoAuthError.
   */
  async set(options: CallOptions = {}): Promise<void> {
    let doubt: { error: unknown; before: string } | null = null;
    const outcome = await this.#patiently<Outcome>('set', options, async ({ signal }) => {
      if (doubt !== null) {
        // This server may lag behind the one that did it.
        await this.#zk.sync(this.path, { signal });
        if ((await this.#zk.exists(this.path, { signal })) !== null) return 'closed';
        if ((await this.#siblings(signal)) !== doubt.before) return { unknown: doubt.error };
      }
      const before = await this.#siblings(signal);
      doubt = null;
      const data = dataOrAddress(this.#zk, undefined);
      try {
        await this.#zk.create(this.path, data, { ...this.#acl, parents: 'container', signal });
      } catch (error) {
        const { code, maybeApplied } = error as ZooKeeperError;
        if (code === 'NODE_EXISTS') return 'closed';
        if (maybeApplied === true) doubt = { error, before };
        throw error;
      }
      return 'closed';
    });
    if (outcome !== 'closed') throw outcome.unknown;
  }

  /**
   * Opens the gate, which wakes all that wait; resolves as well when it is open. Once asked for it is done, however often
   * the connection breaks: `signal` and `timeout` end the wait for it, not the work.
   */
  async remove(options: CallOptions = {}): Promise<void> {
    requireCallOptions(options, { operation: 'remove', path: this.path });
    try {
      await this.#zk.delete(this.path, { ...options, guaranteed: true });
    } catch (error) {
      if ((error as ZooKeeperError).code !== 'NO_NODE') throw error;
    }
  }

  /**
   * Waits until the gate is open, through outages and lost sessions. No watch stays behind, however it ends.
   *
   * Rejects with TimeoutError, the signal's reason, ClosedError, or NoAuthError: it takes READ to wait.
   */
  async wait(options: CallOptions = {}): Promise<void> {
    const bell = new Bell();
    const watch = new PredecessorWatch(this.#zk, this.path, () => bell.ring());
    try {
      await this.#patiently('wait', options, async (patience) => {
        bell.clear();
        if (!(await patience.for(watch.set()))) return 'open';
        await patience.for(bell.heard());
        return 'again';
      });
    } finally {
      watch.cancel();
    }
  }

  async #patiently<T>(
    operation: string,
    options: CallOptions,
    round: (patience: Patience) => Promise<T | 'again'>,
  ): Promise<T> {
    const core = coreOf(this.#zk);
    const patience = new Patience(core, options, { operation, path: this.path });
    try {
      return await inRounds(core, patience, async () => {
        await untilConnected(this.#zk, patience);
        return round(patience);
      });
    } finally {
      patience.end();
    }
  }

  /** Changes whenever a znode comes or goes beside the gate's own. */
  async #siblings(signal: AbortSignal): Promise<string> {
    const stat = await this.#zk.exists(parentOf(this.path), { signal });
    return stat === null ? 'missing' : `${stat.czxid} ${stat.pzxid}`;
  }
}
