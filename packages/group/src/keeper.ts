import type { CreateOptions, Data, Stat, ZooKeeper, ZooKeeperError } from '@zookit/client';
import { type Core, coreOf, type Deferred, deferred, type Grant, parentOf, toBytes } from '@zookit/client/internal';
import {
  Bell,
  ClientMap,
  childOf,
  dataOrAddress,
  inRounds,
  Patience,
  untilConnected,
} from '@zookit/recipe-core/internal';
import type { NodeKind } from './node-kind.ts';
import { NumberedCreate } from './numbered-create.ts';
import { whileConnected } from './while-connected.ts';

export interface KeeperHooks {
  onCreated(path: string): void;
  onRefused(error: unknown): void;
}

/** What the keepers of one client keep. */
const kept = new ClientMap<Keeper>();

/** The child by which a TTL znode is kept alive, as Curator's PersistentTtlNode does it. */
const TOUCH = 'touch';

/** What the znode is to say, as of one `set()`. */
interface Wanted {
  readonly bytes: Uint8Array | null;
  readonly confirmed: Deferred<void>;
}

/** Keeps a znode there, with its data, until it is stopped. */
export class Keeper {
  readonly #zk: ZooKeeper;
  readonly #core: Core;
  readonly #kind: NodeKind;
  readonly #hooks: KeeperHooks;
  readonly #bell = new Bell();
  readonly #ring = (): void => this.#bell.ring();
  readonly #onBack = (): void => {
    this.#connections += 1;
    this.#bell.ring();
  };
  readonly #stop = new AbortController();
  readonly #number: NumberedCreate;
  /** Sessions of this client in which it may have been made, and which may still have it. */
  readonly #owners = new Set<bigint>();
  #data: Data | undefined;
  #address: Uint8Array | null = null;
  #wanted: Wanted | null = null;
  #path: string | null;
  /** Of the znode as it was seen last. */
  #czxid: bigint | null = null;
  /** Counts connections. */
  #connections = 0;
  /** What the znode last said as it should, and since which connection. */
  #settled: { wanted: Wanted; czxid: bigint; connection: number } | null = null;
  #touchedAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> = Promise.resolve();

  constructor(zk: ZooKeeper, kind: NodeKind, data: Data | undefined, hooks: KeeperHooks) {
    this.#zk = zk;
    this.#core = coreOf(zk);
    this.#kind = kind;
    this.#hooks = hooks;
    this.#path = kind.path;
    this.#number = new NumberedCreate(zk, kind, (path) => kept.get(zk, path) !== undefined);
    if (data !== undefined) toBytes(data, 'PersistentNode', kind.given);
    this.#data = data;
  }

  get path(): string {
    return this.#path ?? this.#kind.given;
  }

  get data(): Data | undefined {
    return this.#data;
  }

  /** Resolves when the znode is there for the first time. */
  start(): Promise<void> {
    this.#zk.on('reconnected', this.#onBack);
    this.#zk.on('renewed', this.#onBack);
    const wanted = this.#want();
    this.#running = this.#run();
    return wanted.confirmed.promise;
  }

  set(data: Data): Promise<void> {
    toBytes(data, 'set', this.path);
    this.#data = data;
    this.#core.over.throwIfAborted();
    if (this.#wanted === null) return Promise.resolve();
    return this.#want().confirmed.promise;
  }

  /** Resolves when the znode is gone, or will go without our help; in an outage at once. */
  async stop(reason: ZooKeeperError): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return;
    this.#stop.abort(reason);
    this.#zk.off('reconnected', this.#onBack);
    this.#zk.off('renewed', this.#onBack);
    if (this.#wanted === null) return;
    await whileConnected(this.#zk, this.#finish());
  }

  /** Whoever waits for what was wanted before is served by what is wanted now. */
  #want(): Wanted {
    const before = this.#wanted;
    const bytes = this.#data === undefined ? null : toBytes(this.#data, 'set', this.path);
    const wanted: Wanted = { bytes, confirmed: deferred<void>() };
    // Whoever wants to know has been given it already.
    wanted.confirmed.promise.catch(() => {});
    before?.confirmed.resolve(wanted.confirmed.promise);
    this.#wanted = wanted;
    this.#bell.ring();
    return wanted;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted && !this.#core.over.aborted) {
      const patience = this.#patience(this.#stop.signal);
      try {
        await inRounds(this.#core, patience, () => this.#round(patience));
      } catch (error) {
        if (!this.#core.over.aborted && !this.#stop.signal.aborted) await this.#refused(error, patience);
      } finally {
        patience.end();
      }
    }
    this.#wanted?.confirmed.reject(this.#core.over.reason ?? this.#stop.signal.reason);
  }

  #patience(signal?: AbortSignal): Patience {
    return new Patience(this.#core, { signal }, { operation: 'PersistentNode', path: this.path });
  }

  async #refused(error: unknown, patience: Patience): Promise<void> {
    this.#wanted?.confirmed.reject(error);
    if ((error as ZooKeeperError).code !== 'CLOSED') this.#hooks.onRefused(error);
    const { signal } = this.#stop;
    if ((error as ZooKeeperError).code === 'NO_NODE' && this.#kind.again.parents === false) {
      await this.#zk.exists(parentOf(this.path), { watch: this.#ring, watchSignal: signal, signal }).catch(() => {});
    }
    await patience.for(this.#bell.heard()).catch(() => {});
  }

  async #round(patience: Patience): Promise<'again'> {
    const { signal } = patience;
    await untilConnected(this.#zk, patience);
    this.#bell.clear();
    const wanted = this.#wanted as Wanted;
    const connection = this.#connections;
    const { grant } = this.#core.session;
    if (this.#kind.isEphemeral && grant !== null) this.#owners.add(grant.id);
    if (this.#czxid === null) await this.#make(wanted, signal);
    const path = this.#path as string;
    const found = await this.#look(path, signal);
    if (found === null) {
      await this.#make(wanted, signal);
      return 'again';
    }
    const { stat } = found;
    if (this.#isStale(stat, grant)) {
      await this.#replace(path, stat, wanted, signal);
      return 'again';
    }
    if (stat.czxid !== this.#czxid) {
      this.#czxid = stat.czxid;
      this.#hooks.onCreated(path);
    }
    if (!this.#isSettled(wanted, stat, connection)) {
      if (!same(found.data, this.#bytes(wanted)) && !(await this.#write(path, stat, wanted, signal))) return 'again';
      this.#settled = { wanted, czxid: stat.czxid, connection };
    }
    wanted.confirmed.resolve();
    await this.#rest(path, patience);
    return 'again';
  }

  /** Whether it has said so before. What somebody has written since stays: two who keep one znode would write in turn, for ever. */
  #isSettled(wanted: Wanted, { czxid }: Stat, connection: number): boolean {
    const before = this.#settled;
    return before?.wanted === wanted && before.czxid === czxid && before.connection === connection;
  }

  /** Until something has changed, or a TTL znode is to be kept alive. */
  async #rest(path: string, patience: Patience): Promise<void> {
    const { ttl } = this.#kind;
    if (ttl === null) {
      await patience.for(this.#bell.heard());
      return;
    }
    const { clock } = this.#core.settings.environment;
    if (clock.now() >= this.#touchedAt + ttl / 2) {
      await this.#touch(childOf(path, TOUCH), patience.signal);
      this.#touchedAt = clock.now();
    }
    const cancel = this.#core.dispatcher.setTimeout(this.#ring, this.#touchedAt + ttl / 2 - clock.now());
    try {
      await patience.for(this.#bell.heard());
    } finally {
      cancel();
    }
  }

  async #touch(path: string, signal: AbortSignal): Promise<void> {
    const data = dataOrAddress(this.#zk, undefined);
    const { acl, ttl } = this.#kind.again;
    if ((await this.#zk.set(path, data, { signal }).catch(unless('NO_NODE'))) !== null) return;
    const options = { mode: 'persistent-ttl', ttl, signal, ...(acl === undefined ? {} : { acl }) } as CreateOptions;
    // Our znode may have gone meanwhile: its watch tells.
    await this.#zk.create(path, data, options).catch(unless('NODE_EXISTS', 'NO_NODE'));
  }

  /** Makes it, unless somebody else has. */
  async #make(wanted: Wanted, signal: AbortSignal): Promise<void> {
    const bytes = this.#bytes(wanted);
    if (this.#path === null) {
      this.#path = await this.#number.take(bytes, signal);
      kept.set(this.#zk, this.#path, this);
    } else {
      await this.#zk.create(this.#path, bytes, { ...this.#kind.again, signal }).catch(unless('NODE_EXISTS'));
    }
  }

  /** The data and stat, and a watch on both; null when it is not there. */
  #look(path: string, signal: AbortSignal): Promise<{ data: Buffer | null; stat: Stat } | null> {
    return this.#zk.get(path, { watch: this.#ring, watchSignal: this.#stop.signal, signal }).catch(unless('NO_NODE'));
  }

  /** Whether it belongs to a session of ours that is over: it will go, and must not be taken for ours. */
  #isStale({ ephemeralOwner }: Stat, grant: Grant | null): boolean {
    if (!this.#kind.isEphemeral) return false;
    if (ephemeralOwner !== grant?.id) return this.#owners.has(ephemeralOwner);
    this.#owners.clear();
    this.#owners.add(ephemeralOwner);
    return false;
  }

  async #replace(path: string, { version }: Stat, wanted: Wanted, signal: AbortSignal): Promise<void> {
    const { acl } = this.#kind.again;
    const transaction = this.#zk
      .transaction()
      .delete(path, { version })
      .create(path, this.#bytes(wanted), { mode: 'ephemeral', ...(acl === undefined ? {} : { acl }) });
    await transaction.commit({ signal }).catch(unless('NO_NODE', 'BAD_VERSION', 'NODE_EXISTS'));
  }

  /** False when it has changed meanwhile. */
  async #write(path: string, { version }: Stat, wanted: Wanted, signal: AbortSignal): Promise<boolean> {
    const writing = this.#zk.set(path, this.#bytes(wanted), { version, signal });
    return (await writing.catch(unless('NO_NODE', 'BAD_VERSION'))) !== null;
  }

  #bytes({ bytes }: Wanted): Uint8Array | null {
    if (this.#data !== undefined) return bytes;
    this.#address ??= Buffer.from(dataOrAddress(this.#zk, undefined) as string);
    return this.#address;
  }

  /** Takes away what is ours. */
  async #finish(): Promise<void> {
    await this.#running;
    if (this.#core.over.aborted) return;
    const patience = this.#patience();
    try {
      await inRounds(this.#core, patience, async () => {
        await untilConnected(this.#zk, patience);
        this.#path ??= await this.#number.find(patience.signal);
        const path = this.#path;
        if (path === null || this.#kind.ttl !== null) return 'done';
        const syncing = this.#zk.sync(path);
        const [stat] = await Promise.all([this.#zk.exists(path), syncing]);
        if (stat === null || (this.#kind.isEphemeral && !this.#isOurs(stat))) return 'done';
        await this.#zk.delete(path, { guaranteed: true }).catch(unless('NO_NODE', ...this.#mayStay()));
        return 'done';
      });
    } catch (error) {
      if (!this.#core.over.aborted) throw error;
    } finally {
      patience.end();
      if (this.#path !== null && kept.get(this.#zk, this.#path) === this) kept.delete(this.#zk, this.#path);
    }
  }

  /** The session may have been another one by the time that the create was sent. */
  #isOurs({ ephemeralOwner }: Stat): boolean {
    return this.#owners.has(ephemeralOwner) || ephemeralOwner === this.#core.session.grant?.id;
  }

  /** A container with children stays: the server removes it when they are gone. */
  #mayStay(): string[] {
    return this.#kind.isContainer ? ['NOT_EMPTY'] : [];
  }
}

function same(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return (a?.length ?? 0) === (b?.length ?? 0);
  return Buffer.compare(a, b) === 0;
}

/** For `catch`: null instead of an error of these codes. */
function unless(...codes: readonly string[]): (error: ZooKeeperError) => null {
  return (error) => {
    if (codes.includes(error.code)) return null;
    throw error;
  };
}
