import { type Channel, channel } from 'node:diagnostics_channel';
import { SafeEmitter } from '@zookit/client/internal';

/** Which lock, and which of its contenders. */
export interface LockEvent {
  /** `mutex`, `read-lock`, `write-lock`, `semaphore`… */
  readonly recipe: string;
  /** The path of the lock, as the client's view writes it. */
  readonly path: string;
  /** The contender's znode. */
  readonly node: string;
}

export interface LockPosition extends LockEvent {
  /** How many are before it in line: 1 is next to the first. The first in line of a semaphore waits, too: 0. */
  readonly position: number;
}

export interface LockGranted extends LockEvent {
  readonly fencingToken: bigint;
  /** From the call until the grant, in ms. */
  readonly waited: number;
}

export interface LockEnded extends LockEvent {
  /** From the grant until the end, in ms. */
  readonly heldFor: number;
}

export interface LockLost extends LockEnded {
  /** A LeaseLostError that says why. */
  readonly reason: Error;
}

/** What happens to the contenders of one lock object. */
export type LockEvents = {
  /** Not granted at once: it stands in line. Again after a lost session, at the end of the line. */
  queued: (event: LockPosition) => void;
  /** Its position has changed, as far as this client has seen: it looks when the one before it moves, and no more often for this event. */
  moved: (event: LockPosition) => void;
  granted: (event: LockGranted) => void;
  /** The holder's connection is lost, or its machine seems to have slept. */
  suspect: (event: LockEvent) => void;
  /** A hold has ended, and not by its release. */
  lost: (event: LockLost) => void;
  /** A hold was let go; its znode may take a little longer. */
  released: (event: LockEnded) => void;
  /** What a listener threw. */
  error: (error: unknown) => void;
};

type Told = Exclude<keyof LockEvents, 'error'>;
type MessageOf<Name extends Told> = Parameters<LockEvents[Name]>[0];

const channels: Readonly<Record<Told, Channel>> = {
  queued: channel('zookit:lock:queued'),
  moved: channel('zookit:lock:moved'),
  granted: channel('zookit:lock:granted'),
  suspect: channel('zookit:lock:suspect'),
  lost: channel('zookit:lock:lost'),
  released: channel('zookit:lock:released'),
};

/** Tells the listeners of one lock object, and the diagnostics channels, of its contenders. Free where nobody listens. */
export class LockTeller {
  readonly #about: { readonly recipe: string; readonly path: string };
  #emitter: SafeEmitter<LockEvents> | null = null;

  constructor(recipe: string, path: string) {
    this.#about = { recipe, path };
  }

  /** What listeners are added to. */
  get emitter(): SafeEmitter<LockEvents> {
    this.#emitter ??= new SafeEmitter();
    return this.#emitter;
  }

  hasListener(name: Told): boolean {
    return channels[name].hasSubscribers || this.listenerCount(name) > 0;
  }

  listenerCount(name: keyof LockEvents): number {
    return this.#emitter?.listenerCount(name) ?? 0;
  }

  tell<Name extends Told>(name: Name, node: string, detail: Omit<MessageOf<Name>, keyof LockEvent>): void {
    if (!this.hasListener(name)) return;
    const message = { ...this.#about, node, ...detail };
    this.#emitter?.emit(name, message);
    channels[name].publish(message);
  }
}

/** Whom a contender tells. */
export type Teller = Pick<LockTeller, 'hasListener' | 'tell'>;

/** A lock object that tells of its contenders: the base of every recipe with a line. */
export abstract class LockEmitter {
  protected readonly teller: LockTeller;

  constructor(recipe: string, path: string) {
    this.teller = new LockTeller(recipe, path);
  }

  /** A listener that throws stops nobody else: its error goes to `error`, or becomes a process warning. */
  on<Name extends keyof LockEvents>(event: Name, listener: LockEvents[Name]): this {
    this.teller.emitter.on(event, listener as never);
    return this;
  }

  once<Name extends keyof LockEvents>(event: Name, listener: LockEvents[Name]): this {
    this.teller.emitter.once(event, listener as never);
    return this;
  }

  off<Name extends keyof LockEvents>(event: Name, listener: LockEvents[Name]): this {
    this.teller.emitter.off(event, listener as never);
    return this;
  }

  /** As `on`: Node's `events.once` and `events.on` want this name, and the next two. */
  addListener<Name extends keyof LockEvents>(event: Name, listener: LockEvents[Name]): this {
    return this.on(event, listener);
  }

  /** As `off`. */
  removeListener<Name extends keyof LockEvents>(event: Name, listener: LockEvents[Name]): this {
    return this.off(event, listener);
  }

  listenerCount(event: keyof LockEvents): number {
    return this.teller.listenerCount(event);
  }
}
