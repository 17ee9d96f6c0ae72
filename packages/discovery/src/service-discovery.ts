import {
  BadArgumentsError,
  type CallOptions,
  ClosedError,
  type ReadResult,
  type State,
  type ZooKeeper,
} from '@zookit/client';
import { checkPath, coreOf, SafeEmitter, waitFor } from '@zookit/client/internal';
import type { RecipeOptions } from '@zookit/recipe-core';
import { childOf, orNull, Patience, requireCallOptions, requirePolicy } from '@zookit/recipe-core/internal';
import { readInstance, writeInstance } from './instance-json.ts';
import { Registration, type Wanted } from './registration.ts';
import { ServiceCache } from './service-cache.ts';
import {
  checkInstance,
  checkName,
  completed,
  requireInstance,
  type ServiceInstance,
  type ServiceType,
  type TypedInstance,
} from './service-instance.ts';
import { type ProviderOptions, ServiceProvider } from './service-provider.ts';
import type { InvalidInstance } from './service-watch.ts';
import { SharedWatches } from './shared-watches.ts';

export interface ServiceDiscoveryOptions extends RecipeOptions {
  /** Where the services are. Default `/services`, as with Spring Cloud; Curator has no default. */
  basePath?: string | undefined;
  /** Leave `enabled` out of what is written, as Curator does by default. Default true. */
  compatible?: boolean | undefined;
}

export type ServiceDiscoveryEvents = {
  /** A znode where an instance should be is none. The others of its service are there all the same. */
  invalid: (invalid: InvalidInstance) => void;
  /** An instance can't be kept registered: the server refuses it (NoAuthError), or another session has its id (NodeExistsError). */
  error: (error: unknown) => void;
};

/** What tells an instance from others. Without a type, it is the one that is registered here. */
export interface InstanceName {
  name: string;
  id: string;
  serviceType?: ServiceType | null;
}

interface Registered {
  registration: Registration;
  serviceType: ServiceType;
}

const MODES: Readonly<Record<ServiceType, Wanted['mode']>> = {
  DYNAMIC: 'ephemeral',
  DYNAMIC_SEQUENTIAL: 'ephemeral-sequential',
  STATIC: 'persistent',
  PERMANENT: 'persistent',
};

/** Reads of instances in one request. */
const BATCH = 256;

/** Registers instances of services, and finds those of others, Curator's and Spring Cloud's included. */
export class ServiceDiscovery extends SafeEmitter<ServiceDiscoveryEvents> {
  readonly basePath: string;
  readonly #zk: ZooKeeper;
  readonly #options: ServiceDiscoveryOptions;
  readonly #registered = new Map<string, Registered>();
  readonly #watches: SharedWatches;
  readonly #open = new Set<ServiceCache>();
  readonly #onState = (state: State): void => {
    if (state === 'connected') for (const { registration } of this.#registered.values()) registration.wake();
  };
  #closing: Promise<void> | null = null;

  /** Throws PathError or BadArgumentsError. */
  constructor(zk: ZooKeeper, options: ServiceDiscoveryOptions = {}) {
    super();
    coreOf(zk);
    const { basePath = '/services' } = options;
    checkPath(basePath, 'ServiceDiscovery');
    requirePolicy(options, basePath);
    this.basePath = basePath;
    this.#zk = zk;
    this.#options = options;
    this.#watches = new SharedWatches(zk, basePath, (invalid) => this.emit('invalid', invalid));
  }

  /**
   * Registers an instance, and keeps it registered: across lost connections, in each session, and when somebody else deletes it. Resolves when it
   * is on the server, once there is a connection. An instance that is registered already is updated. It needs a name and an id; what else it lacks
   * is as where an instance's JSON lacks it: `DYNAMIC`, enabled, time 0, all else null.
   *
   * Rejects with BadArgumentsError, the signal's reason, TimeoutError, ClosedError or what the server refuses (NoAuthError); it is withdrawn then.
   */
  async register(given: InstanceName & Partial<ServiceInstance>, options: CallOptions = {}): Promise<void> {
    const instance = this.#checked(given);
    const wanted = this.#wantedOf(instance);
    const key = keyOf(instance);
    const patience = this.#patience(instance, options, 'register');
    const { registration } = this.#registered.get(key) ?? this.#add(key, instance);
    const isNew = registration.wanted === null;
    this.#registered.set(key, { registration, serviceType: instance.serviceType });
    try {
      await patience.for(registration.want(wanted));
    } catch (error) {
      // Unless somebody else has taken it up or back meanwhile.
      if (isNew && registration.wanted === wanted) this.#withdraw(key, registration).catch((late) => this.report(late));
      throw error;
    } finally {
      patience.end();
    }
  }

  /**
   * Writes an instance that is registered here anew, under the same znode; the latest version counts from now on, also after a lost session.
   * Resolves when it is on the server. When the wait ends by `signal` or `timeout` it is written all the same, later.
   *
   * Rejects with BadArgumentsError when no such instance is registered here.
   */
  async update(given: InstanceName & Partial<ServiceInstance>, options: CallOptions = {}): Promise<void> {
    const instance = this.#checked(given);
    const wanted = this.#wantedOf(instance);
    const key = keyOf(instance);
    const registration = this.#registered.get(key)?.registration;
    if (registration === undefined || registration.wanted === null) {
      const message = `the instance is not registered here${isSequential(instance) ? ' as DYNAMIC_SEQUENTIAL' : ''}: register it first`;
      throw new BadArgumentsError('BAD_ARGUMENTS', { operation: 'update', path: this.#pathOf(instance), message });
    }
    this.#registered.set(key, { registration, serviceType: instance.serviceType });
    const patience = this.#patience(instance, options, 'update');
    try {
      await patience.for(registration.want(wanted));
    } finally {
      patience.end();
    }
  }

  /**
   * Takes an instance back, for good. Resolves when it is gone and, in an outage, at once: it is deleted when the server is back. Also deletes a
   * STATIC or PERMANENT one of an earlier process; one that another session keeps registered is left alone. `options` end the wait alone.
   */
  async unregister(instance: InstanceName, options: CallOptions = {}): Promise<void> {
    requireInstance(instance);
    const patience = this.#patience(instance, options, 'unregister');
    try {
      const keys = instance.serviceType === undefined ? keysOf(instance) : [keyOf(instance)];
      let key = keys.find((each) => this.#registered.has(each));
      if (key === undefined && (instance.serviceType === 'STATIC' || instance.serviceType === 'PERMANENT')) {
        key = keyOf(instance);
        this.#add(key, instance);
      }
      const present = key === undefined ? undefined : this.#registered.get(key);
      if (key !== undefined && present !== undefined) await patience.for(this.#withdraw(key, present.registration));
    } finally {
      patience.end();
    }
  }

  /** The names of all services that have ever had an instance, and whose znodes the server has not removed yet. */
  async names(options: CallOptions = {}): Promise<string[]> {
    return (await orNull(this.#zk.children(this.basePath, options)))?.children.sort() ?? [];
  }

  /** The instances of a service, read from the server; none when there is no such service. What is no instance is left out: see `invalid`. */
  async instances(name: string, options: CallOptions = {}): Promise<ServiceInstance[]> {
    checkName(name, 'name');
    const path = childOf(this.basePath, name);
    const patience = new Patience(coreOf(this.#zk), options, { operation: 'instances', path });
    try {
      return await this.#read(path, { signal: patience.signal });
    } finally {
      patience.end();
    }
  }

  /** A provider of instances that can be used. Throws BadArgumentsError or PathError. Start it, and close it again. */
  provider(name: string, options: ProviderOptions = {}): ServiceProvider {
    return this.#opened(name, (onClose) => new ServiceProvider(this.#watches, name, options, onClose));
  }

  /** The instances of a service, followed. Throws PathError. Start it, and close it again. */
  cache(name: string): ServiceCache {
    return this.#opened(name, (onClose) => new ServiceCache(this.#watches, name, onClose));
  }

  /**
   * Closes its providers and caches and takes all of its instances back but the PERMANENT ones. Resolves when they are gone; in an outage at once: they
   * are deleted when the server is back, if the client lives for so long. Idempotent. `options` end the wait alone.
   */
  async close(options: CallOptions = {}): Promise<void> {
    requireCallOptions(options, { operation: 'close', path: this.basePath });
    this.#closing ??= this.#close();
    await waitFor(coreOf(this.#zk), this.#closing, options, 'close');
  }

  /** As `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const leaving = [...this.#registered].map(([key, { registration, serviceType }]) => {
      if (serviceType !== 'PERMANENT' || registration.wanted === null) return this.#withdraw(key, registration);
      registration.abandon();
      this.#forget(key, registration);
      return Promise.resolve();
    });
    await Promise.all([...[...this.#open].map((cache) => cache.close()), ...leaving]);
  }

  #opened<T extends ServiceCache>(name: string, make: (onClose: () => void) => T): T {
    this.#throwIfClosed();
    checkName(name, 'name');
    const opened = make(() => this.#open.delete(opened));
    this.#open.add(opened);
    return opened;
  }

  #checked(given: InstanceName & Partial<ServiceInstance>): TypedInstance {
    this.#throwIfClosed();
    requireInstance(given);
    const instance = completed(given);
    checkInstance(instance);
    return instance;
  }

  #wantedOf(instance: TypedInstance): Wanted {
    const data = writeInstance(instance, this.#options.compatible !== false);
    return { data, mode: MODES[instance.serviceType] };
  }

  #pathOf({ name, id }: Pick<ServiceInstance, 'name' | 'id'>): string {
    return childOf(childOf(this.basePath, name), id);
  }

  #add(key: string, instance: InstanceName): Registered {
    const registration = new Registration(this.#zk, this.#pathOf(instance), {
      isSequential: isSequential(instance),
      acl: this.#options.acl,
      onError: (error) => this.report(error),
    });
    const registered = { registration, serviceType: instance.serviceType ?? 'DYNAMIC' };
    if (this.#registered.size === 0) this.#zk.on('state', this.#onState);
    this.#registered.set(key, registered);
    return registered;
  }

  #forget(key: string, registration: Registration): void {
    if (registration.wanted !== null || this.#registered.get(key)?.registration !== registration) return;
    this.#registered.delete(key);
    if (this.#registered.size === 0) this.#zk.off('state', this.#onState);
  }

  #patience(instance: Pick<ServiceInstance, 'name' | 'id'>, options: CallOptions, operation: string): Patience {
    return new Patience(coreOf(this.#zk), options, { operation, path: this.#pathOf(instance) });
  }

  /** Resolves when it is gone, or with the connection. */
  #withdraw(key: string, registration: Registration): Promise<void> {
    const gone = registration.want(null).then(() => this.#forget(key, registration));
    if (this.#zk.state !== 'connected') {
      gone.catch((error: unknown) => this.report(error));
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const onState = (): void => {
        resolve();
        gone.catch((error: unknown) => this.report(error));
      };
      this.#zk.once('state', onState);
      gone.then(resolve, reject).finally(() => this.#zk.off('state', onState));
    });
  }

  async #read(path: string, options: CallOptions): Promise<ServiceInstance[]> {
    const names = (await orNull(this.#zk.children(path, options)))?.children.sort() ?? [];
    const instances: ServiceInstance[] = [];
    for (let from = 0; from < names.length; from += BATCH) {
      const reads = names.slice(from, from + BATCH).map((name) => ({ get: childOf(path, name) }));
      const results = await this.#zk.multiRead(reads, options);
      for (const [index, result] of results.entries()) {
        const instance = this.#instanceOf(reads[index]?.get ?? path, result);
        if (instance !== null) instances.push(instance);
      }
    }
    return instances;
  }

  #instanceOf(path: string, result: ReadResult<{ get: string }>): ServiceInstance | null {
    const isError = 'code' in result;
    // It has left meanwhile.
    if (isError && result.code === 'NO_NODE') return null;
    const data = isError ? null : result.data;
    try {
      if (isError) throw result;
      return readInstance(data);
    } catch (error) {
      this.emit('invalid', { path, data, error });
      return null;
    }
  }

  #throwIfClosed(): void {
    if (this.#closing !== null) throw new ClosedError('CLOSED', { message: 'the service discovery is closed' });
  }
}

function isSequential({ serviceType }: InstanceName): boolean {
  return serviceType === 'DYNAMIC_SEQUENTIAL';
}

/** Sequential ones have znodes of other names. */
function keyOf(instance: InstanceName): string {
  return `${isSequential(instance) ? 'sequential' : 'plain'}:${instance.name}/${instance.id}`;
}

/** Of whatever type it is. */
function keysOf(instance: InstanceName): string[] {
  return (['DYNAMIC', 'DYNAMIC_SEQUENTIAL'] as const).map((serviceType) => keyOf({ ...instance, serviceType }));
}
