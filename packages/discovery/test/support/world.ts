import { ZooKeeper, type ZooKeeperOptions } from '@zookit/client';
import { type ObservedRequest, TestServer, type TestServerOptions, type Verdict } from '@zookit/testing';
import {
  ServiceDiscovery,
  type ServiceDiscoveryOptions,
  type ServiceInstance,
  serviceInstance,
} from '../../src/index.ts';

/** A server, clients of it and discoveries, that end with the test. */
export class World {
  readonly server: TestServer;
  readonly #clients: ZooKeeper[] = [];
  readonly #discoveries: ServiceDiscovery[] = [];
  /** What the discoveries have reported. */
  readonly errors: unknown[] = [];

  static async start(options: TestServerOptions = {}): Promise<World> {
    return new World(await TestServer.start({ tickTime: 100, maxSessionTimeout: 20_000, ...options }));
  }

  constructor(server: TestServer) {
    this.server = server;
  }

  async client(options: ZooKeeperOptions = {}, connectString = this.server.connectString): Promise<ZooKeeper> {
    const client = await ZooKeeper.connect(connectString, options);
    this.#clients.push(client);
    return client;
  }

  discovery(zk: ZooKeeper, options: ServiceDiscoveryOptions = {}): ServiceDiscovery {
    const discovery = new ServiceDiscovery(zk, options);
    discovery.on('error', (error) => this.errors.push(error));
    this.#discoveries.push(discovery);
    return discovery;
  }

  /** A client and a discovery of its own. */
  async service(
    options: ZooKeeperOptions = {},
    connectString?: string,
  ): Promise<{ zk: ZooKeeper; discovery: ServiceDiscovery }> {
    const zk = await this.client(options, connectString);
    return { zk, discovery: this.discovery(zk) };
  }

  /** The znodes of a service, sorted. */
  names(service: string): string[] {
    return [...(this.server.node(`/services/${service}`)?.children ?? [])].sort();
  }

  /** The data of an instance's znode as text. */
  json(path: string): string | undefined {
    return this.server.node(`/services/${path}`)?.data?.toString();
  }

  /** Does something to the first request of a kind; resolves with it when that has happened. */
  once(types: readonly string[], verdict: Verdict, of?: ZooKeeper): Promise<ObservedRequest> {
    return new Promise((resolve) => {
      const off = this.server.intercept((request) => {
        if (!types.includes(request.wireType)) return 'pass';
        if (of !== undefined && request.sessionId !== of.session?.id) return 'pass';
        off();
        resolve(request);
        return verdict;
      });
    });
  }

  /** The writes that the server is asked for from now on. */
  writes(): string[] {
    const seen: string[] = [];
    this.server.intercept(({ type, wireType, path }) => {
      if (/^(?:create|set|delete|multi$)/.test(type) && type !== 'setWatches') seen.push(`${wireType} ${path}`);
      return 'pass';
    });
    return seen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#discoveries.map((discovery) => discovery.close()));
    await Promise.all(this.#clients.map((client) => client.close({ timeout: 200 })));
    await this.server.stop();
  }
}

/** An instance of the service `svc`. */
export function svc(id: string, more: Partial<Parameters<typeof serviceInstance>[0]> = {}): ServiceInstance {
  return serviceInstance({ name: 'svc', id, address: '10.0.0.1', port: 80, registrationTimeUTC: 1, ...more });
}

/** Waits until the condition holds; throws when it doesn't within `ms`. */
export async function until(condition: () => boolean, what: string, ms = 10_000): Promise<void> {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** What a promise came to: its value, or what it was rejected with. */
export async function outcome(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    return error;
  }
}

/** Resolves when the client has a connection again, and so has answered a call. */
export async function reconnected(zk: ZooKeeper, cause: () => unknown): Promise<void> {
  const back = new Promise<void>((resolve) => {
    zk.once('reconnected', resolve);
    zk.once('renewed', resolve);
  });
  await cause();
  await back;
  await zk.sync();
}
