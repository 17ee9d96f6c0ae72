import { lookup as dnsLookup } from 'node:dns/promises';
import { connect as connectPlain, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock, OpenSocket } from '@zookit/protocol';

/** What a look-up may answer: addresses as text, or as Node's own `lookup` with `all: true` gives them. */
export type LookupAnswer = readonly (string | { address: string })[];

/** What zookit takes from the outside world. Replace parts of it for tests, or all of it to run in simulated time. */
export interface Environment {
  clock: Clock;
  /** A number in [0, 1). */
  random(): number;
  /** All addresses of a host, in order of preference. Rejects when it has none. */
  lookup(host: string): Promise<LookupAnswer>;
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
const nodeEnvironment: Environment = {
  clock,
  random: Math.random,
  lookup: async (host) =>
    isIP(host) === 0 ? (await dnsLookup(host, { all: true })).map(({ address }) => address) : [host],
  connect,
  firstXid: 1,
};

/** Parts of the outside world as a user replaces them; a clock may be replaced in parts, too. */
export type EnvironmentParts = Partial<Omit<Environment, 'clock'>> & { clock?: Partial<Clock> | undefined };

/** Node's environment with what the user replaced. */
export function environmentOf({ clock: given = {}, ...parts }: EnvironmentParts): Environment {
  const merged = { ...nodeEnvironment, ...definedOf(parts) };
  const part = <K extends keyof Clock>(name: K): Clock[K] => (given[name]?.bind(given) ?? clock[name]) as Clock[K];
  return {
    ...merged,
    clock: {
      now: part('now'),
      wallNow: part('wallNow'),
      setTimeout: part('setTimeout'),
      clearTimeout: part('clearTimeout'),
      afterPendingInput: part('afterPendingInput'),
    },
  };
}

/** An option that is given as undefined is not given. */
export function definedOf<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
