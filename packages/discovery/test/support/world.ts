import type { ZooKeeper, ZooKeeperOptions } from '@zookit/client';
import { World as ServerWorld, startServer } from '@zookit/test-world';
import type { TestServerOptions } from '@zookit/testing';
import {
  ServiceDiscovery,
  type ServiceDiscoveryOptions,
  type ServiceInstance,
  serviceInstance,
} from '../../src/index.ts';

/** A server, clients of it and discoveries, that end with the test. */
export class World extends ServerWorld {
  readonly #discoveries: ServiceDiscovery[] = [];
  /** What the discoveries have reported. */
  readonly errors: unknown[] = [];

  static override async start(options: TestServerOptions = {}): Promise<World> {
    return new World(await startServer(options));
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
  override names(service: string): string[] {
    return [...(this.server.node(`/services/${service}`)?.children ?? [])].sort();
  }

  /** The data of an instance's znode as text. */
  json(path: string): string | undefined {
    return this.server.node(`/services/${path}`)?.data?.toString();
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

  override async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#discoveries.map((discovery) => discovery.close()));
    await super[Symbol.asyncDispose]();
  }
}

/** An instance of the service `svc`. */
export function svc(id: string, more: Partial<Parameters<typeof serviceInstance>[0]> = {}): ServiceInstance {
  return serviceInstance({ name: 'svc', id, address: '10.0.0.1', port: 80, registrationTimeUTC: 1, ...more });
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
