import { JuteReader } from 'jute-ts';
import { type AfterMicrotasks, afterMicrotasks } from './after-microtasks.ts';
import type { ConnectionHandlers, ConnectionOptions } from './connection-options.ts';
import type { SocketTarget } from './environment.ts';
import { ErrorCode, type ZooKeeperError, zooKeeperError } from './errors.ts';
import type { FrameDecoder } from './framing.ts';
import type { Request, Unanswered } from './in-flight.ts';
import { Xid } from './opcodes.ts';
import { readWatcherEvent } from './records.ts';
import type { Greeted } from './shake-hands.ts';
import { describeTarget, reasonOf } from './transport.ts';

export interface IncomingHooks {
  /** What the server says can't be read, or answers nothing; `first` is to be called before the other requests fail. */
  onBroken(cause: ZooKeeperError, first?: () => void): void;
  /** The server doesn't know a request, and is about to hang up. */
  onHangUp(): void;
}

/**
 * What a server says: frames are read one by one, and replies matched in order.
 *
 * An event is seen only when the continuations of the replies before it have run: until then, dispatch stands still.
 */
export class Incoming {
  /** As the connection's. */
  answeredSentAt: number;
  hasReplied = false;
  readonly #target: SocketTarget;
  readonly #handlers: ConnectionHandlers;
  readonly #hooks: IncomingHooks;
  readonly #endOfTick: AfterMicrotasks;
  readonly #unanswered: Unanswered;
  readonly #decoder: FrameDecoder;
  readonly #reader: JuteReader = new JuteReader();
  #zxidHigh = 0;
  #zxidLow = 0;
  /** Chunks that arrived while dispatch stood still; null when it doesn't. It does until the first `resume()`. */
  #held: Buffer[] | null = [];
  /** A reply has been handed out, and its continuations may not have run. */
  #replied = false;
  #stopped = false;

  /** `endOfTick` is to call `onEndOfTick`. */
  constructor(
    options: ConnectionOptions,
    greeted: Greeted,
    unanswered: Unanswered,
    endOfTick: AfterMicrotasks,
    hooks: IncomingHooks,
  ) {
    this.answeredSentAt = greeted.sentAt;
    this.#target = options.target;
    this.#handlers = options.handlers;
    this.#hooks = hooks;
    this.#unanswered = unanswered;
    this.#endOfTick = endOfTick;
    this.#decoder = greeted.decoder;
  }

  get lastZxid(): bigint {
    return (BigInt(this.#zxidHigh) << 32n) | BigInt(this.#zxidLow);
  }

  /** Takes the next chunk of the socket. */
  push(chunk: Buffer): void {
    if (this.#held !== null) {
      this.#held.push(chunk);
      return;
    }
    this.#decoder.push(chunk);
    this.#dispatch();
  }

  /** Takes up what has been held back, once the microtasks have run. */
  resume(): void {
    const held = this.#held;
    if (this.#stopped || held === null) return;
    this.#held = null;
    // What was left of the chunk in which dispatch stood still comes first.
    this.#dispatch();
    for (const [index, chunk] of held.entries()) {
      if (this.#standsStill()) {
        this.#held = held.slice(index);
        return;
      }
      this.#decoder.push(chunk);
      this.#dispatch();
    }
  }

  onEndOfTick(): void {
    this.#replied = false;
  }

  /** Nothing is delivered any more. */
  stop(): void {
    this.#stopped = true;
    this.#held = null;
  }

  #standsStill(): boolean {
    return this.#held !== null;
  }

  /** Handles frames until there are no more, or until microtasks must run before the next one may be seen. */
  #dispatch(): void {
    try {
      for (;;) {
        if (this.#stopped) return;
        const decoded = this.#decoder.next();
        if (decoded === 'more') break;
        this.#reader.reset(this.#decoder.buffer, this.#decoder.start, this.#decoder.end);
        if (decoded === 'oversized') this.#onOversized();
        else if (!this.#onFrame()) return;
      }
      this.#handlers.onInputRead();
    } catch (cause) {
      this.#hooks.onBroken(
        zooKeeperError('CONNECTION_LOSS', {
          message: `unreadable answer from ${describeTarget(this.#target)}: ${reasonOf(cause)}`,
          cause,
        }),
      );
    }
  }

  /** False when dispatch has to stand still. */
  #onFrame(): boolean {
    const reader = this.#reader;
    const xid = reader.readInt('ReplyHeader.xid');
    if (xid === Xid.notification) {
      if (this.#replied) {
        this.#standStill(this.#decoder.buffer.subarray(this.#decoder.start, this.#decoder.end));
        return false;
      }
      this.#onNotification();
      return true;
    }
    const high = reader.readInt('ReplyHeader.zxid');
    const low = reader.readInt('ReplyHeader.zxid') >>> 0;
    const errno = reader.readInt('ReplyHeader.err');
    if (xid === Xid.ping) {
      this.#answered(this.#unanswered.pings.shift() ?? 0);
      return true;
    }
    if (xid === Xid.auth) {
      this.#answer(this.#unanswered.auths.shift(), xid, errno);
      return true;
    }
    if (this.#unanswered.requests.first()?.xid !== xid) throw this.#outOfOrder(xid);
    if (high > 0 || (high === 0 && low > 0)) {
      this.#zxidHigh = high;
      this.#zxidLow = low;
    }
    this.hasReplied = true;
    // Servers that don't know an opcode say so under zxid -1, and hang up.
    if (errno === ErrorCode.UNIMPLEMENTED && high === -1) this.#hooks.onHangUp();
    this.#answer(this.#unanswered.requests.shift(), xid, errno);
    return true;
  }

  #answer(request: Request | undefined, xid: number, errno: number): void {
    if (request === undefined) throw this.#outOfOrder(xid);
    this.#noteReply();
    this.#answered(request.sentAt);
    try {
      request.onReply(errno, this.#reader);
    } catch (cause) {
      const loss = zooKeeperError('CONNECTION_LOSS', { message: `unreadable reply: ${reasonOf(cause)}`, cause });
      this.#hooks.onBroken(loss, () => request.onFailure(loss, true));
    }
  }

  /** Until the continuations have run, no event may be delivered. */
  #noteReply(): void {
    this.#replied = true;
    this.#endOfTick.ask(true);
  }

  #answered(sentAt: number): void {
    if (sentAt > this.answeredSentAt) this.answeredSentAt = sentAt;
  }

  #outOfOrder(xid: number): ZooKeeperError {
    const awaited = this.#unanswered.requests.first()?.xid;
    return zooKeeperError('PROTOCOL', {
      message: `a reply with xid ${xid} where ${awaited === undefined ? 'none' : `xid ${awaited}`} was awaited`,
    });
  }

  /** The frame is kept, and seen again as the first thing when all microtasks have run. */
  #standStill(frame: Buffer): void {
    this.#held = [];
    afterMicrotasks(() => {
      if (this.#stopped) return;
      this.#reader.reset(frame);
      try {
        this.#reader.readInt('ReplyHeader.xid');
        this.#onNotification();
      } catch (cause) {
        this.#hooks.onBroken(
          zooKeeperError('CONNECTION_LOSS', { message: `unreadable event: ${reasonOf(cause)}`, cause }),
        );
      }
      this.resume();
    });
  }

  #onNotification(): void {
    const reader = this.#reader;
    const zxid = reader.readLong('ReplyHeader.zxid');
    reader.readInt('ReplyHeader.err');
    const event = readWatcherEvent(reader);
    this.#handlers.onInputRead();
    if (!this.#stopped) this.#handlers.onNotification(event, zxid);
  }

  #onOversized(): void {
    const xid = this.#reader.readInt('ReplyHeader.xid');
    const request = this.#unanswered.requests.first();
    if (request === undefined || request.xid !== xid) throw this.#outOfOrder(xid);
    this.#unanswered.requests.shift();
    this.#answered(request.sentAt);
    this.#noteReply();
    request.onFailure(zooKeeperError('RESPONSE_TOO_LARGE'), true);
  }
}
