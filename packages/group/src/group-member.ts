import { BadArgumentsError, type CallOptions, ClosedError, type Data, type ZooKeeper } from '@zookit/client';
import { checkPath, coreOf, SafeEmitter, toBytes } from '@zookit/client/internal';
import type { RecipeOptions } from '@zookit/recipe-core';
import { childOf, Patience, requireCallOptions, requirePolicy } from '@zookit/recipe-core/internal';
import { type Members, Membership, readMembers } from './membership.ts';
import { PersistentNode } from './persistent-node.ts';

export type GroupMemberEvents = {
  /** A member has come, gone, or changed its data. Quick changes may come as one. */
  change: (members: Map<string, Buffer | null>) => void;
  /** A listener threw, or the server refuses what the member needs: it is tried again when the client reconnects. */
  error: (error: unknown) => void;
};

/**
 * A member of a group from `start()` to `close()`, which knows who else is. Apache Curator's GroupMember on the wire:
 * `<path>/<id>`, ephemeral.
 */
export class GroupMember extends SafeEmitter<GroupMemberEvents> {
  /** The znode whose children are the members. */
  readonly path: string;
  readonly id: string;
  readonly #zk: ZooKeeper;
  readonly #node: PersistentNode;
  readonly #membership: Membership;
  #seen: Members | null = null;
  #started: Promise<void> | null = null;
  #isClosed = false;

  /**
   * `id` must be nobody else's in the group. `data` defaults to this end's address as text. Throws PathError or
   * BadArgumentsError.
   */
  constructor(zk: ZooKeeper, path: string, id: string, data?: Data, options: RecipeOptions = {}) {
    super();
    coreOf(zk);
    checkPath(path, 'GroupMember');
    if (typeof id !== 'string' || id === '' || id.includes('/')) {
      const message = `id must be the name of a znode: text without "/", not ${JSON.stringify(id)}`;
      throw new BadArgumentsError('BAD_ARGUMENTS', { path, message });
    }
    requirePolicy(options, path);
    this.path = path;
    this.id = id;
    this.#zk = zk;
    this.#node = new PersistentNode(zk, childOf(path, id), { mode: 'ephemeral', data, acl: options.acl });
    this.#node.on('error', (error) => this.report(error));
    this.#membership = new Membership(zk, path, {
      onMembers: (members) => this.#onMembers(members),
      onRefused: (error) => this.report(error),
    });
  }

  /**
   * Joins the group; resolves when it has, and knows who else is in it: `change` tells of all that happens later. Called again, it is the same wait.
   * Once it has been closed: ClosedError.
   *
   * When the first call rejects with what the server refuses (NoAuthError), TimeoutError, the signal's reason or
   * ClosedError, it is closed.
   */
  async start(options: CallOptions = {}): Promise<void> {
    if (this.#isClosed) throw this.#closed();
    const isFirst = this.#started === null;
    const patience = new Patience(coreOf(this.#zk), options, { operation: 'start', path: this.path });
    try {
      this.#started ??= this.#node.start().then(() => this.#membership.start());
      await patience.for(this.#started);
    } catch (error) {
      if (isFirst) this.close().catch((refusal: unknown) => this.report(refusal));
      throw error;
    } finally {
      patience.end();
    }
  }

  /**
   * Who is in the group now, as the server says, with what each says of itself. This one is always among them, also while
   * its session is being replaced, and before the group knows of it.
   */
  async members(options: CallOptions = {}): Promise<Map<string, Buffer | null>> {
    const patience = new Patience(coreOf(this.#zk), options, { operation: 'members', path: this.path });
    try {
      return this.#withSelf(await readMembers(this.#zk, this.path, patience.signal));
    } catch (error) {
      throw patience.signal.aborted ? patience.signal.reason : error;
    } finally {
      patience.end();
    }
  }

  /**
   * Changes what this member says; resolves when the server has it. It is not lost in an outage: `signal` and `timeout` end
   * the wait alone.
   */
  setData(data: Data, options: CallOptions = {}): Promise<void> {
    return this.#node.set(data, options);
  }

  /** Leaves the group. Resolves when the znode is gone; in an outage at once, and it goes when there is a connection. */
  async close(options: CallOptions = {}): Promise<void> {
    requireCallOptions(options, { operation: 'close', path: this.path });
    this.#isClosed = true;
    this.#membership.stop(this.#closed());
    await this.#node.close(options);
  }

  /** As `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #closed(): ClosedError {
    const message = 'this GroupMember has been closed';
    return new ClosedError('CLOSED', { operation: 'start', path: this.path, message });
  }

  #onMembers(read: Members): void {
    const members = this.#withSelf(read);
    const before = this.#seen;
    this.#seen = members;
    if (before !== null && !same(before, members)) this.emit('change', new Map(members));
  }

  #withSelf(members: Members): Members {
    if (members.has(this.id)) return members;
    const bytes = toBytes(this.#node.data, 'members', this.path);
    return members.set(this.id, bytes === null ? null : Buffer.from(bytes));
  }
}

function same(a: Members, b: Members): boolean {
  if (a.size !== b.size) return false;
  for (const [id, data] of a) {
    const other = b.get(id);
    if (other === undefined || (data === null) !== (other === null)) return false;
    if (data !== null && other !== null && !data.equals(other)) return false;
  }
  return true;
}
