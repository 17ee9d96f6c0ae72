import type { Timer } from '../../src/index.ts';
import { bytes, Cursor, event, reply, stat } from './bytes.ts';
import type { ClientRequest, Handshake, Peer, Reaction, ScriptedServer } from './scripted-server.ts';
import type { Simulation } from './simulation.ts';

interface LiveSession {
  id: bigint;
  timeout: number;
  lastHeard: number;
  /** The connection that carries it now. */
  peer: Peer;
}

export interface EnsembleHooks {
  /** Whether a session ends with its connection and a new one takes its place, as in ClickHouse Keeper. */
  readonly replaces: boolean;
  readonly password: Buffer;
  /** ms between the reports in which a follower tells the leader which sessions have spoken; 0: the leader hears all by itself. */
  readonly reportInterval: number;
  random(): number;
  /** The leader has given a session up, at the earliest moment that it may. */
  onExpired(id: bigint): void;
  /** What a server does with a request in place of answering it. */
  fault(request: ClientRequest): 'none' | 'throttle' | 'close-before' | 'close-after' | 'swallow';
}

/** Several scripted servers with one set of sessions, one tree's worth of changes, and the strictest leader there may be. */
export class FakeEnsemble {
  readonly names: readonly string[];
  readonly servers = new Map<string, ScriptedServer>();
  /** The path of each write that was applied, in order. */
  readonly applied: string[] = [];
  /** The zxid of each path's last change. */
  readonly #changed = new Map<string, bigint>();
  readonly #sessions = new Map<bigint, LiveSession>();
  readonly #watches = new Map<Peer, Set<string>>();
  /** By server: the sessions that have spoken since its last report. */
  readonly #unreported = new Map<string, Set<bigint>>();
  readonly #reports: Timer[] = [];
  readonly #net: Simulation;
  readonly #hooks: EnsembleHooks;
  readonly #timeout: number;
  #zxid = 100n;
  #nextId = 0x7000n;
  #timer: Timer | null = null;

  constructor(net: Simulation, names: readonly string[], timeout: number, hooks: EnsembleHooks) {
    this.#net = net;
    this.#hooks = hooks;
    this.#timeout = timeout;
    this.names = names;
    for (const name of names) {
      const server = net.serve(name, {
        onHandshake: (handshake, peer) => this.#onHandshake(server, handshake, peer),
        onRequest: (request, peer) => this.#onRequest(name, request, peer),
      });
      this.servers.set(name, server);
      this.#unreported.set(name, new Set());
      if (hooks.reportInterval > 0) this.#reportEvery(name, hooks.reportInterval * hooks.random());
    }
  }

  get sessions(): number {
    this.#endWithConnections();
    return this.#sessions.size;
  }

  /** Somebody else changes a znode. */
  change(path: string): void {
    this.#zxid += 1n;
    this.#changed.set(path, this.#zxid);
    for (const [peer, paths] of this.#watches) {
      if (paths.delete(path)) peer.send(event(3, path));
    }
  }

  /** The server dies, and takes along what it has not reported. */
  down(name: string): void {
    this.#net.servers.delete(`${name}:2181`);
    this.#unreported.get(name)?.clear();
    this.cut(name);
  }

  up(name: string): void {
    this.#net.servers.set(`${name}:2181`, this.servers.get(name) as ScriptedServer);
  }

  cut(name: string): void {
    for (const peer of this.servers.get(name)?.peers ?? []) peer.destroy();
  }

  stop(): void {
    this.#disarm();
    for (const timer of this.#reports) this.#net.clock.clearTimeout(timer);
  }

  #reportEvery(name: string, wait: number): void {
    const index = this.names.indexOf(name);
    this.#reports[index] = this.#net.clock.setTimeout(() => {
      this.#expire();
      const spoken = this.#unreported.get(name) as Set<bigint>;
      for (const id of spoken) this.#heard(id);
      spoken.clear();
      this.#reportEvery(name, this.#hooks.reportInterval);
    }, wait);
  }

  #heard(id: bigint): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    session.lastHeard = this.#net.clock.now();
    this.#arm();
  }

  #onHandshake(server: ScriptedServer, handshake: Handshake, peer: Peer): Reaction {
    this.#expire();
    const now = this.#net.clock.now();
    const { replaces, password } = this.#hooks;
    const fresh = handshake.id === 0n || replaces;
    if (!fresh && !this.#sessions.has(handshake.id)) return server.expired();
    const id = fresh ? this.#nextId : handshake.id;
    if (fresh) this.#nextId += 1n;
    this.#sessions.set(id, { id, timeout: this.#timeout, lastHeard: now, peer });
    this.#watches.set(peer, new Set());
    this.#arm();
    return server.grant(handshake, { id, timeout: this.#timeout, password });
  }

  #onRequest(name: string, request: ClientRequest, peer: Peer): Reaction {
    this.#expire();
    this.#endWithConnections();
    const session = [...this.#sessions.values()].find((each) => each.id === this.#idOf(peer));
    if (session === undefined) return 'close';
    if (this.#hooks.reportInterval === 0) this.#heard(session.id);
    else this.#unreported.get(name)?.add(session.id);
    const writes = [2, 5, 15].includes(request.type);
    // The session has moved to another connection: a write is not applied, and the connection ends.
    if (writes && session.peer !== peer) return 'close';
    if (request.type === 11) return reply(-2, 0n, 0);
    if (request.type === -11) {
      this.#sessions.delete(session.id);
      return this.#hooks.replaces ? 'close' : reply(request.xid, this.#tick(), 0);
    }
    if (request.type === 101) return this.#rearm(request, peer);
    const fault = this.#hooks.fault(request);
    if (fault === 'throttle') return reply(request.xid, this.#zxid, -127);
    if (fault === 'close-before') return 'close';
    if (writes) {
      this.applied.push(request.path as string);
      this.#tick();
    }
    if (fault === 'close-after') return 'close';
    if (fault === 'swallow') return 'mute';
    return this.#answer(request, peer);
  }

  #answer({ xid, type, path, body }: ClientRequest, peer: Peer): Buffer {
    const ok = (...content: Buffer[]): Buffer => reply(xid, this.#zxid, 0, ...content);
    const watched = type === 4 && body.at(-1) === 1;
    if (watched) this.#watches.get(peer)?.add(path as string);
    if (type === 4) return ok(bytes(path), stat());
    if (type === 5) return ok(stat());
    if (type === 15) return ok(bytes(path), stat());
    if (type === 9) return ok(bytes(path));
    return ok();
  }

  #rearm({ xid, body }: ClientRequest, peer: Peer): Buffer {
    const cursor = new Cursor(body);
    const since = cursor.long();
    const missed: Buffer[] = [];
    for (const path of cursor.texts()) {
      if ((this.#changed.get(path) ?? 0n) > since) missed.push(event(3, path));
      else this.#watches.get(peer)?.add(path);
    }
    return Buffer.concat([...missed, reply(xid, this.#zxid, 0)]);
  }

  /** What a connection was granted. */
  #idOf(peer: Peer): bigint | undefined {
    for (const session of this.#sessions.values()) if (session.peer === peer) return session.id;
    return peer.handshake?.id;
  }

  #tick(): bigint {
    this.#zxid += 1n;
    return this.#zxid;
  }

  #expire(): void {
    const now = this.#net.clock.now();
    for (const session of [...this.#sessions.values()]) {
      if (now < session.lastHeard + session.timeout) continue;
      this.#sessions.delete(session.id);
      this.#hooks.onExpired(session.id);
      session.peer.destroy();
    }
  }

  #endWithConnections(): void {
    if (!this.#hooks.replaces) return;
    for (const session of [...this.#sessions.values()]) if (session.peer.closed) this.#sessions.delete(session.id);
  }

  #disarm(): void {
    if (this.#timer !== null) this.#net.clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm(): void {
    this.#disarm();
    const next = Math.min(...[...this.#sessions.values()].map(({ lastHeard, timeout }) => lastHeard + timeout));
    if (!Number.isFinite(next)) return;
    this.#timer = this.#net.clock.setTimeout(() => {
      this.#timer = null;
      this.#expire();
      this.#arm();
    }, next - this.#net.clock.now());
  }
}
