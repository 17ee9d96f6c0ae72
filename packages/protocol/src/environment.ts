import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';

/** A timer that the clock handed out; only that clock knows what is in it. */
export interface Timer {
  ref?(): unknown;
  unref?(): unknown;
}

/** Time as zookit sees it. Replace it to run the stack in simulated time. */
export interface Clock {
  /** Monotonic milliseconds, as `performance.now()`. */
  now(): number;
  /** Wall-clock milliseconds since the epoch; only used to notice that the machine has slept. */
  wallNow(): number;
  setTimeout(callback: () => void, ms: number): Timer;
  clearTimeout(timer: Timer): void;
  /** Runs the callback once bytes that already wait in the sockets have been delivered. */
  afterPendingInput(callback: () => void): void;
}

/** Where one socket should lead. */
export interface SocketTarget {
  /** The host as written in the connect string. */
  host: string;
  /** The address that it was resolved to. */
  address: string;
  port: number;
  tls: ConnectionOptions | null;
}

/** Opens a socket. It must emit `connect` (plain) or `secureConnect` (TLS) once it can be written to. */
export type OpenSocket = (target: SocketTarget) => Duplex;
