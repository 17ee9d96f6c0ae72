import { Duplex } from 'node:stream';
import type { Environment, SocketTarget } from '../../src/index.ts';
import { ManualClock } from './manual-clock.ts';
import { type Granted, type Script, ScriptedServer } from './scripted-server.ts';

/** When bytes arrive. `held`: not before the link is let go. */
interface Link {
  /** ms on the way; 0: in the same turn of the loop. */
  delay(): number;
  held(): boolean;
}

/** One direction of a connection: what is sent arrives in order, whatever each piece takes. */
class Lane {
  readonly #link: Link;
  readonly #clock: ManualClock;
  readonly #waiting: (() => void)[] = [];
  #newest = 0;

  constructor(link: Link, clock: ManualClock) {
    this.#link = link;
    this.#clock = clock;
  }

  send(arrive: () => void): void {
    const delay = this.#link.delay();
    if (delay === 0 && this.#newest === 0 && !this.#link.held()) {
      process.nextTick(arrive);
      return;
    }
    this.#waiting.push(arrive);
    this.#newest = Math.max(this.#newest, this.#clock.now() + delay);
    this.#clock.setTimeout(() => this.flush(), this.#newest - this.#clock.now());
  }

  /** All that is due; pieces leave in order, so the first timer may bring what a later one was set for. */
  flush(): void {
    if (this.#link.held()) return;
    while (this.#waiting.length > 0) this.#waiting.shift()?.();
  }
}

/** Both ends of a connection without a network. */
function pair(link: Link, clock: ManualClock): { ends: [Duplex, Duplex]; lanes: [Lane, Lane] } {
  const make = (lane: Lane, other: () => Duplex): Duplex => {
    const push = (chunk: Buffer | null): void => {
      const peer = other();
      if (!peer.destroyed && !peer.readableEnded) peer.push(chunk);
    };
    return new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => {
        const copy = Buffer.from(chunk);
        lane.send(() => push(copy));
        done();
      },
      final: (done) => {
        lane.send(() => push(null));
        done();
      },
      destroy: (error, done) => {
        lane.send(() => push(null));
        done(error);
      },
    });
  };
  const lanes: [Lane, Lane] = [new Lane(link, clock), new Lane(link, clock)];
  const a: Duplex = make(lanes[0], () => b);
  const b: Duplex = make(lanes[1], () => a);
  return { ends: [a, b], lanes };
}

/** Simulated time, names and sockets: what would take minutes takes milliseconds, and always goes the same way. */
export class Simulation {
  readonly clock = new ManualClock();
  /** By `address:port`. A host that isn't here refuses. */
  readonly servers = new Map<string, ScriptedServer>();
  /** By name; a name that isn't here is its own address. */
  readonly names = new Map<string, readonly string[] | Error>();
  /** Every socket that was asked for. */
  readonly attempts: { at: number; target: SocketTarget }[] = [];
  readonly lookups: { at: number; host: string }[] = [];
  /** Addresses whose packets vanish. */
  readonly vanished = new Set<string>();
  /** ms that a piece takes on its way. */
  delay: () => number = () => 0;
  readonly #held = new Set<string>();
  readonly #lanes = new Map<string, Lane[]>();

  /** A server at an address. */
  serve(address: string, script: Script = {}, granted: Granted = {}): ScriptedServer {
    const server = new ScriptedServer(script, granted, this.clock.now);
    this.servers.set(address.includes(':') ? address : `${address}:2181`, server);
    return server;
  }

  /** From now on nothing gets through to or from this address; it arrives when the link is let go. */
  hold(key: string): void {
    this.#held.add(key);
  }

  letGo(key: string): void {
    this.#held.delete(key);
    for (const lane of this.#lanes.get(key) ?? []) lane.flush();
  }

  get environment(): Partial<Environment> {
    return {
      clock: this.clock,
      random: () => 0.5,
      lookup: (host) => this.#lookup(host),
      connect: (target) => this.#connect(target),
    };
  }

  #lookup(host: string): Promise<readonly string[]> {
    this.lookups.push({ at: this.clock.now(), host });
    const known = this.names.get(host) ?? [host];
    return known instanceof Error ? Promise.reject(known) : Promise.resolve(known);
  }

  #connect(target: SocketTarget): Duplex {
    this.attempts.push({ at: this.clock.now(), target });
    const key = `${target.address}:${target.port}`;
    const link = { delay: () => this.delay(), held: () => this.#held.has(key) };
    const { ends, lanes } = pair(link, this.clock);
    const [near, far] = ends;
    if (this.vanished.has(key) || this.#held.has(key)) return near;
    this.#lanes.set(key, [...(this.#lanes.get(key) ?? []), ...lanes]);
    const server = this.servers.get(key);
    // A turn of the loop, so that a client that tries again and again at once can't stop the world.
    setImmediate(() => {
      if (near.destroyed) return;
      if (server === undefined) {
        near.destroy(Object.assign(new Error(`connect ECONNREFUSED ${key}`), { code: 'ECONNREFUSED' }));
        return;
      }
      near.emit('connect');
      server.accept(far);
    });
    return near;
  }
}

/** The most that happened within any window of so many ms. */
export function peak(times: readonly number[], window: number): number {
  return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + window).length));
}
