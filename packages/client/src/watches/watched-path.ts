import { OpCode, type SocketTarget, type ZooKeeperError, zooKeeperError } from '@zookit/protocol';
import type { ClientParts } from '../client-parts.ts';
import { type Deferred, deferred } from '../deferred.ts';
import { isPassing } from '../persevere.ts';
import { pause } from '../session/attempt.ts';
import type { Change } from './event.ts';
import { type FallbackHooks, OneShotFallback } from './one-shot-fallback.ts';
import { PLAIN, RECURSIVE, ServerWatch, type ServerWatchHooks, UNKNOWN } from './server-watch.ts';
import type { WatchHandle } from './watch.ts';

/** Connections that may end over an unanswered addWatch before the server is taken not to know it; fewer where each costs the session. */
const DEATHS = 3;
const DEATHS_WITH_SESSION = 2;
/** Before something is tried again that may pass, in ms. */
const PAUSE = 200;

/** All persistent watches of this client on one path, and what they share: the server's watch, or one-shot watches in its place. */
export class WatchedPath implements ServerWatchHooks, FallbackHooks {
  readonly path: string;
  readonly #client: ClientParts;
  readonly #onEmpty: () => void;
  readonly #plain: WatchHandle[] = [];
  readonly #recursive: WatchHandle[] = [];
  readonly #server: ServerWatch;
  /** In place of what the server should have for the plain ones. */
  #fallback: OneShotFallback | null = null;
  /** What is being set again on a new connection. */
  #again = 0;
  readonly #closers: Deferred<void>[] = [];

  constructor(client: ClientParts, path: string, onEmpty: () => void) {
    this.#client = client;
    this.path = path;
    this.#onEmpty = onEmpty;
    this.#server = new ServerWatch(client, path, this);
  }

  /** Whether the server's watch, present or in the making, tells all that a one-shot watch of that kind would. */
  covers(kind: 'data' | 'child'): boolean {
    return (this.#server.asked & kindsFor(kind)) !== 0;
  }

  /** Whether a removal of one-shot watches of that kind could take a persistent one along, now or by the time that it is sent. */
  endangeredBy(kind: 'data' | 'child'): boolean {
    return ((this.#server.asked | this.#wanted()) & kindsFor(kind)) !== 0;
  }

  infersChildren(zxid: bigint): boolean {
    return this.#server.infersChildren(zxid);
  }

  add(watch: WatchHandle): void {
    this.#of(watch).push(watch);
    this.onConfirmed();
    this.#server.settle();
  }

  /** Resolves when the server has what the others need, and no more. */
  remove(watch: WatchHandle): Promise<void> {
    const mates = this.#of(watch);
    const index = mates.indexOf(watch);
    if (index >= 0) mates.splice(index, 1);
    if (this.#plain.length === 0) this.#endFallback();
    if (this.#wanted() === 0) this.#server.withdraw();
    this.#server.settle();
    if (!this.#server.isBusy) return Promise.resolve();
    const closer = deferred<void>();
    this.#closers.push(closer);
    return closer.promise;
  }

  /** The server has told of a change of the znode itself. */
  onChange(type: Change, zxid: bigint): void {
    if (type === 'children') this.#server.onChildren();
    if (this.#fallback === null) this.tell(type, zxid);
  }

  /** Tells the plain ones, of a change of the znode itself. */
  tell(type: Change, zxid: bigint): void {
    for (const watch of [...this.#plain]) watch.tell(type, this.path, zxid);
  }

  tellRecursive(type: Change, path: string, zxid: bigint): void {
    for (const watch of [...this.#recursive]) watch.tell(type, path, zxid);
  }

  /** The connection is gone, and with it what the server had. */
  detach(): void {
    this.#server.detach();
    this.#fallback?.detach();
    for (const watch of this.#all()) watch.disarm();
    if (this.#wanted() === 0) this.#server.withdraw();
    this.#release();
  }

  /** There is a new connection. Returns which watches have to be set again on it together with all others; `rearmed` follows. */
  attach(server: SocketTarget): { plain: boolean; recursive: boolean } {
    if (this.#mayTry(server, false)) this.#endFallback();
    else this.#server.withdraw();
    this.#giveWay(server);
    this.#again = 0;
    if (!this.#client.dispatcher.lore.lacks(server, OpCode.setWatches2)) {
      for (const watch of this.#all()) if (watch.hasBeenArmed) this.#again |= bitOf(watch);
      this.#again &= this.#wanted();
    }
    this.#server.setTogether(this.#again);
    return { plain: (this.#again & PLAIN) !== 0, recursive: (this.#again & RECURSIVE) !== 0 };
  }

  /** The server has all watches again; `refused`: but not this one. */
  rearmed(refused: boolean): void {
    this.#fallback?.rearmed();
    this.#server.rearmed(this.#again, refused);
    this.#server.settle();
  }

  /** Every watch here is over. */
  end(reason: ZooKeeperError): void {
    for (const watch of this.#all()) watch.end(reason);
    this.#plain.length = 0;
    this.#recursive.length = 0;
    this.#endFallback();
    this.#server.withdraw();
    this.#server.settle();
  }

  // --- what the server's watch asks and tells

  wanted(): number {
    const { connection } = this.#client.session;
    if (connection !== null) this.#giveWay(connection.target);
    return this.#wanted();
  }

  onConfirmed(): void {
    for (const watch of this.#all()) {
      const isMade = !watch.recursive && this.#fallback?.isSet === true;
      if (isMade || (this.#server.confirmed & bitOf(watch)) !== 0) watch.arm();
    }
  }

  async onRefused(error: ZooKeeperError, bits: number, server: SocketTarget | null): Promise<void> {
    const { dispatcher, session, settings, over } = this.#client;
    if (server !== null && UNKNOWN.has(error.code)) {
      dispatcher.lore.denied(server, OpCode.addWatch);
      return;
    }
    if (error.code === 'CONNECTION_LOSS' || error.code === 'SESSION_EXPIRED') {
      const { endsWithConnection } = session;
      if (server === null || (error.code === 'SESSION_EXPIRED' && !endsWithConnection)) return;
      const isUnknown = dispatcher.lore.unanswered(
        server,
        OpCode.addWatch,
        endsWithConnection ? DEATHS_WITH_SESSION : DEATHS,
      );
      if (isUnknown) this.#giveWay(server);
      return;
    }
    if (over.aborted) return;
    const passes = isPassing(error);
    // Too many calls wait already: that concerns those who ask, and not what is there.
    if (!passes || error.code === 'BUSY') {
      for (const watch of this.#all()) {
        if ((bitOf(watch) & bits) !== 0 && !(passes && watch.hasBeenArmed)) this.#fail(watch, error);
      }
    }
    if (passes) await pause(settings, PAUSE, over);
  }

  onIdle(): void {
    this.#release();
    if (this.#plain.length + this.#recursive.length === 0) this.#onEmpty();
  }

  // --- what the one-shot watches in its place tell

  onSet(): void {
    this.onConfirmed();
  }

  onFailure(error: ZooKeeperError): void {
    for (const watch of [...this.#plain]) this.#fail(watch, error);
  }

  // ---

  #of({ recursive }: WatchHandle): WatchHandle[] {
    return recursive ? this.#recursive : this.#plain;
  }

  #all(): WatchHandle[] {
    return [...this.#plain, ...this.#recursive];
  }

  #wanted(): number {
    const plain = this.#plain.length > 0 && this.#fallback === null;
    return (plain ? PLAIN : 0) | (this.#recursive.length > 0 ? RECURSIVE : 0);
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
      const unimplemented = zooKeeperError('UNIMPLEMENTED', { message: 'this server offers no recursive watches' });
      for (const watch of [...this.#recursive]) this.#fail(watch, unimplemented);
    }
    const isNative = this.#mayTry(server, false) || (this.#server.asked & PLAIN) !== 0;
    if (isNative || this.#plain.length === 0 || this.#fallback !== null) return;
    this.#fallback = new OneShotFallback(this.#client, this.path, this);
    this.#fallback.start();
  }

  #fail(watch: WatchHandle, cause: ZooKeeperError): void {
    const error = zooKeeperError(cause.code, { operation: 'watch', path: watch.path, message: cause.reason, cause });
    watch.end(error, error);
    void this.remove(watch);
  }

  #endFallback(): void {
    this.#fallback?.stop();
    this.#fallback = null;
  }

  #release(): void {
    for (const closer of this.#closers.splice(0)) closer.resolve();
  }
}

function bitOf({ recursive }: WatchHandle): number {
  return recursive ? RECURSIVE : PLAIN;
}

/** Which watches tell what a one-shot watch would: a recursive one says nothing of children. */
function kindsFor(kind: 'data' | 'child'): number {
  return kind === 'child' ? PLAIN : PLAIN | RECURSIVE;
}
