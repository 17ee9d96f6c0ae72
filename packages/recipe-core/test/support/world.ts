import { ZooKeeper, type ZooKeeperOptions } from '@zookit/client';
import { TestServer } from '@zookit/testing';

/** A server, and clients of it, that end with the test. */
export class World {
  readonly server: TestServer;
  readonly #clients: ZooKeeper[] = [];

  static async start(): Promise<World> {
    return new World(await TestServer.start({ tickTime: 100, maxSessionTimeout: 20_000 }));
  }

  private constructor(server: TestServer) {
    this.server = server;
  }

  async client(options: ZooKeeperOptions = {}): Promise<ZooKeeper> {
    const client = await ZooKeeper.connect(this.server.connectString, options);
    this.#clients.push(client);
    return client;
  }

  /** The names of a znode's children, in order of their numbers. */
  names(path: string): string[] {
    const number = (name: string): number => Number(/\d{10}$/.exec(name)?.[0] ?? 0);
    return [...(this.server.node(path)?.children ?? [])].sort((a, b) => number(a) - number(b));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close({ timeout: 200 })));
    await this.server.stop();
  }
}

/** Waits until the condition holds; throws when it doesn't within `ms`. */
export async function until(condition: () => boolean, what: string, ms = 20_000): Promise<void> {
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
