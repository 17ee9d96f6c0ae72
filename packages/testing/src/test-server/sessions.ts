import { createHash } from 'node:crypto';
import { ErrorCode } from '@zookit/protocol';
import { Alarm, type ServerClock } from './clock.ts';
import { ExpiryQueue } from './expiry-queue.ts';
import { Refusal } from './refusal.ts';

export interface Session {
  readonly id: bigint;
  readonly password: Buffer;
  /** Milliseconds, as negotiated with the last connection. */
  timeout: number;
  /** The member that the session is attached to: writes that come by way of another one are not applied. */
  owner: number;
}

/** Who is alive, in ticks: a session goes with the bucket that its time falls in. */
export class Sessions {
  readonly #clock: ServerClock;
  readonly #sessions = new Map<bigint, Session>();
  readonly #queue: ExpiryQueue<Session>;
  readonly #alarm: Alarm;
  readonly #expire: (session: Session) => void;
  readonly #nextIds = new Map<number, bigint>();
  #stopped = false;

  constructor(clock: ServerClock, tickTime: number, expire: (session: Session) => void) {
    this.#clock = clock;
    this.#queue = new ExpiryQueue(tickTime);
    this.#expire = expire;
    // A ping that already waits in a socket counts, however late this process comes to read it.
    this.#alarm = new Alarm(clock, () => {
      if (clock.afterPendingInput === undefined) this.expireDue();
      else clock.afterPendingInput(() => this.expireDue());
    });
  }

  create(serverId: number, owner: number, timeout: number): Session {
    const session = this.mint(serverId, owner, timeout);
    this.#sessions.set(session.id, session);
    this.touch(session);
    return session;
  }

  /** A session with an id that no other has, which is not kept. */
  mint(serverId: number, owner: number, timeout: number): Session {
    const id = this.#nextIds.get(serverId) ?? firstSessionId(serverId, this.#clock.now());
    this.#nextIds.set(serverId, id + 1n);
    return { id, password: passwordOf(id), timeout, owner };
  }

  get(id: bigint): Session | undefined {
    return this.#sessions.get(id);
  }

  all(): Session[] {
    return [...this.#sessions.values()];
  }

  /** Counts the session's timeout from now. */
  touch(session: Session): void {
    if (!this.#sessions.has(session.id)) return;
    this.#queue.update(session, this.#clock.now(), session.timeout);
    this.#rearm();
  }

  /** Refuses a write that comes by way of a member which the session has left. */
  requireOwner(id: bigint, member: number): void {
    const session = this.#sessions.get(id);
    if (session === undefined) throw new Refusal(ErrorCode.SESSION_EXPIRED);
    if (session.owner !== member) throw new Refusal(ErrorCode.SESSION_MOVED);
  }

  remove(id: bigint): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    this.#queue.remove(session);
    this.#rearm();
  }

  /** Expires every session whose bucket is due. */
  expireDue(): void {
    if (this.#stopped) return;
    for (const session of this.#queue.takeDue(this.#clock.now())) this.#expire(session);
    this.#rearm();
  }

  /** Nothing expires until resume. */
  suspend(): void {
    this.#stopped = true;
    this.#alarm.clear();
  }

  resume(): void {
    this.#stopped = false;
    this.expireDue();
  }

  /** What a new leader does: every session has its whole timeout again. */
  restartAll(): void {
    for (const session of this.#sessions.values()) this.touch(session);
  }

  #rearm(): void {
    if (this.#stopped) return;
    this.#alarm.setFor(this.#queue.next);
  }
}

/** The server id in the highest byte, then the time, then a counter; signed, as Java has it. */
function firstSessionId(serverId: number, now: number): bigint {
  const time = (BigInt(Math.floor(now)) << 16n) & 0x00ff_ffff_ffff_ffffn;
  return BigInt.asIntN(64, (BigInt(serverId) << 56n) | time);
}

function passwordOf(id: bigint): Buffer {
  return createHash('md5').update(`session ${id}`).digest();
}
