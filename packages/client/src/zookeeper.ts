import { BadArgumentsError, type Stat } from '@zookit/protocol';
import { type ACL, type AclInput, toWire } from './acl.ts';
import { parseConnectString } from './connect-string.ts';
import { Core, type ZooKeeperEvents } from './core.ts';
import { type CreateOptions, createNode } from './create.ts';
import { type Data, newBytes } from './data.ts';
import { deleteRequested } from './delete.ts';
import { type EnsurePathOptions, ensureRequested } from './ensure-path.ts';
import { ephemerals } from './ephemerals.ts';
import { optionsOf } from './given.ts';
import { type Health, healthOf, type Server, serverOf } from './health.ts';
import { callIfKnown } from './known-calls.ts';
import type { AclVersionOptions, CloseOptions, DeleteOptions, ReadOptions, VersionOptions } from './method-options.ts';
import { type ReadRequest, type ReadResults, readMany } from './multi-read.ts';
import { getAcl, setAcl } from './operations/acl.ts';
import { exists, getChildren, getConfig, getData } from './operations/read.ts';
import { reconfig } from './operations/reconfig.ts';
import { sync } from './operations/sync.ts';
import { type Identity, whoAmI } from './operations/who-am-i.ts';
import { setData } from './operations/write.ts';
import { type CallOptions, checkCallOptions, credentials, settingsOf, type ZooKeeperOptions } from './options.ts';
import { CONFIG_NODE, checkPath, PathRoot } from './paths.ts';
import { type ReconfigOptions, reconfigArgs } from './reconfig.ts';
import type { Session } from './session/grant.ts';
import type { State } from './session/machine.ts';
import { Transaction } from './transaction.ts';
import { checkVersion } from './version.ts';
import { waitFor } from './wait.ts';
import { countDescendants, walk } from './walk.ts';
import { readNode } from './watched-read.ts';
import type { Watch, WatchOptions } from './watches/watch.ts';

/** What a client, or a namespace of it, looks at. */
interface View {
  readonly core: Core;
  readonly root: PathRoot;
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
      this.#core = new Core(settingsOf(optionsOf(options, 'connect', undefined, 'sessionTimeout: 30_000')), target);
      this.#root = new PathRoot(target.chroot);
    } else {
      this.#core = view.core;
      this.#root = view.root;
    }
    opened.set(this, { core: this.#core, root: this.#root });
  }

  /**
   * Makes a client and waits for its first session.
   *
   * Rejects with TimeoutError after `connectTimeout` (its `cause` is the last thing that went wrong), AuthFailedError,
   * SessionExpiredError (a session to take over is gone and `renewSession` is false) or ConnectStringError; the client is closed then.
   */
  static async connect(connectString: string, options: ZooKeeperOptions & CallOptions = {}): Promise<ZooKeeper> {
    const { signal, timeout, ...rest } = optionsOf(options, 'connect', undefined, 'sessionTimeout: 30_000');
    const client = new ZooKeeper(connectString, rest);
    try {
      await client.connect({ signal, timeout });
    } catch (error) {
      await client.close();
      throw error;
    }
    return client;
  }

  /**
   * Starts the client; resolves with its first session, once its credentials have been accepted. Called again, it is the same wait.
   * `signal` and `timeout` end the wait, not the client.
   */
  connect(options: CallOptions = {}): Promise<void> {
    const wait = waitFor(this.#core, this.#core.session.connect(), options, 'connect');
    // The state tells it as well: a caller who drops the promise must not bring the process down.
    wait.catch(() => {});
    return wait;
  }

  get state(): State {
    return this.#core.session.state;
  }

  /** The present session; null while there is none. */
  get session(): Session | null {
    return this.#core.session.grant;
  }

  /** The server that this client is connected to. */
  get server(): Server | null {
    return serverOf(this.#core);
  }

  /** Where this view of the tree begins. */
  get chroot(): string {
    return this.#root.path;
  }

  /** The zxid of the last reply of this session. */
  get lastZxid(): bigint {
    return this.#core.session.lastZxid;
  }

  /** How the client is at this moment, for readiness probes. */
  health(): Health {
    return healthOf(this.#core);
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

  /** As `on()`. */
  addListener<E extends keyof ZooKeeperEvents>(event: E, listener: ZooKeeperEvents[E]): this {
    return this.on(event, listener);
  }

  /** As `off()`; Node's `events.once` and `events.on` ask for it. */
  removeListener<E extends keyof ZooKeeperEvents>(event: E, listener: ZooKeeperEvents[E]): this {
    return this.off(event, listener);
  }

  listenerCount(event: keyof ZooKeeperEvents): number {
    return this.#core.events.listenerCount(event as never);
  }

  /** A view on the same session in which every path lies under the given one, which is made by `parents` and `ensurePath`, if it is missing. */
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
    return this.#core.session.close(options ?? {});
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
  create(path: string, data?: Data, options: CreateOptions = {}): Promise<{ path: string; stat: Stat | null }> {
    return createNode(this.#core, this.#root, path, data, options);
  }

  /** The data and stat of a znode. Rejects with NoNodeError, and sets no watch, when it is missing. */
  get(path: string, options: ReadOptions = {}): Promise<{ data: Buffer | null; stat: Stat }> {
    return readNode(this.#core, this.#root, getData, path, options);
  }

  /** The stat of a znode, null when it is missing; a watch then waits for it to appear. */
  exists(path: string, options: ReadOptions = {}): Promise<Stat | null> {
    return readNode(this.#core, this.#root, exists, path, options);
  }

  /** The names of the children, in no order, and the stat of the znode. */
  children(path: string, options: ReadOptions = {}): Promise<{ children: string[]; stat: Stat }> {
    return readNode(this.#core, this.#root, getChildren, path, options);
  }

  /**
   * Sets a persistent watch, which lives until it is closed: on a znode, its data and the list of its children, or with `recursive` on it and all that
   * lies below. The znode may be missing. Resolves once the server has it: a read that is made then misses nothing. After every
   * reconnect and every new session it tells `resync` once the server has it again.
   *
   * On servers before 3.6 a plain watch is made of one-shot ones, and `recursive` rejects with UnimplementedError.
   */
  watch(path: string, options: WatchOptions = {}): Promise<Watch> {
    return this.#core.persistent.open(this.#root, path, options);
  }

  /** Replaces the data. Rejects with BadVersionError when the znode is at another version. */
  async set(path: string, data: Data, options: VersionOptions = {}): Promise<Stat> {
    checkPath(path, 'set');
    const given = optionsOf(options, 'set', path, 'version: 7');
    const { version = -1 } = given;
    const bytes = newBytes(data, 'set', path);
    const args = { path: this.#root.toServer(path), data: bytes, version: checkVersion(version, 'set', path) };
    return await this.#core.dispatcher.call(setData, args, path, given);
  }

  /**
   * Deletes a znode. Rejects with NoNodeError, NotEmptyError or BadVersionError; with `recursive`, NotEmptyError means that
   * children keep appearing.
   */
  delete(path: string, options: DeleteOptions = {}): Promise<void> {
    return deleteRequested(this.#core, this.#root, path, options);
  }

  /** The ACL and stat of a znode. Rejects with NoAuthError without READ or ADMIN; the hashes of digests need ADMIN. */
  async getAcl(path: string, options: CallOptions = {}): Promise<{ acl: ACL[]; stat: Stat }> {
    checkPath(path, 'getAcl');
    return this.#core.dispatcher.call(getAcl, { path: this.#root.toServer(path) }, path, options);
  }

  /** Replaces the ACL. Rejects with BadVersionError when it is at another version, InvalidAclError when it won't do. */
  async setAcl(path: string, acl: AclInput, options: AclVersionOptions = {}): Promise<Stat> {
    checkPath(path, 'setAcl');
    const { aclVersion = -1, ...rest } = optionsOf(options, 'setAcl', path, 'aclVersion: 7');
    const version = checkVersion(aclVersion, 'setAcl', path, 'aclVersion');
    const args = { path: this.#root.toServer(path), acl: toWire(acl, 'setAcl', path), version };
    return this.#core.dispatcher.call(setAcl, args, path, rest);
  }

  /** Makes a znode without data, and those above it, as far as they are missing, a namespace's own path included. The chroot of the connect string is never made. */
  async ensurePath(path: string, options: EnsurePathOptions = {}): Promise<void> {
    return ensureRequested(this.#core, this.#root, path, options);
  }

  /** Begins a list of operations that `commit()` applies together or not at all. */
  transaction(): Transaction {
    return new Transaction(this.#core, this.#root);
  }

  /**
   * Several reads in one request: `{ get: path }` or `{ children: path }`. Resolves with one result for each, in order: its value
   * (`{ data, stat }` or `{ children }`) or a ZooKeeperError. On servers before 3.6 they are single requests.
   */
  async multiRead<const Requests extends readonly ReadRequest[]>(
    requests: Requests,
    options: CallOptions = {},
  ): Promise<ReadResults<Requests>> {
    return readMany(this.#core, this.#root, requests, options);
  }

  /**
   * The paths at and under a znode, parents before children, siblings by name. Znodes that vanish meanwhile are left out; the first
   * one missing is NoNodeError. Only some lists of children are kept in memory. `timeout` is that of each request.
   */
  walk(path = '/', options: CallOptions = {}): AsyncIterable<string> {
    return walk(this.#core, this.#root, path, options);
  }

  /** How many znodes lie under one, at any depth. Servers before 3.6 are walked. */
  async countDescendants(path: string, options: CallOptions = {}): Promise<number> {
    return countDescendants(this.#core, this.#root, path, options);
  }

  /**
   * The paths of this session's ephemeral znodes, of all or of those whose path begins with the characters of `prefix`.
   * Rejects with UnimplementedError on servers before 3.6.
   */
  async ephemerals(prefix = '/', options: CallOptions = {}): Promise<string[]> {
    return ephemerals(this.#core, this.#root, prefix, options);
  }

  /** What this client is to the server: `[{ scheme, id }]`. Rejects with UnimplementedError on servers before 3.7. */
  async whoAmI(options: CallOptions = {}): Promise<Identity[]> {
    return callIfKnown(this.#core, whoAmI, undefined, undefined, options);
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
    checkCallOptions(options, 'addAuth').signal?.throwIfAborted();
    for (const entry of credentials([{ scheme, auth }])) {
      this.#core.over.throwIfAborted();
      await waitFor(this.#core, this.#core.addAuth(entry.scheme, entry.auth), options, 'addAuth');
    }
  }

  /** The ensemble's configuration, which is no part of any view: empty on a standalone server, NoNodeError on 3.4. */
  async getConfig(options: ReadOptions = {}): Promise<{ data: Buffer | null; stat: Stat }> {
    return readNode(this.#core, new PathRoot('/'), getConfig, CONFIG_NODE, options);
  }

  /**
   * Changes the membership of the ensemble; resolves with the new configuration. Rejects with ReconfigDisabledError,
   * NoAuthError, NewConfigNoQuorumError, ReconfigInProgressError, or BadVersionError when it is not at `fromConfig` any more.
   */
  async reconfig(options: ReconfigOptions = {}): Promise<{ data: Buffer | null; stat: Stat }> {
    const given = optionsOf(options, 'reconfig', undefined, "joining: 'server.4=…'");
    const { signal, timeout } = given;
    return this.#core.dispatcher.call(reconfig, reconfigArgs(given), undefined, { signal, timeout });
  }

  /**
   * Replaces the list of servers; a chroot in it is ignored. The client moves to another server when its own is gone, or when the
   * load should be spread anew. Rejects with ConnectStringError.
   */
  async updateServers(connectString: string): Promise<void> {
    this.#core.updateServers(parseConnectString(connectString).hosts);
  }
}

/** How `namespace()` hands a core to the constructor, which users call with other things. */
const views = new WeakMap<ZooKeeperOptions, View>();

const opened = new WeakMap<ZooKeeper, View>();

/** What is behind a client, for zookit's own recipes. */
export function coreOf(client: ZooKeeper): Core {
  return viewOf(client).core;
}

/** As `coreOf`, with where the client's paths begin. */
export function viewOf(client: ZooKeeper): View {
  const view = opened.get(client);
  if (view !== undefined) return view;
  throw new BadArgumentsError('BAD_ARGUMENTS', { message: 'expected a ZooKeeper client of this package' });
}
