/** What every error of zookit can say of itself; all of it optional when one is made. */
export interface ErrorDetails {
  /** The znode's path as the caller wrote it. */
  path?: string | undefined;
  /** The client's method, such as `create`. */
  operation?: string | undefined;
  /** Whether the write may have happened on the server all the same. */
  maybeApplied?: boolean | undefined;
  cause?: unknown;
  /** Replaces the kind's own explanation. */
  message?: string | undefined;
  /** The server's number, where the kind doesn't fix it. */
  errno?: number | undefined;
}

/**
 * The base of all errors that zookit rejects with.
 *
 * `code` is the Java client's name of the error (`NO_NODE`) or one of the client's own (`BUSY`, `CLOSED`, `TIMEOUT`, …);
 * compare it rather than using `instanceof` where two copies of the package may be loaded.
 */
export class ZooKeeperError extends Error {
  readonly code: string;
  /** The number on the wire; 0 for errors that no server sends. */
  readonly errno: number;
  declare readonly path?: string;
  declare readonly operation?: string;
  /** `true`: the write may have been applied; `false`: it certainly was not; absent: not a write, or no doubt. */
  declare readonly maybeApplied?: boolean;

  readonly #reason: string;

  constructor(code: string, details: ErrorDetails = {}) {
    const kind = kindByCode.get(code);
    super(describe(code, details, kind?.says), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = kind?.make.name ?? 'ZooKeeperError';
    this.#reason = details.message ?? kind?.says ?? UNEXPLAINED;
    this.code = code;
    this.errno = details.errno ?? kind?.errno ?? 0;
    if (details.path !== undefined) this.path = details.path;
    if (details.operation !== undefined) this.operation = details.operation;
    if (details.maybeApplied !== undefined) this.maybeApplied = details.maybeApplied;
  }

  /** The message without code, operation and path. */
  get reason(): string {
    return this.#reason;
  }

  /** Whether the same call may succeed if it is made again as it is. Says nothing of whether that is safe: see `maybeApplied`. */
  get retryable(): boolean {
    return kindByCode.get(this.code)?.retryable ?? false;
  }
}

const UNEXPLAINED = 'the server reported an error';

function describe(code: string, details: ErrorDetails, says: string | undefined): string {
  const where = [details.operation, details.path === undefined ? undefined : JSON.stringify(details.path)]
    .filter((part) => part !== undefined)
    .join(' ');
  const number = code === 'UNKNOWN' && details.errno !== undefined ? ` ${details.errno}` : '';
  const doubt = details.maybeApplied === true ? ' (it may have been applied)' : '';
  return `${code}${number}${where === '' ? '' : ` ${where}`}: ${details.message ?? says ?? UNEXPLAINED}${doubt}`;
}

// One class a kind, so that users can catch by type; the table below is the only place that knows more about them.
export class SystemError extends ZooKeeperError {}
export class RuntimeInconsistencyError extends ZooKeeperError {}
export class DataInconsistencyError extends ZooKeeperError {}
export class ConnectionLossError extends ZooKeeperError {}
export class MarshallingError extends ZooKeeperError {}
export class UnimplementedError extends ZooKeeperError {}
export class BadArgumentsError extends ZooKeeperError {}
export class UnknownSessionError extends ZooKeeperError {}
export class NewConfigNoQuorumError extends ZooKeeperError {}
export class ReconfigInProgressError extends ZooKeeperError {}
export class ApiError extends ZooKeeperError {}
export class NoNodeError extends ZooKeeperError {}
export class NoAuthError extends ZooKeeperError {}
export class BadVersionError extends ZooKeeperError {}
export class NoChildrenForEphemeralsError extends ZooKeeperError {}
export class NodeExistsError extends ZooKeeperError {}
export class NotEmptyError extends ZooKeeperError {}
export class SessionExpiredError extends ZooKeeperError {}
export class InvalidCallbackError extends ZooKeeperError {}
export class InvalidAclError extends ZooKeeperError {}
export class AuthFailedError extends ZooKeeperError {}
export class SessionMovedError extends ZooKeeperError {}
export class NotReadOnlyError extends ZooKeeperError {}
export class EphemeralOnLocalSessionError extends ZooKeeperError {}
export class NoWatcherError extends ZooKeeperError {}
export class RequestTimeoutError extends ZooKeeperError {}
export class ReconfigDisabledError extends ZooKeeperError {}
export class SaslRequiredError extends ZooKeeperError {}
export class QuotaExceededError extends ZooKeeperError {}
export class ThrottledError extends ZooKeeperError {}
export class RequestTooLargeError extends ZooKeeperError {}
export class ResponseTooLargeError extends ZooKeeperError {}
export class BusyError extends ZooKeeperError {}
export class ClosedError extends ZooKeeperError {}
export class TimeoutError extends ZooKeeperError {}
export class ProtocolError extends ZooKeeperError {}
export class LeaseLostError extends ZooKeeperError {}
/** A transaction of which no operation was applied. `code` and `path` are those of the operation that failed. */
export class TransactionError extends ZooKeeperError {
  /** One for each operation: an Error for the one that failed and for those after it, null for those before. */
  readonly results: readonly (ZooKeeperError | null)[];

  constructor(code: string, results: readonly (ZooKeeperError | null)[], details: ErrorDetails = {}) {
    super(code, details);
    this.name = 'TransactionError';
    this.results = results;
  }
}
/** A znode path that ZooKeeper doesn't allow. */
export class PathError extends BadArgumentsError {
  constructor(details: ErrorDetails) {
    super('BAD_ARGUMENTS', details);
    this.name = 'PathError';
  }
}
/** A connect string that can't be read. */
export class ConnectStringError extends BadArgumentsError {
  constructor(details: ErrorDetails) {
    super('BAD_ARGUMENTS', details);
    this.name = 'ConnectStringError';
  }
}

/** What the code of an error means. */
export interface ErrorKind {
  /** The server's number; 0 for the client's own. */
  errno: number;
  code: string;
  make: { new (code: string, details?: ErrorDetails): ZooKeeperError; readonly name: string };
  says: string;
  /** Whether the server ends the connection after (or instead of) this reply. */
  closes?: true;
  retryable?: true;
}

/** Every code that is known; docs/guides/errors.md has a line for each. */
export const errorKinds: readonly ErrorKind[] = [
  { errno: -1, code: 'SYSTEM_ERROR', make: SystemError, says: 'the server failed internally' },
  {
    errno: -2,
    code: 'RUNTIME_INCONSISTENCY',
    make: RuntimeInconsistencyError,
    says: 'not attempted, because an earlier operation of the transaction failed',
  },
  {
    errno: -3,
    code: 'DATA_INCONSISTENCY',
    make: DataInconsistencyError,
    says: 'the server found its data inconsistent',
  },
  {
    errno: -4,
    code: 'CONNECTION_LOSS',
    make: ConnectionLossError,
    says: 'the connection broke before the reply came',
    closes: true,
    retryable: true,
  },
  { errno: -5, code: 'MARSHALLING_ERROR', make: MarshallingError, says: 'the server could not read the request' },
  { errno: -6, code: 'UNIMPLEMENTED', make: UnimplementedError, says: 'this server does not offer the operation' },
  {
    errno: -7,
    code: 'OPERATION_TIMEOUT',
    make: RequestTimeoutError,
    says: 'the server gave the operation up',
    retryable: true,
  },
  { errno: -8, code: 'BAD_ARGUMENTS', make: BadArgumentsError, says: 'the arguments are not valid' },
  { errno: -12, code: 'UNKNOWN_SESSION', make: UnknownSessionError, says: 'the server does not know the session' },
  {
    errno: -13,
    code: 'NEW_CONFIG_NO_QUORUM',
    make: NewConfigNoQuorumError,
    says: 'no quorum of the new configuration is connected and up to date',
    retryable: true,
  },
  {
    errno: -14,
    code: 'RECONFIG_IN_PROGRESS',
    make: ReconfigInProgressError,
    says: 'another reconfiguration is in progress',
    retryable: true,
  },
  { errno: -100, code: 'API_ERROR', make: ApiError, says: 'the server refused the call' },
  { errno: -101, code: 'NO_NODE', make: NoNodeError, says: 'the znode does not exist' },
  { errno: -102, code: 'NO_AUTH', make: NoAuthError, says: "the znode's ACL does not allow it" },
  { errno: -103, code: 'BAD_VERSION', make: BadVersionError, says: 'the znode is at another version' },
  {
    errno: -108,
    code: 'NO_CHILDREN_FOR_EPHEMERALS',
    make: NoChildrenForEphemeralsError,
    says: 'ephemeral znodes can have no children',
  },
  { errno: -110, code: 'NODE_EXISTS', make: NodeExistsError, says: 'the znode exists already' },
  { errno: -111, code: 'NOT_EMPTY', make: NotEmptyError, says: 'the znode has children' },
  { errno: -112, code: 'SESSION_EXPIRED', make: SessionExpiredError, says: 'the session is over', closes: true },
  { errno: -113, code: 'INVALID_CALLBACK', make: InvalidCallbackError, says: 'the callback is not valid' },
  { errno: -114, code: 'INVALID_ACL', make: InvalidAclError, says: 'the ACL is empty or names an unusable identity' },
  {
    errno: -115,
    code: 'AUTH_FAILED',
    make: AuthFailedError,
    says: 'the server refused the authentication',
    closes: true,
  },
  {
    errno: -118,
    code: 'SESSION_MOVED',
    make: SessionMovedError,
    says: 'the session has moved to another server',
    closes: true,
    retryable: true,
  },
  {
    errno: -119,
    code: 'NOT_READ_ONLY',
    make: NotReadOnlyError,
    says: 'the server is read-only, cut off from its quorum',
  },
  {
    errno: -120,
    code: 'EPHEMERAL_ON_LOCAL_SESSION',
    make: EphemeralOnLocalSessionError,
    says: 'a local session can create no ephemeral znode',
  },
  { errno: -121, code: 'NO_WATCHER', make: NoWatcherError, says: 'there is no such watch' },
  { errno: -122, code: 'REQUEST_TIMEOUT', make: RequestTimeoutError, says: 'the request timed out', closes: true },
  {
    errno: -123,
    code: 'RECONFIG_DISABLED',
    make: ReconfigDisabledError,
    says: 'reconfiguration is switched off on the server',
  },
  {
    errno: -124,
    code: 'SESSION_CLOSED_REQUIRE_SASL_AUTH',
    make: SaslRequiredError,
    says: 'the server requires SASL authentication',
    closes: true,
  },
  { errno: -125, code: 'QUOTA_EXCEEDED', make: QuotaExceededError, says: 'a quota on the path would be exceeded' },
  {
    errno: -127,
    code: 'THROTTLED_OP',
    make: ThrottledError,
    says: 'the server is overloaded and did not execute it',
    retryable: true,
  },
  // The client's own.
  {
    errno: 0,
    code: 'REQUEST_TOO_LARGE',
    make: RequestTooLargeError,
    says: 'the request is over the limit; nothing was sent',
  },
  { errno: 0, code: 'RESPONSE_TOO_LARGE', make: ResponseTooLargeError, says: 'the response is over maxResponseBytes' },
  { errno: 0, code: 'BUSY', make: BusyError, says: 'too many calls are waiting', retryable: true },
  { errno: 0, code: 'CLOSED', make: ClosedError, says: 'the client is closed' },
  { errno: 0, code: 'TIMEOUT', make: TimeoutError, says: 'the time is up', retryable: true },
  {
    errno: 0,
    code: 'PROTOCOL',
    make: ProtocolError,
    says: 'the peer does not speak the ZooKeeper protocol',
    closes: true,
  },
  { errno: 0, code: 'LEASE_LOST', make: LeaseLostError, says: 'what was held is lost' },
];

const kindByCode: ReadonlyMap<string, ErrorKind> = new Map(errorKinds.map((kind) => [kind.code, kind]));
const kindByErrno: ReadonlyMap<number, ErrorKind> = new Map(
  errorKinds.filter((kind) => kind.errno !== 0).map((kind) => [kind.errno, kind]),
);

/** The numbers that servers send, by the Java client's names. */
export const ErrorCode = {
  OK: 0,
  SYSTEM_ERROR: -1,
  RUNTIME_INCONSISTENCY: -2,
  DATA_INCONSISTENCY: -3,
  CONNECTION_LOSS: -4,
  MARSHALLING_ERROR: -5,
  UNIMPLEMENTED: -6,
  OPERATION_TIMEOUT: -7,
  BAD_ARGUMENTS: -8,
  UNKNOWN_SESSION: -12,
  NEW_CONFIG_NO_QUORUM: -13,
  RECONFIG_IN_PROGRESS: -14,
  API_ERROR: -100,
  NO_NODE: -101,
  NO_AUTH: -102,
  BAD_VERSION: -103,
  NO_CHILDREN_FOR_EPHEMERALS: -108,
  NODE_EXISTS: -110,
  NOT_EMPTY: -111,
  SESSION_EXPIRED: -112,
  INVALID_CALLBACK: -113,
  INVALID_ACL: -114,
  AUTH_FAILED: -115,
  SESSION_MOVED: -118,
  NOT_READ_ONLY: -119,
  EPHEMERAL_ON_LOCAL_SESSION: -120,
  NO_WATCHER: -121,
  REQUEST_TIMEOUT: -122,
  RECONFIG_DISABLED: -123,
  SESSION_CLOSED_REQUIRE_SASL_AUTH: -124,
  QUOTA_EXCEEDED: -125,
  THROTTLED_OP: -127,
} as const;

/** Makes the typed error of a code. */
export function zooKeeperError(code: string, details: ErrorDetails = {}): ZooKeeperError {
  const kind = kindByCode.get(code);
  return kind === undefined ? new ZooKeeperError(code, details) : new kind.make(code, details);
}

/** Makes the typed error of a reply's number; one that the table doesn't list is a plain ZooKeeperError with code `UNKNOWN`. */
export function errorFromReply(errno: number, details: ErrorDetails = {}): ZooKeeperError {
  const kind = kindByErrno.get(errno);
  return kind === undefined
    ? new ZooKeeperError('UNKNOWN', { ...details, errno })
    : new kind.make(kind.code, { ...details, errno });
}

/** Whether a server that sends this number closes the connection with it. */
export function endsConnection(errno: number): boolean {
  return kindByErrno.get(errno)?.closes ?? false;
}
