import { Duplex } from 'node:stream';
import type { Environment, SocketTarget } from '../../src/index.ts';
import { ManualClock } from './manual-clock.ts';
import { type Granted, type Script, ScriptedServer } from './scripted-server.ts';

/** Both ends of a connection without a network: what one end writes, the other reads in the same turn of the loop. */
function pair(): [Duplex, Duplex] {
  const make = (other: () => Duplex): Duplex => {
    const stream: Duplex = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => {
        process.nextTick(() => {
          if (!other().destroyed) other().push(Buffer.from(chunk));
          done();
        });
      },
      final: (done) => {
        process.nextTick(() => {
          if (!other().destroyed) other().push(null);
          done();
        });
      },
      destroy: (error, done) => {
        process.nextTick(() => {
          const peer = other();
          if (!peer.destroyed && !peer.readableEnded) peer.push(null);
        });
        done(error);
      },
    });
    return stream;
  };
  const a: Duplex = make(() => b);
  const b: Duplex = make(() => a);
  return [a, b];
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

  /** A server at an address. */
  serve(address: string, script: Script = {}, granted: Granted = {}): ScriptedServer {
    const server = new ScriptedServer(script, granted, this.clock.now);
    this.servers.set(address.includes(':') ? address : `${address}:2181`, server);
    return server;
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
    const [near, far] = pair();
    if (this.vanished.has(key)) return near;
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
