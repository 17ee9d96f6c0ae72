import type { ZooKeeper, ZooKeeperError } from '@zookit/client';
import { coreOf, createMarked, type Grant, nameOf, parentOf } from '@zookit/client/internal';
import { childOf } from '@zookit/recipe-core/internal';
import type { NodeKind } from './node-kind.ts';

/**
 * The create by which a sequential znode gets its number. With a protected name a lost reply does no harm. Without one, an
 * ephemeral znode is known by its owner; a persistent one is made again, and the first may stay.
 */
export class NumberedCreate {
  readonly #zk: ZooKeeper;
  readonly #kind: NodeKind;
  readonly #isKept: (path: string) => boolean;
  /** A create without an answer, and the zxid that all znodes before it are older than. */
  #doubt: { grant: Grant | null; since: bigint } | null = null;

  /** `isKept`: whether a znode of this client's is known to be another's. */
  constructor(zk: ZooKeeper, kind: NodeKind, isKept: (path: string) => boolean) {
    this.#zk = zk;
    this.#kind = kind;
    this.#isKept = isKept;
  }

  /** Makes the znode; resolves with its path. */
  async take(bytes: Uint8Array | null, signal: AbortSignal): Promise<string> {
    const { given, mark, first, isEphemeral } = this.#kind;
    if (mark !== null) return (await createMarked(this.#zk, given, bytes, { ...first, signal }, mark)).path;
    const made = await this.find(signal);
    if (made !== null) return made;
    const { grant, lastZxid } = coreOf(this.#zk).session;
    try {
      // Not under the signal: what has a number that nobody has heard of could not be deleted.
      return (await this.#zk.create(given, bytes, first)).path;
    } catch (error) {
      if (isEphemeral && (error as ZooKeeperError).maybeApplied === true) this.#doubt = { grant, since: lastZxid };
      throw error;
    }
  }

  /** Looks for a znode whose number got lost with the reply; null when there is none. */
  async find(signal: AbortSignal): Promise<string | null> {
    const { grant } = coreOf(this.#zk).session;
    const { given } = this.#kind;
    const parent = parentOf(given);
    if (this.#doubt === null || this.#doubt.grant !== grant || grant === null) return null;
    const { since } = this.#doubt;
    // This server may lag behind the one that made it.
    await this.#zk.sync(parent, { signal });
    const { children } = await this.#zk.children(parent, { signal });
    const prefix = nameOf(given);
    for (const name of children) {
      const path = childOf(parent, name);
      if (!name.startsWith(prefix) || !/^\d{10}$/.test(name.slice(prefix.length)) || this.#isKept(path)) continue;
      const stat = await this.#zk.exists(path, { signal });
      if (stat !== null && stat.czxid > since && stat.ephemeralOwner === grant.id) return path;
    }
    this.#doubt = null;
    return null;
  }
}
