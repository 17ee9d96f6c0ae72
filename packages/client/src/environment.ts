import { lookup as dnsLookup } from 'node:dns/promises';
import { connect as connectPlain, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock, OpenSocket } from '@zookit/protocol';

/** What zookit takes from the outside world. Replace parts of it for tests, or all of it to run in simulated time. */
export interface Environment {
  clock: Clock;
  /** A number in [0, 1). */
  random(): number;
  /** All addresses of a host, in order of preference. Rejects when it has none. */
  lookup(host: string): Promise<readonly string[]>;
  connect: OpenSocket;
  /** The xid of the first request on each connection; default 1. */
  firstXid: number;
}

const clock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, Math.min(ms, 0x7fffffff)),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  // Immediates run behind the poll phase; the second one gives TLS and chained reads their turn.
  afterPendingInput: (callback) => {
    setImmediate(() => setImmediate(callback));
  },
};

const connect: OpenSocket = ({ host, address, port, tls }) => {
  if (tls === null) return connectPlain({ host: address, port, noDelay: true });
  // The certificate must match the host as written; SNI is for names only.
  const servername = isIP(host) === 0 ? host : '';
  return connectTls({ servername, ...tls, host: address, port }).setNoDelay(true);
};

/** Node's own clock, resolver and sockets. */
export const nodeEnvironment: Environment = {
  clock,
  random: Math.random,
  lookup: async (host) =>
    isIP(host) === 0 ? (await dnsLookup(host, { all: true })).map(({ address }) => address) : [host],
  connect,
  firstXid: 1,
};
