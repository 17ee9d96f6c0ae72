import { ZooKeeper, type ZooKeeperOptions } from '@zookit/client';
import { FaultProxy } from '@zookit/testing';
import type { ContractServer } from './server.ts';
import { until } from './until.ts';

/** What a case works with. Whatever it opens here is closed when it ends. */
export class Context {
  readonly server: ContractServer;
  /** A fresh znode of this case, persistent and without data. */
  readonly base: string;
  readonly #clients: ZooKeeper[] = [];
  readonly #sessions = new Set<bigint>();
  readonly #cleanUps: (() => Promise<unknown>)[] = [];
  #reported: unknown[] = [];

  /** Makes the base znode. */
  static async open(server: ContractServer, base: string): Promise<Context> {
    const context = new Context(server, base);
    await using client = await ZooKeeper.connect(server.connectString);
    await client.create(base);
    return context;
  }

  private constructor(server: ContractServer, base: string) {
    this.server = server;
    this.base = base;
  }

  /** A path under the base. */
  at(name: string): string {
    return `${this.base}/${name}`;
  }

  /** A client with a session, by the server's own address or another. */
  async connect(options: ZooKeeperOptions = {}, connectString: string = this.server.connectString): Promise<ZooKeeper> {
    const client = this.client(options, connectString);
    await client.connect();
    return client;
  }

  /**
   * A client with a session, by way of a proxy. Its connection has answered a call already: one that breaks before counts as
   * a failed attempt, and the next one comes after a pause.
   */
  async through(proxy: FaultProxy, options: ZooKeeperOptions = {}): Promise<ZooKeeper> {
    const client = await this.connect(options, proxy.connectString);
    await client.sync();
    return client;
  }

  /** A client that has not been connected. */
  client(options: ZooKeeperOptions = {}, connectString: string = this.server.connectString): ZooKeeper {
    const client = new ZooKeeper(connectString, options);
    this.#clients.push(client);
    client.on('state', () => {
      if (client.session !== null) this.#sessions.add(client.session.id);
    });
    client.on('error', (error) => this.#reported.push(error));
    return client;
  }

  /** A proxy in front of the server. */
  async proxy(): Promise<FaultProxy> {
    const proxy = await FaultProxy.start(this.server.connectString);
    this.defer(() => proxy.stop());
    return proxy;
  }

  /** To be done when the case ends, in reverse order, after all clients have been closed. */
  defer(cleanUp: () => Promise<unknown>): void {
    this.#cleanUps.unshift(cleanUp);
  }

  /** What the clients have reported by their `error` event so far. A case that takes none must have none. */
  takeReported(): unknown[] {
    const taken = this.#reported;
    this.#reported = [];
    return taken;
  }

  /** Closes everything. Rejects when an error was reported that nobody took. */
  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close({ timeout: 2_000 })));
    for (const cleanUp of this.#cleanUps) await cleanUp();
    if (this.#reported.length > 0)
      throw new AggregateError(this.#reported, 'the clients reported errors by their error event');
  }

  /** Sessions of this case that the server still keeps. */
  async sessionsLeft(): Promise<bigint[]> {
    const present = (await this.server.sessions?.()) ?? [];
    return present.filter((id) => this.#sessions.has(id));
  }

  /** Waits until a condition holds; 10 s at most. */
  until(what: string, holds: () => unknown): Promise<void> {
    return until(what, holds);
  }
}
