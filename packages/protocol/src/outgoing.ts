import type { Duplex } from 'node:stream';
import { JuteWriter } from 'jute-ts';
import type { AfterMicrotasks } from './after-microtasks.ts';
import type { ConnectionOptions } from './connection-options.ts';
import type { Clock } from './environment.ts';
import { zooKeeperError } from './errors.ts';
import type { Request, Unanswered } from './in-flight.ts';
import { OpCode, Xid } from './opcodes.ts';
import type { Watchdog } from './watchdog.ts';

const MAX_XID = 0x7fffffff;
/** Written out at once when so much has gathered within one tick. */
const FLUSH_BYTES = 1 << 20;

/** A request whose reply comes outside the order of the others, under a fixed xid. */
export type SpecialXid = typeof Xid.auth | typeof Xid.setWatches;

/** What a connection says: requests get their xids, and those of one tick leave in one write. */
export class Outgoing {
  /** How many of the unanswered requests still lie in the writer; those to auths are not counted. */
  unsent = 0;
  readonly #socket: Duplex;
  readonly #clock: Clock;
  readonly #endOfTick: AfterMicrotasks;
  readonly #watchdog: Watchdog;
  readonly #unanswered: Unanswered;
  readonly #maxRequestBytes: number;
  readonly #writer: JuteWriter = new JuteWriter(4096);
  #xid: number;
  #flushScheduled = false;
  #congested = false;
  #stopped = false;

  /** `endOfTick` is to call `onEndOfTick`. */
  constructor(
    socket: Duplex,
    options: ConnectionOptions,
    watchdog: Watchdog,
    unanswered: Unanswered,
    endOfTick: AfterMicrotasks,
  ) {
    this.#socket = socket;
    this.#endOfTick = endOfTick;
    this.#clock = options.clock;
    this.#watchdog = watchdog;
    this.#unanswered = unanswered;
    this.#maxRequestBytes = options.maxRequestBytes;
    this.#xid = options.firstXid;
    socket.on('drain', () => {
      this.#congested = false;
      options.handlers.onDrain();
    });
  }

  /** The socket's buffer is full. */
  get congested(): boolean {
    return this.#congested || this.#socket.writableNeedDrain;
  }

  /** Throws, and leaves nothing of the request in the writer, when it can't be written. */
  send(request: Request): void {
    this.#write(request, this.#xid);
    this.#xid = this.#xid === MAX_XID ? 1 : this.#xid + 1;
    this.#enqueue(request);
  }

  sendSpecial(request: Request, xid: SpecialXid): void {
    this.#write(request, xid);
    if (xid === Xid.auth) this.#unanswered.auths.push(request);
    else this.#enqueue(request);
  }

  ping(): void {
    const writer = this.#writer;
    const now = this.#stamp();
    writer.writeInt(8);
    writer.writeInt(Xid.ping);
    writer.writeInt(OpCode.ping);
    this.#unanswered.pings.push(now);
  }

  /** Writes out what has gathered. */
  flush(): void {
    if (this.#stopped || this.#writer.length === 0) return;
    this.unsent = 0;
    if (!this.#socket.write(this.#writer.take())) this.#congested = true;
  }

  onEndOfTick(): void {
    if (!this.#flushScheduled) return;
    this.#flushScheduled = false;
    this.flush();
  }

  /** Nothing is written any more. */
  stop(): void {
    this.#stopped = true;
  }

  /** Notes the time of what is about to be written, and sees that it will be. */
  #stamp(): number {
    if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      this.#watchdog.sent(this.#clock.now());
      this.#endOfTick.ask(false);
    }
    return this.#watchdog.lastSent;
  }

  #write(request: Request, xid: number): void {
    const writer = this.#writer;
    const start = writer.length;
    writer.writeInt(0);
    writer.writeInt(xid);
    writer.writeInt(request.opcode);
    try {
      request.write(writer);
    } catch (error) {
      writer.truncate(start);
      throw error;
    }
    const length = writer.length - start - 4;
    if (length > this.#maxRequestBytes) {
      writer.truncate(start);
      throw zooKeeperError('REQUEST_TOO_LARGE', {
        message: `the request has ${length} bytes, over the limit of ${this.#maxRequestBytes} (the server's jute.maxbuffer); nothing was sent`,
      });
    }
    writer.patchInt(start, length);
    request.xid = xid;
    request.sentAt = this.#stamp();
  }

  /** It counts as sent from the next write on. */
  #enqueue(request: Request): void {
    this.#unanswered.requests.push(request);
    this.unsent += 1;
    if (this.#writer.length > FLUSH_BYTES) this.flush();
  }
}
