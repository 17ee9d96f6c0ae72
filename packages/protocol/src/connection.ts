import type { Duplex } from 'node:stream';
import { AfterMicrotasks, afterMicrotasks } from './after-microtasks.ts';
import type { ConnectionHandlers, ConnectionOptions } from './connection-options.ts';
import type { Clock, SocketTarget, Timer } from './environment.ts';
import { type ZooKeeperError, zooKeeperError } from './errors.ts';
import type { HandshakeResponse } from './handshake.ts';
import { type Request, Unanswered } from './in-flight.ts';
import { Incoming } from './incoming.ts';
import { openAndGreet } from './opening.ts';
import { Outgoing, type SpecialXid } from './outgoing.ts';
import type { Greeted } from './shake-hands.ts';
import { describeTarget, ignore, reasonOf } from './transport.ts';
import { Watchdog } from './watchdog.ts';

/** How long a server may take to hang up by itself, in ms. */
const HANG_UP_AFTER = 1_000;

/**
 * One socket to one server after one handshake: framing, xids, replies matched in order, pings.
 *
 * It knows nothing of other servers, retries or watches. Requests made in one tick leave in one write.
 */
export class Connection {
  /** What the server granted in the handshake. */
  readonly granted: HandshakeResponse;
  readonly target: SocketTarget;

  readonly #socket: Duplex;
  readonly #clock: Clock;
  readonly #unref: boolean;
  readonly #handlers: ConnectionHandlers;
  readonly #unanswered: Unanswered = new Unanswered();
  readonly #watchdog: Watchdog;
  readonly #outgoing: Outgoing;
  readonly #incoming: Incoming;
  #started = false;
  #closed = false;
  /** Runs once the server is about to hang up. */
  #hangUp: Timer | null = null;

  private constructor(options: ConnectionOptions, greeted: Greeted) {
    const { socket, granted, sentAt } = greeted;
    this.granted = granted;
    this.target = options.target;
    this.#socket = socket;
    this.#clock = options.clock;
    this.#unref = options.unref;
    this.#handlers = options.handlers;
    this.#watchdog = new Watchdog(options, granted.sessionTimeout, sentAt, {
      onWake: () => this.#handlers.onWake(),
      ping: () => this.ping(),
      oldestSentAt: () => this.#unanswered.requests.first()?.sentAt,
      onDead: (reason, cause) => this.#close(this.#lossOf(reason, cause)),
    });
    const endOfTick = new AfterMicrotasks(() => {
      this.#incoming.onEndOfTick();
      this.#outgoing.onEndOfTick();
    });
    this.#outgoing = new Outgoing(socket, options, this.#watchdog, this.#unanswered, endOfTick);
    this.#incoming = new Incoming(options, greeted, this.#unanswered, endOfTick, {
      onBroken: (cause, first) => this.#close(cause, first),
      onHangUp: () => this.#doom(),
    });
    socket.on('data', (chunk: Buffer) => this.#onChunk(chunk));
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
  static open(options: ConnectionOptions): Promise<Connection> {
    return openAndGreet(options, (greeted) => new Connection(options, greeted));
  }

  /** Begins to deliver. Call it once the handlers are ready; a second call does nothing. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#watchdog.start();
    afterMicrotasks(() => this.#incoming.resume());
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
    return this.#incoming.hasReplied;
  }

  /** Requests that wait for their replies. */
  get inFlight(): number {
    return this.#unanswered.requests.length;
  }

  /** When the newest request that has been answered was sent (the handshake's, to begin with), on the injected clock. */
  get answeredSentAt(): number {
    return this.#incoming.answeredSentAt;
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
    return this.#hangUp !== null || this.#outgoing.congested;
  }

  /** The zxid of the last ordinary reply that has been processed on this connection, 0n when there was none. */
  get lastZxid(): bigint {
    return this.#incoming.lastZxid;
  }

  /** Sends a request at the end of the present tick. Throws, and sends nothing of it, when it can't be written. */
  send(request: Request): void {
    if (this.#closed) throw this.#lossOf('closed');
    this.#outgoing.send(request);
  }

  /** Sends a request under a reserved xid. Replies to setWatches keep the order of the others; those to auth don't. */
  sendSpecial(request: Request, xid: SpecialXid): void {
    if (this.#closed) throw this.#lossOf('closed');
    this.#outgoing.sendSpecial(request, xid);
  }

  /** Asks for a sign of life now. */
  ping(): void {
    this.#outgoing.ping();
  }

  /** Writes out at once what has gathered in this tick. */
  flush(): void {
    this.#outgoing.flush();
  }

  /** Drops the connection; requests in flight fail with the cause. */
  destroy(cause: ZooKeeperError): void {
    this.#close(cause);
  }

  #onChunk(chunk: Buffer): void {
    if (this.#closed) return;
    this.#handlers.onWake();
    if (this.#closed) return;
    this.#watchdog.received(this.#clock.now());
    this.#incoming.push(chunk);
  }

  /** What would be written now would be lost, and nobody could say whether it was applied. */
  #doom(): void {
    if (this.#hangUp !== null) return;
    this.#hangUp = this.#clock.setTimeout(() => this.#close(this.#lossOf('it does not know a request')), HANG_UP_AFTER);
    if (this.#unref) this.#hangUp.unref?.();
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
    this.#watchdog.stop();
    this.#outgoing.stop();
    this.#incoming.stop();
    if (this.#hangUp !== null) this.#clock.clearTimeout(this.#hangUp);
    this.#socket.removeAllListeners('data');
    this.#socket.on('error', ignore);
    this.#socket.destroy();
    const error = this.#handlers.onClosed(cause);
    first?.();
    this.#unanswered.auths.failAll(error);
    this.#unanswered.requests.failAll(error, this.#outgoing.unsent);
  }
}
