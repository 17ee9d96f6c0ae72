import { TreeCache } from '@zookit/cache';
import type { ZooKeeper } from '@zookit/client';
import { nameOf, SafeEmitter } from '@zookit/client/internal';
import { readInstance } from './instance-json.ts';
import type { ServiceInstance } from './service-instance.ts';

/** What has become of the instances of a service since the last time. */
export interface InstancesChange {
  added: ServiceInstance[];
  removed: ServiceInstance[];
  /** As they are now. */
  updated: ServiceInstance[];
}

/** A znode that is no instance. */
export interface InvalidInstance {
  path: string;
  data: Buffer | null;
  error: unknown;
}

export type ServiceWatchEvents = {
  change: (change: InstancesChange) => void;
  /** The connection is lost: the instances are those of before. */
  stale: () => void;
  /** They are those of the server again; what had changed was told by then. */
  resynced: () => void;
  error: (error: unknown) => void;
};

interface Known {
  instance: ServiceInstance;
  data: Buffer | null;
}

/** The instances of a service as they come and go, for all who are interested in them. */
export class ServiceWatch extends SafeEmitter<ServiceWatchEvents> {
  readonly #cache: TreeCache;
  readonly #onInvalid: (invalid: InvalidInstance) => void;
  /** By the name of the znode. */
  readonly #known = new Map<string, Known>();
  /** What was there before the changes that have not been told of, by name. */
  readonly #before = new Map<string, Known | null>();
  #instances: readonly ServiceInstance[] = [];
  #starting: Promise<void> | null = null;
  #isReady = false;

  constructor(zk: ZooKeeper, path: string, onInvalid: (invalid: InvalidInstance) => void) {
    super();
    this.#onInvalid = onInvalid;
    this.#cache = new TreeCache(zk, path, { depth: 1 });
    this.#cache.on('created', (change) => this.#take(change.path, change.data));
    this.#cache.on('changed', (change) => this.#take(change.path, change.data));
    this.#cache.on('deleted', (change) => this.#drop(change.path));
    this.#cache.on('ready', () => this.#onReady());
    this.#cache.on('stale', () => this.emit('stale'));
    this.#cache.on('resynced', () => {
      this.#tell();
      this.emit('resynced');
    });
    this.#cache.on('error', (error) => this.report(error));
  }

  get stale(): boolean {
    return this.#cache.stale;
  }

  /** A new list after each change. */
  get instances(): readonly ServiceInstance[] {
    return this.#instances;
  }

  /** Resolves when the first list is complete. Called again, it is the same wait. */
  start(): Promise<void> {
    this.#starting ??= this.#cache.start();
    return this.#starting;
  }

  close(): Promise<void> {
    return this.#cache.close();
  }

  #take(path: string, data: Buffer | null): void {
    if (path === this.#cache.path) return;
    const name = nameOf(path);
    this.#remember(name);
    try {
      this.#known.set(name, { instance: readInstance(data), data });
    } catch (error) {
      this.#known.delete(name);
      this.#onInvalid({ path, data, error });
    }
  }

  #drop(path: string): void {
    if (path === this.#cache.path) return;
    const name = nameOf(path);
    this.#remember(name);
    this.#known.delete(name);
  }

  /** Keeps what was there, and tells of it when all is in that arrived together, or was missed together. */
  #remember(name: string): void {
    if (!this.#isReady) return;
    if (this.#before.size === 0) queueMicrotask(() => this.#tell());
    if (!this.#before.has(name)) this.#before.set(name, this.#known.get(name) ?? null);
  }

  #onReady(): void {
    this.#isReady = true;
    this.#list();
  }

  #list(): void {
    this.#instances = Array.from(this.#known.values(), ({ instance }) => instance);
  }

  #tell(): void {
    if (this.#before.size === 0 || this.#cache.stale) return;
    const change: InstancesChange = { added: [], removed: [], updated: [] };
    for (const [name, before] of this.#before) {
      const after = this.#known.get(name) ?? null;
      if (before === null && after !== null) change.added.push(after.instance);
      else if (before !== null && after === null) change.removed.push(before.instance);
      else if (before !== null && after !== null && !isSame(before, after)) change.updated.push(after.instance);
    }
    this.#before.clear();
    this.#list();
    if (change.added.length + change.removed.length + change.updated.length > 0) this.emit('change', change);
  }
}

function isSame(a: Known, b: Known): boolean {
  return a.data !== null && b.data !== null && a.data.equals(b.data);
}
