import type { Clock, OpenSocket, SocketTarget } from './environment.ts';
import type { ZooKeeperError } from './errors.ts';
import type { HandshakeRequest } from './handshake.ts';
import type { WatcherEvent } from './records.ts';

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
