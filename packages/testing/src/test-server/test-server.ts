import type { Duplex } from 'node:stream';
import type { Caller } from './database.ts';
import { Ensemble, type TestServerOptions } from './ensemble.ts';
import { dumpTree, listWatches, type NodeView, viewNode, type WatchView } from './inspection.ts';
import type { Member } from './member.ts';
import { memorySocketPair } from './memory-socket.ts';
import type { Interceptor, ServerLogEntry } from './observe.ts';

const configPath = '/zookeeper/config';

export interface TestServerMember {
  readonly connectString: string;
  readonly port: number;
  readonly running: boolean;
  /** Open connections. */
  readonly connections: number;
}

export interface SessionView {
  readonly id: bigint;
  /** Milliseconds, as negotiated. */
  readonly timeout: number;
  /** The member that the session is attached to. */
  readonly member: number;
  /** Whether that member has a connection of it. */
  readonly connected: boolean;
  readonly ephemerals: readonly string[];
}

/**
 * A ZooKeeper server, or several on one tree, inside this process: the wire protocol and the behaviour of Apache
 * ZooKeeper 3.9, with handles for what goes wrong in practice.
 */
export class TestServer {
  readonly #ensemble: Ensemble;

  /**
   * Starts a server; stop it again with `stop()`.
   * @throws RangeError for a number of members below 1, TypeError for a profile that does not exist
   */
  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const server = new TestServer(options);
    try {
      for (const member of server.#ensemble.members) await server.#ensemble.start(member);
    } catch (error) {
      await server.stop();
      throw error;
    }
    if (server.members.length > 1) server.#writeFirstConfig();
    return server;
  }

  private constructor(options: TestServerOptions) {
    this.#ensemble = new Ensemble(options);
  }

  /** All members, separated by commas. */
  get connectString(): string {
    return this.members.map(({ connectString }) => connectString).join(',');
  }

  get members(): readonly TestServerMember[] {
    const { members, host } = this.#ensemble;
    return members.map(({ port, running, connections }) => ({
      connectString: `${host.includes(':') ? `[${host}]` : host}:${port}`,
      port,
      running,
      connections,
    }));
  }

  /** Open connections of all members. */
  get connections(): number {
    return this.#ensemble.members.reduce((sum, { connections }) => sum + connections, 0);
  }

  /**
   * Closes ports and connections and forgets everything; resolves when nothing is left open.
   * @throws what an interceptor threw, or a TypeError for a verdict that was none: the first of them, and only once
   */
  async stop(): Promise<void> {
    this.#ensemble.stopTime();
    await Promise.all(this.#ensemble.members.map((member) => member.stop()));
    this.#ensemble.throwMisjudgement();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Serves a stream as if it had come in by a member's port: what its other end writes is what a client sends. */
  accept(stream: Duplex, member = 0): void {
    this.#ensemble.member(member).accept(stream);
  }

  /**
   * Opens a connection in memory to the member of that port, which is what a client takes in the place of sockets. Like
   * a socket it emits `connect`, or the error ECONNREFUSED when the member is stopped.
   */
  connect({ port }: { readonly port: number }): Duplex {
    const [near, far] = memorySocketPair();
    process.nextTick(() => {
      const member = this.#ensemble.members.find((candidate) => candidate.port === port && candidate.running);
      if (member === undefined) {
        near.destroy(Object.assign(new Error(`connect ECONNREFUSED ${port}`), { code: 'ECONNREFUSED' }));
        return;
      }
      member.accept(far);
      near.emit('connect');
    });
    return near;
  }

  /** Ends a session now, as if its time were up: its ephemeral nodes go, its connections are cut. */
  expireSession(id: bigint): void {
    this.#ensemble.expireSession(id);
  }

  /** Cuts all connections, or those of one member. The sessions live on. */
  dropConnections(member?: number): void {
    for (const each of this.#some(member)) each.cutAll();
  }

  /** Closes a member's port and connections. When the last one stops, sessions stop aging. */
  async stopMember(member: number): Promise<void> {
    await this.#ensemble.member(member).stop();
    if (!this.#ensemble.running) this.#ensemble.stopTime();
  }

  /**
   * Opens the member's port again: the same one. When no other member runs, every session has its whole timeout again,
   * as it does with a new leader.
   */
  async startMember(member: number): Promise<void> {
    const wasDown = !this.#ensemble.running;
    await this.#ensemble.start(this.#ensemble.member(member));
    if (!wasDown) return;
    this.#ensemble.database.sessions.restartAll();
    this.#ensemble.resumeTime();
  }

  /**
   * Stands still as a process that got SIGSTOP: the system accepts connections, but nothing is read, answered or
   * expired. With a member, that one alone stands still, and sessions go on aging.
   */
  pause(member?: number): void {
    if (member === undefined) this.#ensemble.stopTime();
    for (const each of this.#some(member)) each.setPaused(true);
  }

  /** Goes on. Sessions whose time ran out meanwhile expire at once, before anything is read. */
  resume(member?: number): void {
    if (member === undefined) this.#ensemble.resumeTime();
    for (const each of this.#some(member)) each.setPaused(false);
  }

  /** Cuts a member off from the others, or takes it back: a read-only server admits only clients that ask for one. */
  setReadOnly(member: number, readOnly: boolean): void {
    this.#ensemble.member(member).setReadOnly(readOnly);
  }

  /**
   * Decides about requests before they are performed. Of several interceptors the first verdict other than `pass` counts.
   * What one throws comes out of `stop()`; its request is answered with SYSTEM_ERROR.
   * @returns takes the interceptor back
   */
  intercept(interceptor: Interceptor): () => void {
    const { interceptors } = this.#ensemble;
    interceptors.add(interceptor);
    return () => {
      interceptors.delete(interceptor);
    };
  }

  /**
   * Tells a listener everything that happens in the server.
   * @returns takes the listener back
   */
  onLog(listener: (entry: ServerLogEntry) => void): () => void {
    const { listeners } = this.#ensemble;
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  /** Puts another text into /zookeeper/config, as a reconfiguration does. */
  setConfig(text: string): void {
    this.#ensemble.database.overwrite(configPath, Buffer.from(text), -1);
  }

  /** Sets how many children a node has counted: the number of its next sequential child. */
  setCreateCount(path: string, count: number): void {
    const node = this.#ensemble.database.tree.get(path);
    if (node === undefined) throw new RangeError(`no node ${path}`);
    node.creates = count;
  }

  sessions(): SessionView[] {
    const { database } = this.#ensemble;
    return database.sessions.all().map(({ id, timeout, owner }) => ({
      id,
      timeout,
      member: owner,
      connected: this.#ensemble.member(owner).serves(id),
      ephemerals: database.tree.ephemeralsOf(id),
    }));
  }

  /** The watches that are set; with a path, those on it. */
  watches(path?: string): WatchView[] {
    const all = listWatches(this.#ensemble.database, (watcher) => (watcher as Caller).sessionId);
    return path === undefined ? all : all.filter((watch) => watch.path === path);
  }

  node(path: string): NodeView | null {
    return viewNode(this.#ensemble.database, path);
  }

  /** Path and data (as text) of every node at and under a path, in order of path; /zookeeper is left out. */
  dump(root = '/'): Record<string, string | null> {
    return dumpTree(this.#ensemble.database, root);
  }

  // What an ensemble writes of itself at its start. The ports between its members are made up: nobody listens there.
  #writeFirstConfig(): void {
    const { members, host } = this.#ensemble;
    const lines = members.map(
      ({ serverId, port }, i) => `server.${serverId}=${host}:${2888 + i}:${3888 + i}:participant;${host}:${port}`,
    );
    this.setConfig([...lines, 'version=0'].join('\n'));
  }

  #some(index: number | undefined): readonly Member[] {
    return index === undefined ? this.#ensemble.members : [this.#ensemble.member(index)];
  }
}
