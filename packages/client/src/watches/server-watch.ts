import { OpCode, type SocketTarget, type ZooKeeperError, zooKeeperError } from '@zookit/protocol';
import type { Call } from '../calls/call.ts';
import type { ClientParts } from '../client-parts.ts';
import { addBoth, addWatch, dropWatches, type Step, type StepHooks } from '../operations/watch-steps.ts';
import { pause } from '../session/attempt.ts';
import { restoreOneShots } from './rearm.ts';

/** The two kinds of persistent watch, as bits: a path may have both. */
export const PLAIN = 1;
export const RECURSIVE = 2;
const BOTH = 3;

/** How long a server that is overloaded is left alone, in ms. */
const THROTTLE_PAUSE = 200;

export interface ServerWatchHooks {
  /** What the server should have. */
  wanted(): number;
  /** The server has confirmed something. */
  onConfirmed(): void;
  /** The server could not be brought to have these. `server`: the one that was asked; null when none was. */
  onRefused(error: ZooKeeperError, bits: number, server: SocketTarget | null): Promise<void> | void;
  /** The server has what it should, as far as it can. */
  onIdle(): void;
}

/**
 * What the server has of persistent watches on one path. Steps towards what it should have are taken one at a time.
 *
 * Before 3.9 a server keeps one mode for a path, whichever came last: the recursive one is always asked for last, and what it leaves out
 * is made up for (docs/design/persistent-watches.md).
 */
export class ServerWatch {
  readonly #client: ClientParts;
  readonly #path: string;
  readonly #hooks: ServerWatchHooks;
  /** What it has been asked to have, as of what was written. */
  #asked = 0;
  /** What it has said that it has. */
  #confirmed = 0;
  /** What it may have: as `#asked`, but longer by the time that a removal takes. */
  #held = 0;
  /** It tells of children by itself although a recursive watch is on the path: it keeps both modes. */
  #keepsBoth = false;
  #busy = false;
  #call: Call<StepHooks, void> | null = null;
  #isRemoval = false;
  /** Counts connections. */
  #epoch = 0;

  constructor(client: ClientParts, path: string, hooks: ServerWatchHooks) {
    this.#client = client;
    this.#path = path;
    this.#hooks = hooks;
  }

  get asked(): number {
    return this.#asked;
  }

  get confirmed(): number {
    return this.#confirmed;
  }

  /** Whether the server has, or may get, what it should not have. */
  get isBusy(): boolean {
    return this.#busy && (this.#isRemoval || this.#call?.onWire !== false);
  }

  /** Whether children must be told of by what a recursive watch says of each: this server kept that one only, of the two modes. */
  infersChildren(zxid: bigint): boolean {
    return this.#held === BOTH && zxid <= 0n && !this.#keepsBoth;
  }

  /** The server has told of the children of the path. */
  onChildren(): void {
    if (this.#confirmed === BOTH) this.#keepsBoth = true;
  }

  /** The connection is gone, and with it what the server had. */
  detach(): void {
    this.#epoch += 1;
    this.#asked = 0;
    this.#confirmed = 0;
    this.#held = 0;
    this.#keepsBoth = false;
    if (this.#isRemoval) this.withdraw();
  }

  /** These are being set on a new connection, together with all others. */
  setTogether(bits: number): void {
    this.#asked = bits;
    this.#held = bits;
  }

  /** All have been set on the new connection; `refused`: but not this, which is asked for by itself. */
  rearmed(bits: number, refused: boolean): void {
    if (refused) {
      this.#asked &= ~bits;
      this.#held &= ~bits;
      void restoreOneShots(this.#client, this.#path);
    } else this.#confirmed |= bits & this.#asked;
    this.#hooks.onConfirmed();
  }

  /** A step that has not been written is not taken. */
  withdraw(): void {
    this.#call?.withdraw(zooKeeperError('CONNECTION_LOSS'));
  }

  /** Takes the next step towards what is wanted, unless one is under way. */
  settle(): void {
    if (this.#busy) return;
    const wanted = this.#hooks.wanted();
    // To find out may have been a step of its own.
    if (this.#busy) return;
    if (wanted === this.#asked || this.#client.over.aborted) {
      this.#hooks.onIdle();
      return;
    }
    this.#busy = true;
    const missing = wanted & ~this.#asked;
    const step = missing !== 0 ? this.#ask(missing) : this.#drop(this.#asked & ~wanted);
    void step.finally(() => {
      this.#busy = false;
      this.settle();
    });
  }

  async #ask(bits: number): Promise<void> {
    const step = this.#stepTo(bits);
    let server: SocketTarget | null = null;
    let epoch = -1;
    let restored: Promise<void> | null = null;
    const error = await this.#run(step, {
      onWritten: () => {
        server = this.#client.session.connection?.target ?? null;
        epoch = this.#epoch;
        this.#asked |= bits;
        this.#held |= bits;
      },
      onDone: () => {
        if (server !== null) this.#client.dispatcher.lore.answered(server, step.opcode);
        // Before 3.9 a recursive watch takes the place of a one-shot watch of the children.
        if ((bits & RECURSIVE) !== 0) restored = restoreOneShots(this.#client, this.#path);
      },
    });
    await restored;
    const isPresent = epoch === this.#epoch;
    if (error === null) {
      if (isPresent) this.#confirmed |= bits;
      this.#hooks.onConfirmed();
      return;
    }
    if (isPresent) {
      this.#asked &= ~bits;
      this.#held &= ~bits;
      void restoreOneShots(this.#client, this.#path);
    }
    if (step.opcode === OpCode.setWatches2 && server !== null && UNKNOWN.has(error.code)) {
      this.#client.dispatcher.lore.denied(server, step.opcode);
    } else await this.#hooks.onRefused(error, bits, server);
  }

  #stepTo(bits: number): Step {
    const server = this.#client.session.connection?.target;
    const together = server === undefined || !this.#client.dispatcher.lore.lacks(server, OpCode.setWatches2);
    if ((this.#asked | bits) === BOTH && bits !== RECURSIVE && together) return addBoth(this.#path);
    return addWatch(this.#path, bits === RECURSIVE);
  }

  async #drop(bits: number): Promise<void> {
    const all = this.#asked === bits;
    const which = all ? 'any' : bits === PLAIN ? 'persistent' : 'persistentRecursive';
    let epoch = -1;
    let restored: Promise<void> | null = null;
    const hooks: StepHooks = {
      onWritten: () => {
        epoch = this.#epoch;
        this.#asked &= ~bits;
        this.#confirmed &= ~bits;
      },
      onDone: () => {
        this.#held &= ~bits;
        // Those of other kinds went too, and some had relied on what is gone.
        restored = restoreOneShots(this.#client, this.#path);
      },
    };
    this.#isRemoval = true;
    let error = await this.#run(dropWatches(this.#path, which), hooks);
    while (error !== null && BUSY.has(error.code) && !this.#client.over.aborted) {
      await pause(this.#client.settings, THROTTLE_PAUSE, this.#client.over);
      if (epoch !== -1 && epoch !== this.#epoch) break;
      error = await this.#run(dropWatches(this.#path, which), hooks);
    }
    this.#isRemoval = false;
    await restored;
    if (error === null || epoch !== this.#epoch) return;
    // A server before 3.9 doesn't know this type. It has the recursive mode alone; the plain one takes its place.
    if (which === 'persistentRecursive' && error.code === 'MARSHALLING_ERROR') {
      await this.#run(addWatch(this.#path, false), { onWritten: () => {}, onDone: () => {} });
      if (epoch !== this.#epoch) return;
    }
    this.#held &= ~bits;
    await restoreOneShots(this.#client, this.#path);
  }

  /** What it ended with; null when it was done. */
  async #run(step: Step, hooks: StepHooks): Promise<ZooKeeperError | null> {
    try {
      this.#call = this.#client.dispatcher.start(step, hooks, undefined);
      await this.#call.promise;
      return null;
    } catch (error) {
      return error as ZooKeeperError;
    } finally {
      this.#call = null;
    }
  }
}

/** How servers say that they can't: Apache's; those of other makes; those whose kind of watch manager has one-shot watches only. */
export const UNKNOWN: ReadonlySet<string> = new Set(['UNIMPLEMENTED', 'API_ERROR', 'MARSHALLING_ERROR']);

const BUSY: ReadonlySet<string> = new Set(['THROTTLED_OP', 'BUSY']);
