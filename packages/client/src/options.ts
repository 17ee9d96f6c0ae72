import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { BadArgumentsError } from '@zookit/protocol';
import type { Options as RetryOptions } from 'p-retry';
import type { AclInput } from './acl.ts';
import { checkParts } from './check-parts.ts';
import { definedOf, type Environment, type EnvironmentParts, environmentOf } from './environment.ts';
import { optionsOf } from './given.ts';
import { type Logger, silent } from './logger.ts';
import { tlsOf } from './tls.ts';

/** Taken by every method that waits. */
export interface CallOptions {
  /** Gives the wait up: the call rejects with the signal's reason at once. What is on the wire already may still be applied. */
  signal?: AbortSignal | undefined;
  /** ms until the call rejects with TimeoutError; default none. */
  timeout?: number | undefined;
}

export interface ZooKeeperOptions {
  /** Wanted session timeout in ms; the server negotiates. Default 30,000. */
  sessionTimeout?: number;
  /** ms until `connect()` gives up and closes the client; 0 for never. Default 15,000. */
  connectTimeout?: number;
  /**
   * ms before the session's deadline at which it is declared lost. Default: 5 % of the negotiated timeout or, if larger, the smaller of 30 % of it and
   * 1,100, which covers a follower's death on servers with ticks of up to 2 s. Smaller: taken at its word. Larger: for followers that are cut off
   * from their leader; a ping interval and some slack are added, and a third of the timeout is always left.
   */
  leaseMargin?: number;
  /** ms after which a server that leaves a request unanswered is given up: the connection is dropped. Default: none. */
  requestTimeout?: number;
  /** Accept a read-only server, and keep looking for a writable one. Default false. */
  readOnly?: boolean;
  /** Make the chroot of the connect string when it is missing. Default false. */
  createChroot?: boolean;
  /** Credentials that each connection presents before anything else. */
  auth?: readonly { scheme: string; auth: string | Uint8Array }[];
  /**
   * TLS: true, or Node's options (`ca`, `cert` and `key`, or `pfx` and `passphrase`, as PEM or PKCS #12). The certificate is checked against
   * the host as written in the connect string, unless `servername` says another. Default false.
   */
  tls?: boolean | TlsOptions;
  /** Take over a session that exists. One that is gone, or another password, is `lost` at once. */
  session?: { id: bigint; password: Uint8Array; timeout?: number };
  /** Whether a lost session is followed by a new one. Default true. */
  renewSession?: boolean;
  /** When this server ends a session: at its timeout, or with its TCP connection. Default `auto`: by the all-zero password of servers that do the latter. */
  sessionEnds?: 'auto' | 'timeout' | 'connection';
  /** The ACL of creates that name none. Default `ACL.OPEN`. */
  acl?: AclInput;
  /** p-retry's options for calls that are safe to repeat; false: none is repeated. */
  retry?: RetryOptions | false;
  /** Largest request in bytes, the server's jute.maxbuffer. Default 1,048,575. */
  maxRequestBytes?: number;
  /** Largest response in bytes. Default 64 MiB. */
  maxResponseBytes?: number;
  /** Calls on the wire at once; the rest wait here. Default 1,000, where the server stops reading. */
  maxInFlight?: number;
  /** Calls that may wait before a further one rejects with BusyError. Default 10,000. */
  maxQueued?: number;
  /** Follow `/zookeeper/config` for the list of servers. Default false. */
  trackConfig?: boolean;
  /** Try the hosts in random order. Default true. */
  shuffle?: boolean;
  /** Let the process exit while the client is open. Default false. */
  unref?: boolean;
  /** Replaces parts of the outside world: clock, randomness, name look-up, sockets. */
  environment?: EnvironmentParts;
  /** Default: silent. */
  logger?: Logger;
}

type Defaulted =
  | 'sessionTimeout'
  | 'connectTimeout'
  | 'createChroot'
  | 'readOnly'
  | 'trackConfig'
  | 'renewSession'
  | 'sessionEnds'
  | 'maxRequestBytes'
  | 'maxResponseBytes'
  | 'maxInFlight'
  | 'maxQueued'
  | 'shuffle'
  | 'unref'
  | 'logger';

/** The options with every default filled in. */
export type Settings = Required<Pick<ZooKeeperOptions, Defaulted>> &
  Pick<ZooKeeperOptions, 'leaseMargin' | 'requestTimeout' | 'session' | 'acl'> & {
    auth: readonly { scheme: string; auth: Uint8Array }[];
    tls: TlsOptions | null;
    retry: RetryOptions | null;
    environment: Environment;
  };

const DEFAULT_RETRY: RetryOptions = { retries: 5, minTimeout: 100, maxTimeout: 2_000, randomize: true };

/** Fills in the defaults. Throws BadArgumentsError on an option that can't be meant, UnimplementedError on `sasl`. */
export function settingsOf(options: ZooKeeperOptions): Settings {
  checkParts({ ...options });
  const {
    tls = false,
    retry = DEFAULT_RETRY,
    auth = [],
    environment,
    leaseMargin,
    requestTimeout,
    session,
    acl,
    ...rest
  } = options;
  const settings: Settings = {
    sessionTimeout: session?.timeout ?? 30_000,
    connectTimeout: 15_000,
    createChroot: false,
    readOnly: false,
    trackConfig: false,
    renewSession: true,
    sessionEnds: 'auto',
    maxRequestBytes: 1_048_575,
    maxResponseBytes: 64 * 1024 * 1024,
    maxInFlight: 1_000,
    maxQueued: 10_000,
    shuffle: true,
    unref: false,
    logger: silent,
    ...definedOf(rest),
    auth: credentials(auth),
    tls: tlsOf(tls),
    retry: retry === false ? null : { ...DEFAULT_RETRY, ...retry },
    environment: environmentOf(environment ?? {}),
    ...(leaseMargin === undefined ? {} : { leaseMargin }),
    ...(requestTimeout === undefined ? {} : { requestTimeout }),
    ...(session === undefined ? {} : { session: toTakeOver(session) }),
    ...(acl === undefined ? {} : { acl }),
  };
  positive(settings, 'sessionTimeout', 1, 0x7fffffff);
  positive(settings, 'connectTimeout', 0);
  positive(settings, 'maxRequestBytes', 64);
  positive(settings, 'maxResponseBytes', 64);
  positive(settings, 'maxInFlight', 1);
  positive(settings, 'maxQueued', 0);
  if (!['auto', 'timeout', 'connection'].includes(settings.sessionEnds)) {
    throw bad(`option sessionEnds must be 'auto', 'timeout' or 'connection', not ${String(settings.sessionEnds)}`);
  }
  if (requestTimeout !== undefined) positive(settings, 'requestTimeout', 1);
  if (leaseMargin !== undefined) positive(settings, 'leaseMargin', 0, settings.sessionTimeout - 1);
  return settings;
}

function positive(settings: Settings, name: keyof Settings, min: number, max: number = Number.MAX_SAFE_INTEGER): void {
  const value = settings[name];
  if (typeof value === 'number' && value >= min && value <= max) return;
  throw bad(`option ${name} must be a number from ${min} to ${max}, not ${String(value)}`);
}

/** Throws BadArgumentsError unless it is a list of credentials. */
export function credentials(auth: unknown): Settings['auth'] {
  const entries: readonly unknown[] = Array.isArray(auth) ? auth : [null];
  return entries.map((entry) => {
    const { scheme, auth: secret } = (entry ?? {}) as { scheme?: unknown; auth?: unknown };
    if (typeof scheme === 'string' && typeof secret === 'string') return { scheme, auth: Buffer.from(secret) };
    if (typeof scheme === 'string' && ArrayBuffer.isView(secret)) return { scheme, auth: secret as Uint8Array };
    throw bad('credentials are { scheme: string, auth: string | Uint8Array }');
  });
}

function toTakeOver(session: NonNullable<ZooKeeperOptions['session']>): NonNullable<ZooKeeperOptions['session']> {
  const { id, password } = session ?? {};
  if (typeof id === 'bigint' && id !== 0n && ArrayBuffer.isView(password) && password.byteLength === 16) return session;
  throw bad('option session must be { id: bigint, password: Uint8Array of 16 bytes, timeout?: number }');
}

function bad(message: string): BadArgumentsError {
  return new BadArgumentsError('BAD_ARGUMENTS', { operation: 'connect', message });
}

/** What a caller gave as signal and timeout; null is as good as no options. Throws BadArgumentsError. */
export function checkCallOptions<T extends CallOptions>(options: T | null, operation: string): T {
  const given = optionsOf(options, operation);
  const { signal, timeout } = given;
  checkSignal(signal, operation);
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout >= 0)) {
    throw new BadArgumentsError('BAD_ARGUMENTS', {
      operation,
      message: `timeout must be a number of milliseconds, not ${String(timeout)}`,
    });
  }
  return given;
}

/** Throws BadArgumentsError unless it is a signal, or undefined. */
export function checkSignal(signal: unknown, operation: string, name = 'signal'): void {
  if (signal === undefined || typeof (signal as Partial<AbortSignal> | null)?.addEventListener === 'function') return;
  throw new BadArgumentsError('BAD_ARGUMENTS', { operation, message: `${name} must be an AbortSignal` });
}
