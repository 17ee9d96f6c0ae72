import type { AddressInfo } from 'node:net';
import { createServer, type Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Connection } from './connection.ts';
import type { ConnectionHost } from './connection-host.ts';
import type { Caller, Database } from './database.ts';
import { answerWord, type ServerFacts } from './four-letter-words.ts';
import type { ObservedRequest, ServerLogEntry } from './observe.ts';
import type { Session } from './sessions.ts';
import type { Ruling } from './verdict.ts';

/** What the members of one server share, and may ask of it. */
export interface MemberHost {
  readonly database: Database;
  readonly host: string;
  readonly minSessionTimeout: number;
  readonly maxSessionTimeout: number;
  readonly maxRequestBytes: number;
  readonly observed: boolean;
  judge(request: ObservedRequest): Ruling | Promise<Ruling>;
  log(entry: Omit<ServerLogEntry, 'at'>): void;
  endSession(id: bigint, caller: Caller | null): void;
  modeOf(member: number): 'standalone' | 'leader' | 'follower';
}

interface Client {
  readonly connection: Connection;
  readonly address: string;
}

/** One server of the ensemble: a port and the connections that came by way of it. */
export class Member implements ConnectionHost {
  readonly member: number;
  readonly serverId: number;
  readOnly = false;
  paused = false;
  readonly #host: MemberHost;
  readonly #clients = new Map<Caller, Client>();
  /** Not closed yet; a connection that is done with may still have bytes under way. */
  readonly #streams = new Set<Duplex>();
  readonly #localSessions = new Map<bigint, Session>();
  #listener: Server | null = null;
  #port: number;
  #running = false;

  constructor(host: MemberHost, member: number, serverId: number, port: number) {
    this.#host = host;
    this.member = member;
    this.serverId = serverId;
    this.#port = port;
  }

  get running(): boolean {
    return this.#running;
  }

  get port(): number {
    return this.#port;
  }

  get connections(): number {
    return this.#clients.size;
  }

  get database(): Database {
    return this.#host.database;
  }

  get minSessionTimeout(): number {
    return this.#host.minSessionTimeout;
  }

  get maxSessionTimeout(): number {
    return this.#host.maxSessionTimeout;
  }

  get maxRequestBytes(): number {
    return this.#host.maxRequestBytes;
  }

  get observed(): boolean {
    return this.#host.observed;
  }

  /** @param listen false for a member that only takes the streams it is given */
  async start(listen: boolean): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    if (!listen) return;
    const listener = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.accept(socket));
    this.#listener = listener;
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(this.#port, this.#host.host, () => {
        listener.off('error', reject);
        this.#port = (listener.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  /** Closes the port and cuts every connection; resolves when they are gone. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.paused = false;
    const listener = this.#listener;
    this.#listener = null;
    const closed = [...this.#streams].map((stream) => new Promise<void>((resolve) => stream.once('close', resolve)));
    this.cutAll();
    for (const stream of this.#streams) stream.destroy();
    if (listener !== null) closed.push(new Promise((resolve) => listener.close(() => resolve())));
    await Promise.all(closed);
  }

  accept(stream: Duplex): void {
    if (!this.#running) {
      stream.destroy();
      return;
    }
    const remote = stream instanceof Socket ? stream : null;
    const address = remote?.remoteAddress?.replace(/^::ffff:/, '') ?? '127.0.0.1';
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
    this.log({ event: 'connection', sessionId: 0n });
    const connection = new Connection(this, stream, address);
    this.#clients.set(connection, { connection, address: `${address}:${remote?.remotePort ?? 0}` });
  }

  setPaused(paused: boolean): void {
    this.paused = paused;
    for (const { connection } of [...this.#clients.values()]) connection.pauseOrResume();
  }

  cutAll(): void {
    for (const { connection } of [...this.#clients.values()]) connection.cut();
  }

  cutSession(id: bigint, except?: Caller): void {
    for (const { connection } of [...this.#clients.values()]) {
      if (connection.sessionId === id && connection !== except) connection.cut();
    }
  }

  /** Whether the session has a connection here. */
  serves(id: bigint): boolean {
    return [...this.#clients.keys()].some(({ sessionId }) => sessionId === id);
  }

  endSession(id: bigint, caller: Caller): void {
    this.#localSessions.delete(id);
    this.#host.endSession(id, caller);
  }

  left(caller: Caller): void {
    const { database } = this.#host;
    this.#clients.delete(caller);
    this.log({ event: 'disconnection', sessionId: caller.sessionId });
    database.watches.removeAll(caller);
    if (!database.profile.sessionOutlivesConnection) this.#host.endSession(caller.sessionId, caller);
  }

  setReadOnly(readOnly: boolean): void {
    this.readOnly = readOnly;
    this.#localSessions.clear();
    this.cutAll();
  }

  createLocalSession(timeout: number): Session {
    const session = this.database.sessions.mint(this.serverId, this.member, timeout);
    this.#localSessions.set(session.id, session);
    return session;
  }

  localSession(id: bigint): Session | undefined {
    return this.#localSessions.get(id);
  }

  judge(request: ObservedRequest): Ruling | Promise<Ruling> {
    return this.#host.judge(request);
  }

  log(entry: Omit<ServerLogEntry, 'at' | 'member'>): void {
    this.#host.log({ ...entry, member: this.member });
  }

  fourLetterWord(word: string): string | null {
    return answerWord(word, () => this.#facts());
  }

  #facts(): ServerFacts {
    const { tree, watches, profile } = this.database;
    return {
      version: profile.version,
      mode: this.readOnly ? 'read-only' : this.#host.modeOf(this.member),
      zxid: tree.lastZxid,
      // Apache counts the root twice, once for each of its names.
      nodes: tree.size + 1,
      clients: [...this.#clients.values()].map(({ address }) => address),
      watches: {
        connections: [...watches.data.watchers].length,
        paths: new Set([...watches.data.entries()].map(({ path }) => path)).size,
        data: watches.data.size,
        child: watches.child.size,
      },
    };
  }
}
