import { type CallOptions, ClosedError, type Data, type ZooKeeper } from '@zookit/client';
import { checkPath, coreOf, SafeEmitter, waitFor } from '@zookit/client/internal';
import { Patience, requireCallOptions } from '@zookit/recipe-core/internal';
import { Keeper } from './keeper.ts';
import { kindOf, type PersistentNodeOptions } from './node-kind.ts';

export type PersistentNodeEvents = {
  /** The znode was made, for the first time or again. */
  created: (path: string) => void;
  /** The server refuses it. It is tried again when the client reconnects, or at the next `set()`. */
  error: (error: unknown) => void;
};

/**
 * A znode that is there from `start()` to `close()`, with the latest data: made again when its session was lost or
 * somebody deleted it. Apache Curator's PersistentNode, and for the TTL modes its PersistentTtlNode.
 *
 * A znode that is there already is adopted: it gets our data, and keeps its kind and its owner.
 */
export class PersistentNode extends SafeEmitter<PersistentNodeEvents> {
  readonly #zk: ZooKeeper;
  readonly #keeper: Keeper;
  #started: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  /** Throws PathError or BadArgumentsError. */
  constructor(zk: ZooKeeper, path: string, options: PersistentNodeOptions = {}) {
    super();
    coreOf(zk);
    checkPath(path, 'PersistentNode');
    this.#zk = zk;
    this.#keeper = new Keeper(zk, kindOf(path, options), options.data, {
      onCreated: (actual) => this.emit('created', actual),
      onRefused: (error) => this.report(error),
    });
  }

  /**
   * Where it is: for the sequential modes, once it has been made; it keeps its number when it is made again. Until then the
   * path as it was given.
   */
  get path(): string {
    return this.#keeper.path;
  }

  /** What it says, or will as soon as there is a connection. */
  get data(): Data | undefined {
    return this.#keeper.data;
  }

  /**
   * Makes the znode; resolves when it is there. Called again, it is the same wait. Once it has been closed: ClosedError.
   *
   * When the first call rejects with what the server refuses (NoAuthError, NoNodeError without `parents`,
   * UnimplementedError for modes that it doesn't know), TimeoutError, the signal's reason or ClosedError, it is closed.
   */
  async start(options: CallOptions = {}): Promise<void> {
    if (this.#closing !== null) throw this.#closed('start');
    const isFirst = this.#started === null;
    const patience = new Patience(coreOf(this.#zk), options, { operation: 'start', path: this.path });
    try {
      this.#started ??= this.#keeper.start();
      await patience.for(this.#started);
    } catch (error) {
      if (isFirst) this.close().catch((refusal: unknown) => this.report(refusal));
      throw error;
    } finally {
      patience.end();
    }
  }

  /**
   * Changes the data; resolves when the znode says so. It is not lost in an outage: `signal` and `timeout` end the wait
   * alone. Before `start()` it resolves at once. Rejects with what the server refuses, or ClosedError.
   */
  async set(data: Data, options: CallOptions = {}): Promise<void> {
    if (this.#closing !== null) throw this.#closed('set');
    const patience = new Patience(coreOf(this.#zk), options, { operation: 'set', path: this.path });
    try {
      await patience.for(this.#keeper.set(data));
    } finally {
      patience.end();
    }
  }

  /**
   * Deletes the znode, and it will not come back. TTL znodes stay until their time is over, containers while they have
   * children, and so does an ephemeral one that was adopted, of another session. Resolves when that is done, in an outage
   * at once: the deletion goes on in the background. Rejects when the server refuses it (NotEmptyError, NoAuthError).
   */
  async close(options: CallOptions = {}): Promise<void> {
    requireCallOptions(options, { operation: 'close', path: this.path });
    this.#closing ??= this.#keeper.stop(this.#closed('set'));
    await waitFor(coreOf(this.#zk), this.#closing, options, 'close');
  }

  /** As `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #closed(operation: string): ClosedError {
    return new ClosedError('CLOSED', { operation, path: this.path, message: 'this PersistentNode has been closed' });
  }
}
