import { BadArgumentsError, type Stat } from '@zookit/protocol';
import { onAbort } from './abort.ts';
import { parseConnectString } from './connect-string.ts';
import { Core, type ZooKeeperEvents } from './core.ts';
import { type CreateOptions, createNode } from './create.ts';
import { type Data, toBytes } from './data.ts';
import { deleteGuaranteed } from './guaranteed.ts';
import type { Operation } from './operations/operation.ts';
import { exists, getChildren, getData, type ReadArgs } from './operations/read.ts';
import { sync } from './operations/sync.ts';
import { deleteNode, setData } from './operations/write.ts';
import { type CallOptions, settingsOf, type ZooKeeperOptions } from './options.ts';
import { checkPath, PathRoot } from './paths.ts';
import type { Session } from './session/grant.ts';
import type { State } from './session/machine.ts';
import { waitFor } from './wait.ts';
import type { WatchKind, WatchListener } from './watches/event.ts';
import { watcherOf } from './watches/registry.ts';

export interface ReadOptions extends CallOptions {
  /** Called once: at the next change, or when the session ends. The same function on the same path and kind is one watch. */
  watch?: WatchListener;
  /** Takes the watch back. */
  watchSignal?: AbortSignal;
}

export interface VersionOptions extends CallOptions {
  /** Only if the znode is at this version; default -1, any. */
  version?: number;
}

export interface DeleteOptions extends VersionOptions {
  /** Go on in the background, whatever becomes of the connection, until the znode is gone or the client is closed. Default false. */
  guaranteed?: boolean;
}

export interface CloseOptions {
  /** Leave the session alive on the server, for another client to take over. Default false. */
  detach?: boolean;
  /** ms after which `close()` resolves in any case. Default: what is left of the session, at most the session timeout. */
  timeout?: number;
}

/**
 * A ZooKeeper client: one session on an ensemble, renewed when it is lost.
 *
 * Every method that waits takes `signal` and `timeout` and rejects with a ZooKeeperError; none throws synchronously.
 */
export class ZooKeeper {
  readonly #core: Core;
  readonly #root: PathRoot;

  /** Makes a client that does nothing until `connect()`. Throws ConnectStringError or BadArgumentsError. */
  constructor(connectString: string, options: ZooKeeperOptions = {}) {
    const view = views.get(options);
    if (view === undefined) {
      const target = parseConnectString(connectString);
      this.#core = new Core(settingsOf(options), target);
      this.#root = new PathRoot(target.chroot);
    } else {
      this.#core = view.core;
      this.#root = view.root;
    }
    cores.set(this, this.#core);
  }

  /**
   * Makes a client and waits for its first session.
   *
   * Rejects with TimeoutError after `connectTimeout` (its `cause` is the last thing that went wrong), AuthFailedError,
   * SessionExpiredError (a session to take over is gone and `renewSession` is false) or ConnectStringError; the client is closed then.
   */
  static async connect(connectString: string, options: ZooKeeperOptions & CallOptions = {}): Promise<ZooKeeper> {
    const { signal, timeout, ...rest } = options;
    const client = new ZooKeeper(connectString, rest);
    try {
      await client.connect({ signal, timeout });
    } catch (error) {
      await client.close();
      throw error;
    }
    return client;
  }

  /** Starts the client; resolves with its first session. Called again, it is the same wait. */
  connect(options: CallOptions = {}): Promise<void> {
    return waitFor(this.#core, this.#core.session.connect(), options);
  }

  get state(): State {
    return this.#core.session.state;
  }

  /** The present session; null while there is none. */
  get session(): Session | null {
    return this.#core.session.grant;
  }

  /** The server that this client is connected to. */
  get server(): { host: string; address: string; port: number } | null {
    const target = this.#core.session.connection?.target;
    return target === undefined ? null : { host: target.host, address: target.address, port: target.port };
  }

  /** Where this view of the tree begins. */
  get chroot(): string {
    return this.#root.path;
  }

  /** The zxid of the last reply of this session. */
  get lastZxid(): bigint {
    return this.#core.session.lastZxid;
  }

  on<E extends keyof ZooKeeperEvents>(event: E, listener: ZooKeeperEvents[E]): this {
    this.#core.events.on(event as never, listener as never);
    return this;
  }

  once<E extends keyof ZooKeeperEvents>(event: E, listener: ZooKeeperEvents[E]): this {
    this.#core.events.once(event as never, listener as never);
    return this;
  }

  off<E extends keyof ZooKeeperEvents>(event: E, listener: ZooKeeperEvents[E]): this {
    this.#core.events.off(event as never, listener as never);
    return this;
  }

  listenerCount(event: keyof ZooKeeperEvents): number {
    return this.#core.events.listenerCount(event as never);
  }

  /** A view on the same session in which every path lies under the given one. */
  namespace(path: string): ZooKeeper {
    checkPath(path, 'namespace');
    const options = {};
    views.set(options, { core: this.#core, root: this.#root.under(path) });
    return new ZooKeeper('', options);
  }

  /**
   * Ends the client and, unless `detach`, its session on the server. Always resolves; valid at any time, and more than once.
   */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#core.session.close(options);
  }

  /** As `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Creates a znode. `stat` is null from servers without create2 (3.4).
   *
   * Rejects with NodeExistsError, NoNodeError (the parent is missing), NoChildrenForEphemeralsError, … A lost connection is
   * ConnectionLossError with `maybeApplied: true`, except with `protected`, which finds its own znode.
   */
  async create(path: string, data?: Data, options: CreateOptions = {}): Promise<{ path: string; stat: Stat | null }> {
    return createNode(this.#core, this.#root, path, data, options);
  }

  /** The data and stat of a znode. Rejects with NoNodeError, and sets no watch, when it is missing. */
  get(path: string, options: ReadOptions = {}): Promise<{ data: Buffer | null; stat: Stat }> {
    return this.#read(getData, 'data', path, options);
  }

  /** The stat of a znode, null when it is missing; a watch then waits for it to appear. */
  exists(path: string, options: ReadOptions = {}): Promise<Stat | null> {
    return this.#read(exists, 'data', path, options);
  }

  /** The names of the children, in no order, and the stat of the znode. */
  children(path: string, options: ReadOptions = {}): Promise<{ children: string[]; stat: Stat }> {
    return this.#read(getChildren, 'child', path, options);
  }

  /** Replaces the data. Rejects with BadVersionError when the znode is at another version. */
  async set(path: string, data: Data, options: VersionOptions = {}): Promise<Stat> {
    checkPath(path, 'set');
    const args = {
      path: this.#root.toServer(path),
      data: toBytes(data, 'set', path),
      version: versionOf(options, 'set', path),
    };
    return this.#core.dispatcher.call(setData, args, path, options);
  }

  /** Deletes a znode. Rejects with NoNodeError, NotEmptyError or BadVersionError. */
  async delete(path: string, options: DeleteOptions = {}): Promise<void> {
    checkPath(path, 'delete');
    const args = { path: this.#root.toServer(path), version: versionOf(options, 'delete', path) };
    if (options.guaranteed !== true) return this.#core.dispatcher.call(deleteNode, args, path, options);
    options.signal?.throwIfAborted();
    return waitFor(this.#core, deleteGuaranteed(this.#core, args.path, args.version, path), options);
  }

  /** Waits until the server that this client is connected to has seen all that the leader has. */
  async sync(path = '/', options: CallOptions = {}): Promise<void> {
    checkPath(path, 'sync');
    return this.#core.dispatcher.call(sync, { path: this.#root.toServer(path) }, path, options);
  }

  /**
   * Adds credentials, presented at once and on every later connection. Rejects with AuthFailedError when they are refused, which ends the client.
   */
  async addAuth(scheme: string, auth: string | Uint8Array, options: CallOptions = {}): Promise<void> {
    const { end } = this.#core.session;
    if (end !== null) throw end;
    return waitFor(this.#core, this.#core.addAuth(scheme, Buffer.from(auth as string)), options);
  }

  async #read<Result>(
    operation: Operation<ReadArgs, Result>,
    kind: WatchKind,
    path: string,
    options: ReadOptions,
  ): Promise<Result> {
    checkPath(path, operation.name);
    const server = this.#root.toServer(path);
    const { watch, watchSignal } = options;
    const { dispatcher, watches } = this.#core;
    if (watch === undefined) return dispatcher.call(operation, { path: server, watch: false }, path, options);
    if (typeof watch !== 'function') {
      throw new BadArgumentsError('BAD_ARGUMENTS', {
        operation: operation.name,
        path,
        message: 'watch must be a function',
      });
    }
    watchSignal?.throwIfAborted();
    const watcher = watcherOf(watch, this.#root);
    if (watchSignal !== undefined) {
      watcher.onEnd = onAbort(watchSignal, () => {
        watcher.cancelled = true;
        const set = (['data', 'exist', 'child'] as const).find((each) => watches.remove(each, server, watcher));
        if (set !== undefined) dispatcher.unwatch(set, server);
      });
    }
    try {
      return await dispatcher.call(operation, { path: server, watch: true }, path, options, {
        path: server,
        watcher,
        expected: watches.expect(kind, server),
      });
    } catch (error) {
      watcher.onEnd?.();
      throw error;
    }
  }
}

/** How `namespace()` hands a core to the constructor, which users call with other things. */
const views = new WeakMap<ZooKeeperOptions, { core: Core; root: PathRoot }>();

const cores = new WeakMap<ZooKeeper, Core>();

/** What is behind a client, for zookit's own recipes. */
export function coreOf(client: ZooKeeper): Core {
  const core = cores.get(client);
  if (core !== undefined) return core;
  throw new BadArgumentsError('BAD_ARGUMENTS', { message: 'expected a ZooKeeper client of this package' });
}

function versionOf({ version = -1 }: VersionOptions, operation: string, path: string): number {
  if (Number.isInteger(version) && version >= -0x80000000 && version <= 0x7fffffff) return version;
  throw new BadArgumentsError('BAD_ARGUMENTS', {
    operation,
    path,
    message: `version must be a 32-bit integer, not ${String(version)}`,
  });
}
