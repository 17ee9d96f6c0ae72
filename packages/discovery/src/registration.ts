import {
  type AclInput,
  ClosedError,
  type CreateOptions,
  NodeExistsError,
  type Stat,
  type WatchEvent,
  type ZooKeeper,
  type ZooKeeperError,
} from '@zookit/client';
import {
  type Core,
  coreOf,
  type Deferred,
  deferred,
  isPassing,
  nameOf,
  onAbort,
  parentOf,
} from '@zookit/client/internal';
import { ClientMap, childOf, leaveLater, orNull } from '@zookit/recipe-core/internal';

/** What is to be on the server. */
export interface Wanted {
  readonly data: Buffer;
  readonly mode: 'persistent' | 'ephemeral' | 'ephemeral-sequential';
}

export interface RegistrationTerms {
  /** Whether the server numbers its znode. */
  isSequential: boolean;
  acl: AclInput | undefined;
  /** Hears what goes wrong while nobody waits. */
  onError: (error: unknown) => void;
}

interface Waiter {
  revision: number;
  isRemoval: boolean;
  done: Deferred<void>;
}

/** Between rounds that fail one after the other, in ms; doubled each time. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 2_000;
/** Before a watch is asked for again that an overloaded server has refused, in ms. */
const WATCH_PAUSE = 500;

/** The sequential znodes of one client: two discoveries may register the same id. */
const numbered = new ClientMap<Registration>();

/**
 * One instance's znode: brings the server to what is wanted of it, again after each reconnect, in each session, and when somebody else
 * deletes it. What is there already and ours is left alone, so that nobody sees an instance leave for a lost connection.
 */
export class Registration {
  /** Of a sequential one, without its number. */
  readonly path: string;
  readonly #isSequential: boolean;
  readonly #zk: ZooKeeper;
  readonly #core: Core;
  readonly #options: CreateOptions;
  readonly #onError: (error: unknown) => void;
  /** Null: nothing. */
  #wanted: Wanted | null = null;
  /** Counts what was wanted. */
  #revision = 0;
  #waiters: Waiter[] = [];
  /** Where the sequential znode is. */
  #real: string | null = null;
  /** A sequential create was sent, and its reply lost. */
  #inDoubt = false;
  /** Those sessions of ours in which it was, or may have been, created. */
  readonly #owners = new Set<bigint>();
  /** When the server was last brought to what is wanted. */
  #settled: { revision: number; session: bigint | null } | null = null;
  #isDue = false;
  #isAbandoned = false;
  #isWorking = false;
  #watching = new AbortController();

  constructor(zk: ZooKeeper, path: string, { isSequential, acl, onError }: RegistrationTerms) {
    this.path = path;
    this.#isSequential = isSequential;
    this.#zk = zk;
    this.#core = coreOf(zk);
    this.#options = { parents: 'container', ...(acl === undefined ? {} : { acl }) };
    this.#onError = onError;
  }

  /** Null when it is to be gone, or is. */
  get wanted(): Wanted | null {
    return this.#wanted;
  }

  /** Wants this from now on, null: nothing. Resolves when the server is so; rejects when it refuses. */
  want(wanted: Wanted | null): Promise<void> {
    this.#wanted = wanted;
    if (wanted === null) this.#giveUp();
    this.#revision += 1;
    const done = deferred<void>();
    this.#waiters.push({ revision: this.#revision, isRemoval: wanted === null, done });
    this.wake();
    return done.promise;
  }

  /** Looks whether there is something to do, now or once there is a connection. */
  wake(): void {
    this.#isDue = !this.#isAbandoned;
    if (this.#isWorking) return;
    this.#isWorking = true;
    this.#work().catch(this.#onError);
  }

  /** Leaves the server as it is from now on. */
  abandon(): void {
    this.#wanted = null;
    this.#isAbandoned = true;
    this.#isDue = false;
    this.#giveUp();
  }

  /** Takes the watch back and waits no longer to try again; whoever waits for what was wanted until now waits in vain. */
  #giveUp(): void {
    this.#watching.abort();
    this.#watching = new AbortController();
    const message = 'it was unregistered, or the discovery closed, before it was done';
    const error = new ClosedError('CLOSED', { operation: 'register', path: this.path, message });
    for (const { done } of this.#takeWaiters(({ isRemoval }) => !isRemoval)) done.reject(error);
  }

  async #work(): Promise<void> {
    for (let failures = 0; this.#isDue && this.#zk.state === 'connected'; ) {
      this.#isDue = false;
      const revision = this.#revision;
      try {
        await (this.#wanted === null ? this.#remove() : this.#put(this.#wanted, revision));
        failures = 0;
        for (const { done } of this.#takeWaiters((waiter) => waiter.revision <= revision)) done.resolve();
      } catch (error) {
        if (this.#core.over.aborted) break;
        if (isPassing(error)) {
          this.#isDue = !this.#isAbandoned;
          if (failures > 0) await this.#pause(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1)));
          failures += 1;
        } else {
          const waiters = this.#takeWaiters((waiter) => waiter.revision <= revision);
          for (const { done } of waiters) done.reject(error);
          if (waiters.length === 0) this.#onError(error);
        }
      }
    }
    this.#isWorking = false;
  }

  #takeWaiters(isMeant: (waiter: Waiter) => boolean): Waiter[] {
    const taken = this.#waiters.filter(isMeant);
    this.#waiters = this.#waiters.filter((waiter) => !taken.includes(waiter));
    return taken;
  }

  async #put(wanted: Wanted, revision: number): Promise<void> {
    // Someone else may be at it at the same time: each round begins with what is there.
    for (let done = false; !done && this.#wanted === wanted; ) {
      try {
        done = await this.#putOnce(wanted, revision);
      } catch (error) {
        const { code } = error as ZooKeeperError;
        if (code !== 'NO_NODE' && code !== 'NODE_EXISTS' && code !== 'BAD_VERSION') throw error;
      }
    }
  }

  /** True when the server is as wanted. */
  async #putOnce(wanted: Wanted, revision: number): Promise<boolean> {
    const path = this.#isSequential ? await this.#findReal() : this.path;
    const found =
      path === null
        ? null
        : await orNull(this.#zk.get(path, { watch: this.#onEvent, watchSignal: this.#watching.signal }));
    if (path === null || found === null) {
      await this.#create(wanted);
      return false;
    }
    const { data, stat } = found;
    // A read waits for a connection: it may be answered in the session after the one in which it was made.
    const session = this.#zk.session?.id ?? null;
    if (this.#isOurs(stat, wanted, session)) {
      if (data === null || !wanted.data.equals(data)) await this.#zk.set(path, wanted.data, { version: stat.version });
      this.#settled = { revision, session };
      return true;
    }
    if (this.#isSequential) {
      // The session has ended since it was found: the next round makes another, with a number of its own.
      this.#leave(path, stat);
      return false;
    }
    if (this.#settled?.revision === revision && this.#settled.session === session) {
      // It was ours in this session, and another took it over. Two that take it from each other in turn help nobody.
      const message = `another session registered this instance: 0x${BigInt.asUintN(64, stat.ephemeralOwner).toString(16)}`;
      this.#onError(new NodeExistsError('NODE_EXISTS', { operation: 'register', path, message }));
      return true;
    }
    await this.#replace(path, stat.version, wanted);
    return false;
  }

  /** At once, so that another who keeps it registered doesn't make it again in between. */
  async #replace(path: string, version: number, { data, mode }: Wanted): Promise<void> {
    this.#noteOwner();
    const { acl } = this.#options;
    const options = acl === undefined ? { mode } : { mode, acl };
    await this.#zk.transaction().delete(path, { version }).create(path, data, options).commit();
    this.#noteOwner();
  }

  #isOurs({ ephemeralOwner }: Stat, { mode }: Wanted, session: bigint | null): boolean {
    return mode === 'persistent' ? ephemeralOwner === 0n : ephemeralOwner === session;
  }

  async #create({ data, mode }: Wanted): Promise<void> {
    this.#noteOwner();
    try {
      const { path } = await this.#zk.create(this.path, data, { ...this.#options, mode });
      if (this.#isSequential) this.#keep(path);
    } catch (error) {
      if (this.#isSequential && (error as ZooKeeperError).maybeApplied === true) this.#inDoubt = true;
      throw error;
    } finally {
      // It may have been made in the session that came meanwhile.
      this.#noteOwner();
    }
  }

  #noteOwner(): void {
    const id = this.#zk.session?.id;
    if (id !== undefined) this.#owners.add(id);
  }

  /** Where the sequential znode of this session is; null when there is none. */
  async #findReal(): Promise<string | null> {
    if (this.#real !== null) {
      const stat = await this.#zk.exists(this.#real);
      if (stat !== null && stat.ephemeralOwner === this.#zk.session?.id) return this.#real;
      this.#leave(this.#real, stat);
    }
    if (this.#inDoubt) await this.#findMade();
    return this.#real;
  }

  #keep(path: string): void {
    this.#real = path;
    numbered.set(this.#zk, path, this);
  }

  /** Lets go of the sequential znode; one of a session before is on its way out. */
  #leave(path: string, stat: Stat | null): void {
    if (stat !== null && this.#owners.has(stat.ephemeralOwner)) leaveLater(this.#zk, path);
    if (numbered.get(this.#zk, path) === this) numbered.delete(this.#zk, path);
    this.#real = null;
  }

  /** Finds the znode that a create made whose reply was lost. What it made in a session before goes. */
  async #findMade(): Promise<void> {
    const id = nameOf(this.path);
    const parent = parentOf(this.path);
    // This server may lag behind the one that made it.
    const syncing = this.#zk.sync(parent);
    const [listed] = await Promise.all([orNull(this.#zk.children(parent)), syncing]);
    const isNumbered = (name: string): boolean =>
      name.startsWith(id) && /^(?:\d{10}|-\d{10})$/.test(name.slice(id.length));
    for (const name of (listed?.children ?? []).filter(isNumbered)) {
      const path = childOf(parent, name);
      const stat = await this.#zk.exists(path);
      if (stat === null || !this.#owners.has(stat.ephemeralOwner) || numbered.get(this.#zk, path) !== undefined)
        continue;
      if (this.#real === null && stat.ephemeralOwner === this.#zk.session?.id) this.#keep(path);
      else if (stat.ephemeralOwner !== this.#zk.session?.id) leaveLater(this.#zk, path);
    }
    this.#inDoubt = false;
  }

  async #remove(): Promise<void> {
    if (this.#inDoubt) await this.#findMade();
    const path = this.#isSequential ? this.#real : this.path;
    if (path === null) return;
    // What a create made whose reply was lost may not be known yet to the server that we have come to.
    const syncing = this.#zk.sync(path);
    const [stat] = await Promise.all([this.#zk.exists(path), syncing]);
    // Another process may have the id by now.
    if (stat !== null && (stat.ephemeralOwner === 0n || this.#owners.has(stat.ephemeralOwner))) {
      await orNull(this.#zk.delete(path));
    }
    if (this.#isSequential) this.#leave(path, null);
  }

  /** Hears when somebody deletes it. One function, so that a znode that is read twice is watched once. */
  readonly #onEvent = ({ type, path }: WatchEvent): void => {
    if (this.#wanted === null) return;
    if (type === 'deleted') this.wake();
    // What somebody else writes into it stays until we reconnect, as with Curator.
    else if (type === 'changed') this.#watchAgain(path);
  };

  #watchAgain(path: string): void {
    const { signal } = this.#watching;
    this.#zk.exists(path, { watch: this.#onEvent, watchSignal: signal, signal }).then(
      (stat) => {
        if (stat === null) this.wake();
      },
      async (error: unknown) => {
        if (signal.aborted || this.#core.over.aborted) return;
        if (!isPassing(error)) this.#onError(error);
        else {
          await this.#pause(WATCH_PAUSE);
          // After a lost connection it is watched anyway.
          if (!signal.aborted && this.#zk.state === 'connected') this.#watchAgain(path);
        }
      },
    );
  }

  /** Ends early when what was wanted is given up, or the client is over. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        for (const off of offs) off();
        resolve();
      };
      const offs = [
        this.#core.dispatcher.setTimeout(end, ms),
        onAbort(this.#watching.signal, end),
        onAbort(this.#core.over, end),
      ];
    });
  }
}
