import { ErrorCode } from '@zookit/protocol';
import { type ServerClock, systemClock } from './clock.ts';
import { type Caller, Database } from './database.ts';
import { Member, type MemberHost } from './member.ts';
import type { Interceptor, ObservedRequest, ServerLogEntry } from './observe.ts';
import { type ProfileName, profileOf, type ServerProfile } from './profile.ts';
import { Reaper } from './reaper.ts';
import { type Ruling, rulingOf } from './verdict.ts';

export interface TestServerOptions {
  /** Of the first member; the others have the ports behind it. Default: any free ports. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  /** How many servers share the data, each with its own port. Default 1. */
  members?: number;
  /** Milliseconds; sessions expire by ticks. Default 500. */
  tickTime?: number;
  /** Milliseconds; default two ticks. */
  minSessionTimeout?: number;
  /** Milliseconds; default twenty ticks. */
  maxSessionTimeout?: number;
  /** Which server to behave as. Default Apache ZooKeeper 3.9. */
  profile?: ProfileName | ServerProfile;
  /** The largest frame that is taken, as `jute.maxbuffer`. Default 1,048,575 bytes. */
  maxRequestBytes?: number;
  /** Whether TTL nodes are switched on (`extendedTypesEnabled`). Default true. */
  ttlNodes?: boolean;
  /** Milliseconds between two looks for emptied containers and TTL nodes to delete. Default 500. */
  containerCheckInterval?: number;
  /** The highest byte of the first member's session ids; from 128 on the ids are negative. Default 1. */
  serverId?: number;
  /** Whether to open ports. Default true; without, connections come by `accept()` alone. */
  listen?: boolean;
  /** Where time comes from. Default: the system's. */
  clock?: ServerClock;
}

/** The members and what they share. */
export class Ensemble implements MemberHost {
  readonly database: Database;
  readonly members: readonly Member[];
  readonly host: string;
  readonly minSessionTimeout: number;
  readonly maxSessionTimeout: number;
  readonly maxRequestBytes: number;
  readonly interceptors: Set<Interceptor> = new Set();
  readonly listeners: Set<(entry: ServerLogEntry) => void> = new Set();
  readonly #misjudgements: { error: unknown }[] = [];
  readonly #listen: boolean;
  readonly #reaper: Reaper;

  constructor(options: TestServerOptions) {
    const { members = 1, tickTime = 500, profile = '3.9', port = 0, serverId = 1 } = options;
    if (!Number.isInteger(members) || members < 1) {
      throw new RangeError(`members must be a whole number from 1 on, not ${members}`);
    }
    this.host = options.host ?? '127.0.0.1';
    this.minSessionTimeout = options.minSessionTimeout ?? 2 * tickTime;
    this.maxSessionTimeout = options.maxSessionTimeout ?? 20 * tickTime;
    this.maxRequestBytes = options.maxRequestBytes ?? 0xfffff;
    this.#listen = options.listen ?? true;
    this.database = new Database(
      {
        profile: profileOf(profile),
        clock: options.clock ?? systemClock,
        tickTime,
        ttlNodes: options.ttlNodes ?? true,
        // The first epoch of an ensemble; a standalone server counts from nought.
        lastZxid: members > 1 ? 1n << 32n : 0n,
      },
      ({ id }) => this.expireSession(id),
    );
    // Without ports to open their numbers are only names.
    const first = this.#listen || port !== 0 ? port : 2181;
    this.members = Array.from(
      { length: members },
      (_, i) => new Member(this, i, serverId + i, first === 0 ? 0 : first + i),
    );
    this.#reaper = new Reaper(this.database, options.containerCheckInterval ?? 500);
    this.database.afterTransaction = () => this.#reaper.arm();
  }

  member(index: number): Member {
    const member = this.members[index];
    if (member === undefined) throw new RangeError(`no member ${index}: there are ${this.members.length}`);
    return member;
  }

  get running(): boolean {
    return this.members.some(({ running }) => running);
  }

  async start(member: Member): Promise<void> {
    await member.start(this.#listen);
  }

  /** Sessions and containers stop aging. */
  stopTime(): void {
    this.#reaper.suspend();
    this.database.sessions.suspend();
  }

  /** Time goes on: what is overdue expires now. */
  resumeTime(): void {
    this.database.sessions.resume();
    this.#reaper.resume();
  }

  get observed(): boolean {
    return this.interceptors.size > 0 || this.listeners.size > 0;
  }

  judge(request: ObservedRequest): Ruling | Promise<Ruling> {
    try {
      for (const interceptor of this.interceptors) {
        const verdict = interceptor(request);
        if (isPromise(verdict)) return Promise.resolve(verdict).then(rulingOf).catch(this.#misjudged);
        const ruling = rulingOf(verdict);
        if (ruling !== 'pass') return ruling;
      }
      return 'pass';
    } catch (error) {
      return this.#misjudged(error);
    }
  }

  /** Throws what interceptors threw: the first of it, once. */
  throwMisjudgement(): void {
    const [first] = this.#misjudgements.splice(0);
    if (first !== undefined) throw first.error;
  }

  log(entry: Omit<ServerLogEntry, 'at'>): void {
    for (const listener of this.listeners) listener({ ...entry, at: this.database.clock.now() });
  }

  expireSession(id: bigint): void {
    const session = this.database.sessions.get(id);
    if (session === undefined) return;
    this.log({ event: 'session-expired', sessionId: id, member: session.owner });
    this.#close(id);
  }

  endSession(id: bigint, caller: Caller): void {
    if (this.database.sessions.get(id) === undefined) return;
    this.log({ event: 'session-closed', sessionId: id, member: caller.member });
    this.#close(id, caller);
  }

  modeOf(member: number): 'standalone' | 'leader' | 'follower' {
    if (this.members.length === 1) return 'standalone';
    return this.members.findIndex(({ running }) => running) === member ? 'leader' : 'follower';
  }

  // Thrown from here it would come out of a socket's handler and end the process, far from the test it belongs to.
  readonly #misjudged = (error: unknown): Ruling => {
    this.#misjudgements.push({ error });
    return { error: ErrorCode.SYSTEM_ERROR };
  };

  #close(id: bigint, except?: Caller): void {
    this.database.closeSession(id);
    for (const member of this.members) member.cutSession(id, except);
  }
}

function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
