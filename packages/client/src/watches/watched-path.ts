import { OpCode, type SocketTarget, type ZooKeeperError, zooKeeperError } from '@zookit/protocol';
import type { Call } from '../calls/call.ts';
import type { ClientParts } from '../client-parts.ts';
import { type Deferred, deferred } from '../deferred.ts';
import { addBoth, addWatch, dropWatches, type StepHooks } from '../operations/watch-steps.ts';
import { isPassing } from '../persevere.ts';
import { pause } from '../session/attempt.ts';
import type { Change } from './event.ts';
import { OneShotFallback } from './one-shot-fallback.ts';
import { restoreOneShots } from './rearm.ts';
import type { WatchHandle } from './watch.ts';

/** The two kinds of persistent watch, as bits: a path may have both. */
const PLAIN = 1;
const RECURSIVE = 2;
const BOTH = PLAIN | RECURSIVE;

/** Connections that may end over an unanswered addWatch before the server is taken not to know it; fewer where each costs the session. */
const DEATHS = 3;
const DEATHS_WITH_SESSION = 2;
/** How long a server that is overloaded is left alone, in ms. */
const THROTTLE_PAUSE = 200;

type Step = ReturnType<typeof addWatch>;

/**
 * All persistent watches of this client on one path, and the server's watch that they share.
 *
 * What the server is to have follows from who is here; steps towards that are taken one at a time. Before 3.9 a server keeps one mode for a path, whichever
 * came last, so that the recursive one is always asked for last, and what it leaves out is made up for (docs/design/persistent-watches.md).
 */
export class WatchedPath {
  readonly path: string;
  readonly #client: ClientParts;
  readonly #onEmpty: () => void;
  readonly #plain = new Set<WatchHandle>();
  readonly #recursive = new Set<WatchHandle>();
  /** What the server has been asked to have, as of what was written. */
  #asked = 0;
  /** What it has said that it has. */
  #confirmed = 0;
  /** What is being set again on a new connection. */
  #again = 0;
  /** What it may have: as `#asked`, but longer by the time that a removal takes. */
  #held = 0;
  /** It tells of children by itself although a recursive watch is on the path: it keeps both modes. */
  #keepsBoth = false;
  #busy = false;
  #call: Call<StepHooks, void> | null = null;
  /** Counts connections. */
  #epoch = 0;
  #fallback: OneShotFallback | null = null;
  readonly #closers: Deferred<void>[] = [];

  constructor(client: ClientParts, path: string, onEmpty: () => void) {
    this.#client = client;
    this.path = path;
    this.#onEmpty = onEmpty;
  }

  get size(): number {
    return this.#plain.size + this.#recursive.size;
  }

  get isRecursive(): boolean {
    return this.#recursive.size > 0;
  }

  /** Whether the server's watch, present or in the making, tells all that a one-shot watch of that kind would. */
  covers(kind: 'data' | 'child'): boolean {
    return (this.#asked & (kind === 'child' ? PLAIN : BOTH)) !== 0;
  }

  /** Whether a removal of one-shot watches of that kind could take a persistent one along, now or by the time that it is sent. */
  endangeredBy(kind: 'data' | 'child'): boolean {
    return ((this.#asked | this.#wanted()) & (kind === 'child' ? PLAIN : BOTH)) !== 0;
  }

  /** Whether children must be told of by what a recursive watch says of each: this server kept that one only, of the two modes. */
  infersChildren(zxid: bigint): boolean {
    return this.#held === BOTH && zxid <= 0n && !this.#keepsBoth;
  }

  add(watch: WatchHandle): void {
    (watch.recursive ? this.#recursive : this.#plain).add(watch);
    if ((this.#confirmed & bitOf(watch)) !== 0 || (!watch.recursive && this.#fallback?.isSet === true)) watch.arm();
    else this.settle();
  }

  /** Resolves when the server has what the others need, and no more. */
  remove(watch: WatchHandle): Promise<void> {
    (watch.recursive ? this.#recursive : this.#plain).delete(watch);
    if (this.#plain.size === 0) this.#endFallback();
    if (this.#wanted() === 0) this.#withdraw();
    this.settle();
    if (!this.#busy || this.#call?.onWire === false) return Promise.resolve();
    const closer = deferred<void>();
    this.#closers.push(closer);
    return closer.promise;
  }

  /** The server has told of a change of the znode itself. */
  onChange(type: Change, zxid: bigint): void {
    if (type === 'children' && this.#held === BOTH) this.#keepsBoth = true;
    if (this.#fallback === null) this.tellPlain(type, zxid);
  }

  tellPlain(type: Change, zxid: bigint): void {
    for (const watch of [...this.#plain]) watch.tell(type, this.path, zxid);
  }

  tellRecursive(type: Change, path: string, zxid: bigint): void {
    for (const watch of [...this.#recursive]) watch.tell(type, path, zxid);
  }

  /** The connection is gone, and with it what the server had. */
  detach(): void {
    this.#epoch += 1;
    this.#asked = 0;
    this.#confirmed = 0;
    this.#held = 0;
    this.#keepsBoth = false;
    for (const watch of this.#all()) watch.disarm();
    this.#fallback?.detach();
    if (this.#wanted() === 0) this.#withdraw();
    this.#release();
  }

  /** There is a new connection. Returns which watches have to be set again on it together with all others; `rearmed` follows. */
  attach(server: SocketTarget): { plain: boolean; recursive: boolean } {
    if (!this.#mayTry(server, false)) {
      if (!this.#mayTry(server, true)) this.#withdraw();
      this.#giveWay(server);
    } else this.#endFallback();
    const together = !this.#client.dispatcher.lore.lacks(server, OpCode.setWatches2);
    let bits = 0;
    for (const watch of this.#all()) if (watch.hasBeenArmed && together) bits |= bitOf(watch);
    bits &= this.#wanted();
    this.#asked = bits;
    this.#held = bits;
    this.#again = bits;
    return { plain: (bits & PLAIN) !== 0, recursive: (bits & RECURSIVE) !== 0 };
  }

  /** The server has all watches again; `refused`: but not this one, which is asked for by itself. */
  rearmed(refused: boolean): void {
    if (refused) {
      this.#asked &= ~this.#again;
      this.#held &= ~this.#again;
      void restoreOneShots(this.#client, this.path);
    }
    this.#confirmed |= this.#again & this.#asked;
    this.#armConfirmed();
    if (this.#fallback?.isSet === true) for (const watch of this.#plain) watch.arm();
    this.settle();
  }

  end(reason: ZooKeeperError, failure: ZooKeeperError | null = null): void {
    for (const watch of this.#all()) watch.end(reason, failure);
    this.#plain.clear();
    this.#recursive.clear();
    this.#endFallback();
    this.#withdraw();
    this.settle();
  }

  /** Takes the next step towards what is wanted, unless one is under way. */
  settle(): void {
    if (this.#busy) return;
    const server = this.#client.session.connection?.target;
    if (server !== undefined) this.#giveWay(server);
    const wanted = this.#wanted();
    if (wanted !== this.#asked && !this.#client.over.aborted) {
      this.#busy = true;
      void this.#advance(wanted).finally(() => {
        this.#busy = false;
        this.settle();
      });
      return;
    }
    this.#release();
    if (this.size === 0) this.#onEmpty();
  }

  #all(): WatchHandle[] {
    return [...this.#plain, ...this.#recursive];
  }

  /** What the server should have. */
  #wanted(): number {
    const plain = this.#plain.size > 0 && this.#fallback === null;
    return (plain ? PLAIN : 0) | (this.#recursive.size > 0 ? RECURSIVE : 0);
  }

  async #advance(wanted: number): Promise<void> {
    const missing = wanted & ~this.#asked;
    if (missing !== 0) await this.#ask(missing);
    else await this.#drop(this.#asked & ~wanted);
  }

  async #ask(bits: number): Promise<void> {
    const { lore } = this.#client.dispatcher;
    let server: SocketTarget | undefined;
    let epoch = -1;
    let restored: Promise<void> | null = null;
    const onWritten = (): void => {
      server = this.#client.session.connection?.target;
      epoch = this.#epoch;
      this.#asked |= bits;
      this.#held |= bits;
    };
    const onDone = (): void => {
      if (server !== undefined) lore.answered(server, OpCode.addWatch);
      // Before 3.9 a recursive watch takes the place of a one-shot watch of the children.
      if ((bits & RECURSIVE) !== 0) restored = restoreOneShots(this.#client, this.path);
    };
    const both = (this.#asked | bits) === BOTH && bits !== RECURSIVE && this.#mayAskForBoth();
    const error = await this.#run(both ? addBoth(this.path) : addWatch(this.path, bits === RECURSIVE), {
      onWritten,
      onDone,
    });
    await restored;
    const isPresent = epoch === this.#epoch;
    if (error === null) {
      if (isPresent) this.#confirmed |= bits;
      this.#armConfirmed();
      return;
    }
    if (isPresent) {
      this.#asked &= ~bits;
      this.#held &= ~bits;
      void restoreOneShots(this.#client, this.path);
    }
    await this.#onRefused(error, bits, server);
  }

  async #onRefused(error: ZooKeeperError, bits: number, server: SocketTarget | undefined): Promise<void> {
    const { lore } = this.#client.dispatcher;
    const isNew = (watch: WatchHandle): boolean => !watch.hasBeenArmed && (bitOf(watch) & bits) !== 0;
    switch (error.code) {
      // Of other makes, and from servers whose kind of watch manager has one-shot watches only.
      case 'API_ERROR':
      case 'MARSHALLING_ERROR':
      case 'UNIMPLEMENTED':
        if (server !== undefined) lore.denied(server, OpCode.addWatch);
        return;
      case 'CONNECTION_LOSS':
      case 'SESSION_EXPIRED': {
        const { endsWithConnection } = this.#client.session;
        if (server === undefined || (error.code === 'SESSION_EXPIRED' && !endsWithConnection)) return;
        const isUnknown = lore.unanswered(server, OpCode.addWatch, endsWithConnection ? DEATHS_WITH_SESSION : DEATHS);
        if (isUnknown) this.#giveWay(server);
        return;
      }
      case 'THROTTLED_OP':
        await pause(this.#client.settings, THROTTLE_PAUSE, this.#client.over);
        return;
      case 'BUSY':
        for (const watch of this.#all().filter(isNew)) this.#fail(watch, error);
        await pause(this.#client.settings, THROTTLE_PAUSE, this.#client.over);
        return;
      default:
        if (isPassing(error) || this.#client.over.aborted || error.code === 'CLOSED') return;
        for (const watch of this.#all()) if ((bitOf(watch) & bits) !== 0) this.#fail(watch, error);
    }
  }

  async #drop(bits: number): Promise<void> {
    let epoch = -1;
    let restored: Promise<void> | null = null;
    const onWritten = (): void => {
      epoch = this.#epoch;
      this.#asked &= ~bits;
      this.#confirmed &= ~bits;
    };
    const onDone = (): void => {
      this.#held &= ~bits;
      // Of several watches on the path the server may have dropped more than it should.
      restored = restoreOneShots(this.#client, this.path);
    };
    const all = this.#asked === bits;
    const which = all ? 'any' : bits === PLAIN ? 'persistent' : 'persistentRecursive';
    const error = await this.#run(dropWatches(this.path, which), { onWritten, onDone });
    await restored;
    if (epoch !== this.#epoch || error === null) return;
    if (error.code === 'THROTTLED_OP' || error.code === 'BUSY') {
      await pause(this.#client.settings, THROTTLE_PAUSE, this.#client.over);
      if (epoch === this.#epoch) {
        this.#asked |= bits;
        this.#confirmed |= bits;
      }
      return;
    }
    // A server before 3.9 doesn't know these types. It has the recursive mode alone; the plain one takes its place.
    if (error.code === 'MARSHALLING_ERROR' && which === 'persistentRecursive') {
      await this.#run(addWatch(this.path, false), { onWritten: () => {}, onDone: () => {} });
    }
    if (epoch === this.#epoch) this.#held &= ~bits;
    await restoreOneShots(this.#client, this.path);
  }

  /** What it ended with; null when it was done. */
  async #run(step: Step, hooks: StepHooks): Promise<ZooKeeperError | null> {
    try {
      this.#call = this.#client.dispatcher.start(step, hooks, this.path);
      await this.#call.promise;
      return null;
    } catch (error) {
      return error as ZooKeeperError;
    } finally {
      this.#call = null;
    }
  }

  #mayAskForBoth(): boolean {
    const server = this.#client.session.connection?.target;
    return server === undefined || !this.#client.dispatcher.lore.lacks(server, OpCode.setWatches2);
  }

  #armConfirmed(): void {
    for (const watch of this.#all()) if ((this.#confirmed & bitOf(watch)) !== 0) watch.arm();
  }

  /** Whether addWatch may be sent to a server. Where an unknown request costs the session, only what can't be had otherwise is worth the risk. */
  #mayTry(server: SocketTarget, recursive: boolean): boolean {
    const { lore } = this.#client.dispatcher;
    if (lore.lacks(server, OpCode.addWatch)) return false;
    return recursive || !this.#client.session.endsWithConnection || lore.knows(server, OpCode.addWatch);
  }

  /** On a server without addWatch plain watches are made of one-shot ones, and recursive ones can't be. */
  #giveWay(server: SocketTarget): void {
    if (!this.#mayTry(server, true)) {
      for (const watch of this.#recursive) {
        this.#fail(
          watch,
          zooKeeperError('UNIMPLEMENTED', {
            operation: 'watch',
            path: watch.path,
            message: 'this server offers no recursive watches',
          }),
        );
      }
    }
    if (this.#mayTry(server, false) || this.#plain.size === 0 || this.#fallback !== null || this.#asked !== 0) return;
    const fallback = new OneShotFallback(this.#client, this.path, {
      tell: (type, zxid) => this.tellPlain(type, zxid),
      onSet: () => {
        for (const watch of this.#plain) watch.arm();
      },
      onFailure: (error) => {
        for (const watch of [...this.#plain]) this.#fail(watch, error);
      },
    });
    this.#fallback = fallback;
    fallback.start();
  }

  #fail(watch: WatchHandle, error: ZooKeeperError): void {
    watch.end(error, error);
    void this.remove(watch);
  }

  #endFallback(): void {
    this.#fallback?.stop();
    this.#fallback = null;
  }

  /** A step that has not been written is not taken. */
  #withdraw(): void {
    this.#call?.withdraw(zooKeeperError('CONNECTION_LOSS'));
  }

  #release(): void {
    for (const closer of this.#closers.splice(0)) closer.resolve();
  }
}

function bitOf({ recursive }: WatchHandle): number {
  return recursive ? RECURSIVE : PLAIN;
}
