import { type Connection, ErrorCode, type Request, type ZooKeeperError, zooKeeperError } from '@zookit/protocol';
import { abortController, onAbort } from '../abort.ts';
import { type Deferred, deferred } from '../deferred.ts';
import type { Operation } from '../operations/operation.ts';
import { removeWatches } from '../operations/remove-watches.ts';
import { type CallOptions, checkCallOptions, type Settings } from '../options.ts';
import { repeat } from '../retry.ts';
import { pause } from '../session/attempt.ts';
import type { WatchKind } from '../watches/event.ts';
import type { Watcher, WatchRegistry } from '../watches/registry.ts';
import { Call, type CallOwner, type QueuedCall, type WatchIntent } from './call.ts';
import { OpcodeLore } from './opcode-lore.ts';
import { CallQueue } from './queue.ts';

/** What the dispatcher tells the session. */
export interface DispatcherHooks {
  /** Before anything is sent or settled: is the lease still good? */
  wake(): void;
  /** A reply said that the session is over. */
  sessionOver(error: ZooKeeperError): void;
  /** A reply said that the credentials won't do. */
  authRefused(error: ZooKeeperError): void;
  /** Whether taking one-shot watches of that kind back on the server would harm a persistent watch. */
  mustStay(kind: 'data' | 'child', path: string): boolean;
  /** A one-shot watch is set that the server was not asked for, because a persistent watch served it when the read was sent. */
  onLeftToOthers(kind: WatchKind, path: string): void;
}

/** Causes that a call reports by their own name; all others are a lost connection to it. */
const FINAL: ReadonlySet<string> = new Set(['SESSION_EXPIRED', 'CLOSED', 'AUTH_FAILED', 'THROTTLED_OP']);

/** How long a server that is overloaded is left alone with the removal of a watch, in ms. */
const THROTTLE_PAUSE = 200;

/** Brings calls to whatever connection there is, in order, and decides what becomes of them when it breaks. */
export class Dispatcher implements CallOwner {
  readonly #settings: Settings;
  readonly #watches: WatchRegistry;
  readonly #hooks: DispatcherHooks;
  readonly #queue = new CallQueue();
  /** Calls that are being made again, and how the present attempt ends. */
  readonly #attempts = new Map<QueuedCall, Deferred<void>>();
  readonly lore: OpcodeLore = new OpcodeLore();
  #connection: Connection | null = null;
  #order = 0;
  /** Why calls can't be made any more. */
  #end: ZooKeeperError | null = null;
  readonly #over = abortController();

  constructor(settings: Settings, watches: WatchRegistry, hooks: DispatcherHooks) {
    this.#settings = settings;
    this.#watches = watches;
    this.#hooks = hooks;
    // Waits come and go by the thousand; the one listener that they share stays.
    onAbort(this.#over.signal, () => {});
  }

  /** The place that the next call will have in the order of calls. */
  get nextOrder(): number {
    return this.#order;
  }

  /** Aborts when no call can be made any more. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  get queued(): number {
    return this.#queue.length;
  }

  get inFlight(): number {
    return this.#connection?.inFlight ?? 0;
  }

  /** Makes a call. `path` is the caller's, for messages. Rejects; never throws. */
  call<Args, Result>(
    operation: Operation<Args, Result>,
    args: Args,
    path: string | undefined,
    options: CallOptions,
    watch: WatchIntent | null = null,
  ): Promise<Result> {
    let given: CallOptions;
    try {
      given = checkCallOptions(options, operation.name);
      given.signal?.throwIfAborted();
      this.#hooks.wake();
      this.admit(operation.name, path, operation.repeatable);
    } catch (error) {
      watch?.expected();
      return Promise.reject(error);
    }
    return this.#start(operation, args, path, given, watch).promise;
  }

  /** As `call`, but hands out the call, so that it can be withdrawn while it isn't on the wire. Throws what `call` rejects with at once. */
  start<Args, Result>(operation: Operation<Args, Result>, args: Args, path: string | undefined): Call<Args, Result> {
    this.#hooks.wake();
    this.admit(operation.name, path, operation.repeatable);
    return this.#start(operation, args, path, {}, null);
  }

  #start<Args, Result>(
    operation: Operation<Args, Result>,
    args: Args,
    path: string | undefined,
    options: CallOptions,
    watch: WatchIntent | null,
  ): Call<Args, Result> {
    const call = new Call(this, this.#order, operation, args, path, options, watch);
    this.#order += 1;
    this.#queue.add(call);
    this.#pump();
    return call;
  }

  /** Whether the present server has said not to know the opcode. */
  lacks(opcode: number): boolean {
    const server = this.#connection?.target;
    return server !== undefined && this.lore.lacks(server, opcode);
  }

  /** Calls go out on this connection from now on. */
  attach(connection: Connection): void {
    this.#connection = connection;
    this.#pump();
  }

  /** Calls wait from now on. */
  detach(): void {
    this.#connection = null;
  }

  /** No call can be made from now on; those that were made are told by `endSession` or `stop`. */
  refuse(error: ZooKeeperError): void {
    this.detach();
    this.#end = error;
  }

  /** More can be written. */
  onDrain(): void {
    this.#pump();
  }

  /** The session is over. Its writes fail; reads, and calls made since `before`, wait for the next one if there will be one. */
  endSession(error: ZooKeeperError, before: number): void {
    const renewed = this.#end === null;
    const concerns = (call: QueuedCall): boolean => !renewed || (call.order < before && !call.operation.repeatable);
    // Those that wait to be made again are not in the queue. Those on the wire hear of it from the connection.
    for (const call of [...this.#queue.takeWhere(concerns), ...this.#attempts.keys()]) {
      if (concerns(call) && !call.onWire) this.#conclude(call, 'SESSION_EXPIRED', error, false);
    }
    if (!renewed) this.#over.abort(error);
  }

  /** The client is over: what waits fails, what is on the wire may still be answered. */
  stop(error: ZooKeeperError): void {
    for (const call of this.#queue.takeWhere(() => true)) this.#conclude(call, this.#endCode(error), error, false);
    this.#over.abort(error);
  }

  // --- what calls ask

  now(): number {
    return this.#settings.environment.clock.now();
  }

  setTimeout(callback: () => void, ms: number): () => void {
    if (ms === Number.POSITIVE_INFINITY) return () => {};
    const { clock } = this.#settings.environment;
    const timer = clock.setTimeout(() => {
      this.#hooks.wake();
      callback();
    }, ms);
    if (this.#settings.unref) timer.unref?.();
    return () => clock.clearTimeout(timer);
  }

  onWithdrawn(call: QueuedCall): void {
    this.#queue.remove(call);
    this.#attempts.get(call)?.resolve();
  }

  onSlotFree(call: QueuedCall): void {
    if (call.settled && this.#attempts.size > 0) this.#attempts.get(call)?.resolve();
    this.#pump();
  }

  /** A reply may say more than that its request has failed: that the session is over, or the credentials won't do. True when it did. */
  heed(error: ZooKeeperError): boolean {
    switch (error.errno) {
      case ErrorCode.SESSION_EXPIRED:
        this.#hooks.sessionOver(error);
        return true;
      case ErrorCode.AUTH_FAILED:
      case ErrorCode.SESSION_CLOSED_REQUIRE_SASL_AUTH:
        this.#hooks.authRefused(
          zooKeeperError('AUTH_FAILED', {
            message: 'the server wants other credentials than it was given',
            cause: error,
          }),
        );
        return true;
      default:
        return false;
    }
  }

  onError(call: QueuedCall, error: ZooKeeperError): boolean {
    switch (error.errno) {
      case ErrorCode.THROTTLED_OP:
        return call.operation.mayWait !== false && this.#again(call, error);
      case ErrorCode.UNIMPLEMENTED:
        this.#remember(call.operation.opcode);
        return false;
      case ErrorCode.SESSION_EXPIRED:
      case ErrorCode.AUTH_FAILED:
      case ErrorCode.SESSION_CLOSED_REQUIRE_SASL_AUTH:
        // A write that this answers was not applied.
        call.reject(error);
        return this.heed(error);
      default:
        return false;
    }
  }

  onLoss(call: QueuedCall, cause: ZooKeeperError, wasSent: boolean): void {
    if (cause.code === 'RESPONSE_TOO_LARGE') {
      call.fail('RESPONSE_TOO_LARGE', cause, true);
      return;
    }
    const code = FINAL.has(cause.code) ? cause.code : 'CONNECTION_LOSS';
    const again = call.operation.repeatable && this.#end === null;
    if (!(again && this.#again(call, cause))) this.#conclude(call, code, cause, wasSent);
  }

  addWatch(kind: WatchKind, path: string, watcher: Watcher, onServer: boolean): void {
    this.#watches.add(kind, path, watcher);
    if (!onServer) this.#hooks.onLeftToOthers(kind, path);
  }

  onStrayWatch(kind: WatchKind, path: string): void {
    this.unwatch(kind, path);
  }

  /** Takes the server's watch back once nothing here relies on it. */
  unwatch(kind: WatchKind, path: string): void {
    if (this.#connection === null || this.#watches.needs(kind, path) || this.lacks(removeWatches.opcode)) return;
    const flavour = kind === 'child' ? 'child' : 'data';
    if (this.#hooks.mustStay(flavour, path)) return;
    this.call(removeWatches, { path, kind: flavour }, path, {}).catch((error: ZooKeeperError) => {
      // It may have fired meanwhile (NO_WATCHER), or the connection may have broken, which takes the watch with it.
      if (error.code !== 'THROTTLED_OP') return;
      void pause(this.#settings, THROTTLE_PAUSE, this.over).then(() => this.unwatch(kind, path));
    });
  }

  // ---

  /** Throws when no call can be made: the client is over, or too many wait. */
  admit(operation: string, path: string | undefined, isRead = true): void {
    const about = { operation, path };
    const error = this.#end;
    if (error !== null) {
      throw zooKeeperError(this.#endCode(error), {
        ...about,
        message: error.reason,
        cause: error,
        maybeApplied: isRead ? undefined : false,
      });
    }
    if (this.#queue.length >= this.#settings.maxQueued && this.#mustWait()) {
      throw zooKeeperError('BUSY', {
        ...about,
        message: `${this.#queue.length} calls wait already (maxQueued)`,
        maybeApplied: false,
      });
    }
  }

  /** How calls report the end of the client: a connectTimeout, for one, has closed it. */
  #endCode({ code }: ZooKeeperError): string {
    return code === 'AUTH_FAILED' || code === 'SESSION_EXPIRED' ? code : 'CLOSED';
  }

  #mustWait(): boolean {
    const connection = this.#connection;
    return (
      connection === null ||
      connection.closed ||
      connection.inFlight >= this.#settings.maxInFlight ||
      connection.congested
    );
  }

  #pump(): void {
    while (this.#queue.length > 0 && !this.#mustWait()) {
      const call = this.#queue.shift() as QueuedCall;
      try {
        (this.#connection as Connection).send(call as Request);
      } catch (error) {
        this.#refused(call, error as ZooKeeperError);
      }
    }
  }

  /** The call could not be written. */
  #refused(call: QueuedCall, error: ZooKeeperError): void {
    const code = error.code === 'REQUEST_TOO_LARGE' ? error.code : 'BAD_ARGUMENTS';
    call.fail(code, error, false);
    this.#attempts.get(call)?.resolve();
  }

  #remember(opcode: number): void {
    const server = this.#connection?.target;
    if (server !== undefined) this.lore.denied(server, opcode);
  }

  /** Ends a call for good, unless p-retry has the say over it. */
  #conclude(call: QueuedCall, code: string, cause: ZooKeeperError, maybeApplied: boolean): void {
    call.fail(code, cause, maybeApplied);
    this.#attempts.get(call)?.resolve();
  }

  /** Sends a call again, as `retry` allows. */
  #again(call: QueuedCall, cause: ZooKeeperError): boolean {
    const { retry } = this.#settings;
    const running = this.#attempts.get(call);
    if (running !== undefined) {
      running.reject(cause);
      return true;
    }
    if (retry === null || retry.retries === 0) return false;
    const attempt = (): Promise<void> => {
      const present = deferred<void>();
      this.#attempts.set(call, present);
      if (call.settled) present.resolve();
      else {
        this.#queue.add(call);
        this.#pump();
      }
      return present.promise;
    };
    repeat(attempt, retry, () => !call.settled, this.#over.signal, this.#settings.unref)
      .catch((error: ZooKeeperError) => {
        const code =
          (this.#end === null ? null : this.#endCode(this.#end)) ??
          (FINAL.has(error.code) ? error.code : 'CONNECTION_LOSS');
        // A write is only made again when the server has said that it did not execute it.
        call.fail(code, error, false);
      })
      .finally(() => this.#attempts.delete(call));
    return true;
  }
}
