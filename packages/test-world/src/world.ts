import { ZooKeeper, type ZooKeeperOptions } from '@zookit/client';
import { type ObservedRequest, TestServer, type TestServerOptions, type Verdict } from '@zookit/testing';

/** One with a short tick, on which sessions may be as long as a test likes. */
export function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  return TestServer.start({ tickTime: 100, maxSessionTimeout: 20_000, ...options });
}

/** A server, and clients of it, that end with the test. */
export class World {
  readonly server: TestServer;
  readonly #clients: ZooKeeper[] = [];

  static async start(options: TestServerOptions = {}): Promise<World> {
    return new World(await startServer(options));
  }

  constructor(server: TestServer) {
    this.server = server;
  }

  async client(options: ZooKeeperOptions = {}, connectString = this.server.connectString): Promise<ZooKeeper> {
    const client = await ZooKeeper.connect(connectString, options);
    this.#clients.push(client);
    return client;
  }

  clients(count: number): Promise<ZooKeeper[]> {
    return Promise.all(Array.from({ length: count }, () => this.client()));
  }

  /** The names of a znode's children, in order of their numbers. */
  names(path: string): string[] {
    const number = (name: string): number => Number(/\d{10}$/.exec(name)?.[0] ?? 0);
    return [...(this.server.node(path)?.children ?? [])].sort((a, b) => number(a) - number(b));
  }

  /** What the server is asked, without pings. */
  requests(): string[] {
    const seen: string[] = [];
    this.server.intercept(({ wireType }) => {
      if (wireType !== 'ping') seen.push(wireType);
      return 'pass';
    });
    return seen;
  }

  /** Does something to the first request of a kind; resolves with it when that has happened. */
  once(types: string | readonly string[], verdict: Verdict, of?: ZooKeeper): Promise<ObservedRequest> {
    const wanted: readonly string[] = typeof types === 'string' ? [types] : types;
    return new Promise((resolve) => {
      const off = this.server.intercept((request) => {
        if (!wanted.includes(request.wireType)) return 'pass';
        if (of !== undefined && request.sessionId !== of.session?.id) return 'pass';
        off();
        resolve(request);
        return verdict;
      });
    });
  }

  /** Ends a client's session on the server, as if its time were up. */
  expire(client: ZooKeeper): void {
    this.server.expireSession(client.session?.id ?? 0n);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close({ timeout: 200 })));
    await this.server.stop();
  }
}
