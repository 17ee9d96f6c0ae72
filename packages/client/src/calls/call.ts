import { ErrorCode, errorFromReply, type Request, type ZooKeeperError, zooKeeperError } from '@zookit/protocol';
import type { JuteReader, JuteWriter } from 'jute-ts';
import { onAbort } from '../abort.ts';
import { requestChannel } from '../diagnostics.ts';
import type { Operation } from '../operations/operation.ts';
import type { CallOptions } from '../options.ts';
import type { WatchKind } from '../watches/event.ts';
import type { Watcher } from '../watches/registry.ts';

/** A call as the queue sees it. */
export interface QueuedCall extends Request {
  readonly operation: Pick<Operation<never, unknown>, 'name' | 'opcode' | 'repeatable' | 'mayWait'>;
  /** Its place in the order of calls. */
  readonly order: number;
  /** Neighbours in the queue; both null outside it. */
  before: QueuedCall | null;
  after: QueuedCall | null;
  /** Whether the caller has its answer already, be it an abort. */
  readonly settled: boolean;
  /** Whether a reply may come: it has been written, and the connection has not failed it. */
  readonly onWire: boolean;
  /** Ends the call with an error of its own path and operation. */
  fail(code: string, cause: ZooKeeperError, maybeApplied: boolean): void;
  /** Ends the call with the error as it is. */
  reject(error: unknown): void;
}

/** What a call asks of the dispatcher that carries it. */
export interface CallOwner {
  now(): number;
  setTimeout(callback: () => void, ms: number): () => void;
  /** The caller gave up before the call was sent. */
  onWithdrawn(call: QueuedCall): void;
  /** A reply with an error has come; true when the dispatcher will deal with it. */
  onError(call: QueuedCall, error: ZooKeeperError): boolean;
  /** The connection broke under it. */
  onLoss(call: QueuedCall, cause: ZooKeeperError, wasSent: boolean): void;
  /** The call is off the wire. */
  onSlotFree(call: QueuedCall): void;
  /** A read has been answered that sets a watch; `onServer`: the server was asked for it. */
  addWatch(kind: WatchKind, path: string, watcher: Watcher, onServer: boolean): void;
  /** The server has set a watch that nobody here wants any more. */
  onStrayWatch(kind: WatchKind, path: string): void;
}

/** A watch that a read sets. */
export interface WatchIntent {
  path: string;
  watcher: Watcher;
  /** Takes back the note that a watch is on its way. */
  expected: () => void;
  /** Whether the server was asked for it. */
  onServer: boolean;
}

/** One call of a user, from the moment it is made until it is settled and off the wire. */
export class Call<Args, Result> implements QueuedCall {
  readonly operation: Operation<Args, Result>;
  readonly order: number;
  readonly promise: Promise<Result>;
  xid = 0;
  sentAt = 0;
  before: QueuedCall | null = null;
  after: QueuedCall | null = null;
  settled = false;

  readonly #args: Args;
  readonly #path: string | undefined;
  readonly #owner: CallOwner;
  readonly #watch: WatchIntent | null;
  #resolve!: (result: Result) => void;
  #reject!: (error: unknown) => void;
  #onWire = false;
  /** 0 when nobody wants to know how long it takes. */
  #madeAt = 0;
  #offAbort: (() => void) | null = null;
  #offTimeout: (() => void) | null = null;

  constructor(
    owner: CallOwner,
    order: number,
    operation: Operation<Args, Result>,
    args: Args,
    path: string | undefined,
    { signal, timeout }: CallOptions,
    watch: WatchIntent | null,
  ) {
    this.operation = operation;
    this.order = order;
    this.#owner = owner;
    this.#args = args;
    this.#path = path;
    this.#watch = watch;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (requestChannel.hasSubscribers) this.#madeAt = owner.now();
    if (signal !== undefined) this.#offAbort = onAbort(signal, () => this.#abandon(signal.reason));
    if (timeout !== undefined) {
      this.#offTimeout = owner.setTimeout(() => {
        const doubt = operation.repeatable ? undefined : this.#onWire;
        this.#abandon(
          zooKeeperError('TIMEOUT', {
            path,
            operation: operation.name,
            maybeApplied: doubt,
            message: `no answer within ${timeout} ms`,
          }),
        );
      }, timeout);
    }
  }

  get onWire(): boolean {
    return this.#onWire;
  }

  get opcode(): number {
    return this.operation.opcode;
  }

  write(writer: JuteWriter): void {
    this.operation.write(writer, this.#args);
    this.#onWire = true;
  }

  onReply(errno: number, reader: JuteReader): void {
    const { absentIsNull, watches } = this.operation;
    const absent = errno === ErrorCode.NO_NODE && absentIsNull === true;
    if (errno === 0 || absent) {
      const result = errno === 0 ? this.operation.read(reader, this.#args) : (null as Result);
      this.#onWire = false;
      if (this.#watch !== null && watches !== undefined) this.#watchIsSet(this.#watch, absent ? 'exist' : watches);
      if (this.#finish('OK')) this.#resolve(result);
    } else {
      this.#onWire = false;
      const error = errorFromReply(errno, { path: this.#path, operation: this.operation.name });
      if (this.settled) this.#watch?.expected();
      else if (!this.#owner.onError(this, error)) this.reject(error);
    }
    this.#owner.onSlotFree(this);
  }

  onFailure(cause: ZooKeeperError, wasSent: boolean): void {
    this.#onWire = false;
    if (!this.settled) this.#owner.onLoss(this, cause, wasSent);
    else this.#watch?.expected();
    this.#owner.onSlotFree(this);
  }

  fail(code: string, cause: ZooKeeperError, maybeApplied: boolean): void {
    if (this.settled) return;
    this.reject(
      zooKeeperError(code, {
        path: this.#path,
        operation: this.operation.name,
        maybeApplied: this.operation.repeatable ? undefined : maybeApplied,
        message: cause.reason,
        cause,
      }),
    );
  }

  reject(error: unknown): void {
    if (this.#finish(codeOf(error))) this.#reject(error);
  }

  /** The caller has had enough. On the wire, the reply is awaited all the same: it keeps the order of the others. */
  #abandon(reason: unknown): void {
    const onWire = this.#onWire;
    if (!this.#finish(codeOf(reason), onWire)) return;
    this.#reject(reason);
    if (!onWire) this.#owner.onWithdrawn(this);
  }

  /** Takes the call back; false when it is on the wire, or settled, and can't be taken back any more. */
  withdraw(reason: unknown): boolean {
    if (this.#onWire || this.settled) return false;
    this.#abandon(reason);
    return true;
  }

  /** Marks the call as settled; false when it was already. A watch may still be on its way for one that is on the wire. */
  #finish(code: string, watchMayCome = false): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.#offAbort?.();
    this.#offTimeout?.();
    if (this.#madeAt !== 0) this.#publish(code);
    if (!watchMayCome) this.#watch?.expected();
    return true;
  }

  #publish(code: string): void {
    requestChannel.publish({
      operation: this.operation.name,
      path: this.#path,
      code,
      ms: this.#owner.now() - this.#madeAt,
    });
  }

  #watchIsSet({ path, watcher, expected, onServer }: WatchIntent, kind: WatchKind): void {
    if (!this.settled && !watcher.cancelled) {
      this.#owner.addWatch(kind, path, watcher, onServer);
      return;
    }
    expected();
    this.#owner.onStrayWatch(kind, path);
  }
}

function codeOf(reason: unknown): string {
  const code = (reason as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'ABORTED';
}
