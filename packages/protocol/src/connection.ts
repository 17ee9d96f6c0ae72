import type { Duplex } from 'node:stream';
import { JuteReader, JuteWriter } from 'jute-ts';
import { afterMicrotasks } from './after-microtasks.ts';
import type { Clock, OpenSocket, SocketTarget } from './environment.ts';
import { ErrorCode, type ZooKeeperError, zooKeeperError } from './errors.ts';
import type { FrameDecoder } from './framing.ts';
import type { HandshakeRequest, HandshakeResponse } from './handshake.ts';
import { InFlight, type Request } from './in-flight.ts';
import { OpCode, Xid } from './opcodes.ts';
import { readWatcherEvent, type WatcherEvent } from './records.ts';
import { shakeHands } from './shake-hands.ts';
import { describeTarget, ignore, openTransport, reasonOf } from './transport.ts';
import { Watchdog } from './watchdog.ts';

/** What the owner of a connection is told. */
export interface ConnectionHandlers {
  /** The event loop has come back to this connection, by bytes or by its timer; nothing has been looked at or sent yet. */
  onWake(): void;
  /** All that has arrived has been read, but no continuation of a reply has run yet; also before each notification. */
  onInputRead(): void;
  /** A watch event; `zxid` is its transaction's from servers 3.9 on, -1n otherwise. */
  onNotification(event: WatcherEvent, zxid: bigint): void;
  /** More may be written again after `congested` was true. */
  onDrain(): void;
  /** The connection is gone; once. Requests in flight fail right after this returns, with the error that it returns. */
  onClosed(cause: ZooKeeperError): ZooKeeperError;
}

export interface ConnectionOptions {
  target: SocketTarget;
  open: OpenSocket;
  clock: Clock;
  handshake: HandshakeRequest;
  /** For socket, TLS and ConnectResponse together, in ms. */
  handshakeTimeout: number;
  /** Gives the attempt up; no effect once it has succeeded. */
  signal: AbortSignal;
  /** Frames above it are skipped, and their calls fail. */
  maxResponseBytes: number;
  /** Largest request that is written, in bytes behind the length prefix. */
  maxRequestBytes: number;
  firstXid: number;
  /** How long nothing may be sent before a ping goes out, for a negotiated session timeout; both in ms. */
  pingInterval(sessionTimeout: number): number;
  /** A request that has waited so long, in ms, costs the connection; null: none does. */
  requestTimeout: number | null;
  /** Let the process exit while this connection is opened or open. */
  unref: boolean;
  handlers: ConnectionHandlers;
}

const MAX_XID = 0x7fffffff;
/** How long a server may take to hang up by itself, in ms. */
const HANG_UP_AFTER = 1_000;
/** Written out at once when so much has gathered within one tick. */
const FLUSH_BYTES = 1 << 20;

/** A request whose reply comes outside the order of the others, under a fixed xid. */
type SpecialXid = typeof Xid.auth | typeof Xid.setWatches;

/**
 * One socket to one server after one handshake: framing, xids, replies matched in order, pings.
 *
 * It knows nothing of other servers, retries or watches. Requests made in one tick leave in one write.
 */
export class Connection {
  /** What the server granted in the handshake. */
  readonly granted: HandshakeResponse;
  readonly target: SocketTarget;
  /** When the newest request that has been answered was sent (the handshake's, to begin with), on the injected clock. */
  answeredSentAt: number;

  readonly #socket: Duplex;
  readonly #clock: Clock;
  readonly #handlers: ConnectionHandlers;
  readonly #decoder: FrameDecoder;
  readonly #maxRequestBytes: number;
  readonly #reader: JuteReader = new JuteReader();
  readonly #writer: JuteWriter = new JuteWriter(4096);
  readonly #inFlight: InFlight = new InFlight();
  readonly #auths: InFlight = new InFlight();
  readonly #pings: number[] = [];
  #xid: number;
  #zxidHigh = 0;
  #zxidLow = 0;
  #flushScheduled = false;
  /** How many of the requests in flight still lie in the writer. */
  #unsent = 0;
  #congested = false;
  #started = false;
  #closed = false;
  /** Chunks that arrived while dispatch stood still; null when it doesn't. */
  #held: Buffer[] | null = [];
  #replied = false;
  #hasReplied = false;
  #doomed = false;
  readonly #watchdog: Watchdog;
  #hangUp: ReturnType<Clock['setTimeout']> | null = null;
  readonly #unref: boolean;

  private constructor(
    socket: Duplex,
    options: ConnectionOptions,
    granted: HandshakeResponse,
    sentAt: number,
    decoder: FrameDecoder,
  ) {
    this.granted = granted;
    this.target = options.target;
    this.#socket = socket;
    this.#clock = options.clock;
    this.#handlers = options.handlers;
    this.#decoder = decoder;
    this.#maxRequestBytes = options.maxRequestBytes;
    this.#xid = options.firstXid;
    this.#unref = options.unref;
    this.answeredSentAt = sentAt;
    this.#watchdog = new Watchdog(options, granted.sessionTimeout, sentAt, {
      onWake: () => this.#handlers.onWake(),
      ping: () => this.ping(),
      oldestSentAt: () => this.#inFlight.first()?.sentAt,
      onDead: (reason, cause) => this.#close(this.#lossOf(reason, cause)),
    });
    socket.on('data', (chunk: Buffer) => this.#onChunk(chunk));
    socket.on('drain', () => {
      this.#congested = false;
      this.#handlers.onDrain();
    });
    socket.on('error', (cause) => this.#close(this.#lossOf(reasonOf(cause), cause)));
    socket.on('end', () => this.#close(this.#lossOf('closed by the server')));
    socket.on('close', () => this.#close(this.#lossOf('closed')));
  }

  /**
   * Connects and shakes hands. The connection delivers nothing until `start()` is called.
   *
   * Rejects with SessionExpiredError, NotReadOnlyError, ConnectionLossError, ProtocolError, TimeoutError (`handshakeTimeout` is over) or the
   * signal's reason; no socket is left open then.
   */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const { clock, signal, target } = options;
    const given = new AbortController();
    const onAbort = (): void => given.abort(signal.reason);
    const timer = clock.setTimeout(
      () =>
        given.abort(
          zooKeeperError('TIMEOUT', {
            operation: 'connect',
            message: `no handshake with ${describeTarget(target)} within ${Math.round(options.handshakeTimeout)} ms`,
          }),
        ),
      options.handshakeTimeout,
    );
    if (options.unref) timer.unref?.();
    signal.addEventListener('abort', onAbort);
    try {
      signal.throwIfAborted();
      const socket = await openTransport(target, options.open, options.unref, given.signal);
      return await shakeHands(socket, options, given.signal, (granted, sentAt, decoder) => {
        return new Connection(socket, options, granted, sentAt, decoder);
      });
    } finally {
      signal.removeEventListener('abort', onAbort);
      clock.clearTimeout(timer);
    }
  }

  /** Begins to deliver. Call it once the handlers are ready; a second call does nothing. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#watchdog.start();
    afterMicrotasks(() => this.#resume());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** This end's address; null on transports that have none. */
  get localAddress(): string | null {
    return (this.#socket as { localAddress?: string }).localAddress?.replace(/^::ffff:/, '') ?? null;
  }

  /** Whether the server has answered any request in order. */
  get hasReplied(): boolean {
    return this.#hasReplied;
  }

  /** Requests that wait for their replies. */
  get inFlight(): number {
    return this.#inFlight.length;
  }

  /** When anything was last received, on the injected clock. */
  get lastReceived(): number {
    return this.#watchdog.lastReceived;
  }

  /** The newest time at which something that is still unanswered, or was answered, was sent: no answer can push the lease further. */
  get newestSentAt(): number {
    return this.#watchdog.lastSent;
  }

  /** True while nothing more should be written: the socket's buffer is full (`onDrain` follows), or the server is about to hang up. */
  get congested(): boolean {
    return this.#congested || this.#doomed || this.#socket.writableNeedDrain;
  }

  /** The zxid of the last ordinary reply that has been processed on this connection, 0n when there was none. */
  get lastZxid(): bigint {
    return (BigInt(this.#zxidHigh) << 32n) | BigInt(this.#zxidLow);
  }

  /** Sends a request at the end of the present tick. Throws, and sends nothing of it, when it can't be written. */
  send(request: Request): void {
    if (this.#closed) throw this.#lossOf('closed');
    this.#write(request, this.#xid);
    this.#xid = this.#xid === MAX_XID ? 1 : this.#xid + 1;
    this.#enqueue(request);
  }

  /** Sends a request under a reserved xid. Replies to setWatches keep the order of the others; those to auth don't. */
  sendSpecial(request: Request, xid: SpecialXid): void {
    if (this.#closed) throw this.#lossOf('closed');
    this.#write(request, xid);
    if (xid === Xid.auth) this.#auths.push(request);
    else this.#enqueue(request);
  }

  /** Asks for a sign of life now. */
  ping(): void {
    const writer = this.#writer;
    const now = this.#stamp();
    writer.writeInt(8);
    writer.writeInt(Xid.ping);
    writer.writeInt(OpCode.ping);
    this.#pings.push(now);
  }

  /** Writes out at once what has gathered in this tick. */
  flush(): void {
    this.#writeOut();
  }

  /** Drops the connection; requests in flight fail with the cause. */
  destroy(cause: ZooKeeperError): void {
    this.#close(cause);
  }

  /** Notes the time of what is about to be written, and sees that it will be. */
  #stamp(): number {
    if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      this.#watchdog.sent(this.#clock.now());
      afterMicrotasks(() => this.#flush());
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
    this.#inFlight.push(request);
    this.#unsent += 1;
    if (this.#writer.length > FLUSH_BYTES) this.#writeOut();
  }

  #flush(): void {
    this.#flushScheduled = false;
    this.#writeOut();
  }

  #writeOut(): void {
    if (this.#closed || this.#writer.length === 0) return;
    this.#unsent = 0;
    if (!this.#socket.write(this.#writer.take())) this.#congested = true;
  }

  #onChunk(chunk: Buffer): void {
    if (this.#closed) return;
    this.#handlers.onWake();
    if (this.#closed) return;
    this.#watchdog.received(this.#clock.now());
    if (this.#held !== null) {
      this.#held.push(chunk);
      return;
    }
    this.#decoder.push(chunk);
    this.#dispatch();
  }

  #resume(): void {
    const held = this.#held;
    if (this.#closed || held === null) return;
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

  #standsStill(): boolean {
    return this.#held !== null;
  }

  /** Handles frames until there are no more, or until microtasks must run before the next one may be seen. */
  #dispatch(): void {
    try {
      for (;;) {
        if (this.#closed) return;
        const decoded = this.#decoder.next();
        if (decoded === 'more') break;
        this.#reader.reset(this.#decoder.buffer, this.#decoder.start, this.#decoder.end);
        if (decoded === 'oversized') this.#onOversized();
        else if (!this.#onFrame()) return;
      }
      this.#handlers.onInputRead();
    } catch (cause) {
      this.#close(
        zooKeeperError('CONNECTION_LOSS', {
          message: `unreadable answer from ${describeTarget(this.target)}: ${reasonOf(cause)}`,
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
      this.#answered(this.#pings.shift() ?? 0);
      return true;
    }
    if (xid === Xid.auth) {
      this.#answer(this.#auths.shift(), xid, errno);
      return true;
    }
    if (this.#inFlight.first()?.xid !== xid) throw this.#outOfOrder(xid);
    if (high > 0 || (high === 0 && low > 0)) {
      this.#zxidHigh = high;
      this.#zxidLow = low;
    }
    this.#hasReplied = true;
    // Servers that don't know an opcode say so under zxid -1, and hang up.
    if (errno === ErrorCode.UNIMPLEMENTED && high === -1) this.#doom();
    this.#answer(this.#inFlight.shift(), xid, errno);
    return true;
  }

  /** What would be written now would be lost, and nobody could say whether it was applied. */
  #doom(): void {
    if (this.#doomed) return;
    this.#doomed = true;
    this.#hangUp = this.#clock.setTimeout(() => this.#close(this.#lossOf('it does not know a request')), HANG_UP_AFTER);
    if (this.#unref) this.#hangUp.unref?.();
  }

  #answer(request: Request | undefined, xid: number, errno: number): void {
    if (request === undefined) throw this.#outOfOrder(xid);
    this.#noteReply();
    this.#answered(request.sentAt);
    try {
      request.onReply(errno, this.#reader);
    } catch (cause) {
      const loss = zooKeeperError('CONNECTION_LOSS', { message: `unreadable reply: ${reasonOf(cause)}`, cause });
      this.#close(loss, () => request.onFailure(loss, true));
    }
  }

  /** Until the continuations have run, no event may be delivered. */
  #noteReply(): void {
    if (this.#replied) return;
    this.#replied = true;
    afterMicrotasks(() => {
      this.#replied = false;
    });
  }

  #answered(sentAt: number): void {
    if (sentAt > this.answeredSentAt) this.answeredSentAt = sentAt;
  }

  #outOfOrder(xid: number): ZooKeeperError {
    const awaited = this.#inFlight.first()?.xid;
    return zooKeeperError('PROTOCOL', {
      message: `a reply with xid ${xid} where ${awaited === undefined ? 'none' : `xid ${awaited}`} was awaited`,
    });
  }

  /** The frame is kept, and seen again as the first thing when all microtasks have run. */
  #standStill(frame: Buffer): void {
    this.#held = [];
    afterMicrotasks(() => {
      if (this.#closed) return;
      this.#reader.reset(frame);
      try {
        this.#reader.readInt('ReplyHeader.xid');
        this.#onNotification();
      } catch (cause) {
        this.#close(zooKeeperError('CONNECTION_LOSS', { message: `unreadable event: ${reasonOf(cause)}`, cause }));
      }
      this.#resume();
    });
  }

  #onNotification(): void {
    const reader = this.#reader;
    const zxid = reader.readLong('ReplyHeader.zxid');
    reader.readInt('ReplyHeader.err');
    const event = readWatcherEvent(reader);
    this.#handlers.onInputRead();
    if (!this.#closed) this.#handlers.onNotification(event, zxid);
  }

  #onOversized(): void {
    const xid = this.#reader.readInt('ReplyHeader.xid');
    const request = this.#inFlight.first();
    if (request === undefined || request.xid !== xid) throw this.#outOfOrder(xid);
    this.#inFlight.shift();
    this.#answered(request.sentAt);
    this.#noteReply();
    request.onFailure(zooKeeperError('RESPONSE_TOO_LARGE'), true);
  }

  #lossOf(reason: string, cause?: unknown): ZooKeeperError {
    return zooKeeperError('CONNECTION_LOSS', {
      message: `connection to ${describeTarget(this.target)} lost: ${reason}`,
      cause,
    });
  }

  #close(cause: ZooKeeperError, first?: () => void): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#held = null;
    this.#watchdog.stop();
    if (this.#hangUp !== null) this.#clock.clearTimeout(this.#hangUp);
    this.#socket.removeAllListeners('data');
    this.#socket.on('error', ignore);
    this.#socket.destroy();
    const error = this.#handlers.onClosed(cause);
    first?.();
    this.#auths.failAll(error);
    this.#inFlight.failAll(error, this.#unsent);
  }
}
