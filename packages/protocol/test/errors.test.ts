import { describe, expect, it } from '@jest/globals';
import * as protocol from '../src/index.ts';
import {
  ErrorCode,
  endsConnection,
  errorFromReply,
  TransactionError,
  ZooKeeperError,
  zooKeeperError,
} from '../src/index.ts';

// Every number of the protocol, the Java client's name of it, our class, and whether the server ends the connection with it.
const table: [number, string, string, boolean][] = [
  [-1, 'SYSTEM_ERROR', 'SystemError', false],
  [-2, 'RUNTIME_INCONSISTENCY', 'RuntimeInconsistencyError', false],
  [-3, 'DATA_INCONSISTENCY', 'DataInconsistencyError', false],
  [-4, 'CONNECTION_LOSS', 'ConnectionLossError', true],
  [-5, 'MARSHALLING_ERROR', 'MarshallingError', false],
  // As the reply to an unknown opcode it ends the connection, to a TTL create it doesn't.
  [-6, 'UNIMPLEMENTED', 'UnimplementedError', false],
  [-7, 'OPERATION_TIMEOUT', 'RequestTimeoutError', false],
  [-8, 'BAD_ARGUMENTS', 'BadArgumentsError', false],
  [-12, 'UNKNOWN_SESSION', 'UnknownSessionError', false],
  [-13, 'NEW_CONFIG_NO_QUORUM', 'NewConfigNoQuorumError', false],
  [-14, 'RECONFIG_IN_PROGRESS', 'ReconfigInProgressError', false],
  [-100, 'API_ERROR', 'ApiError', false],
  [-101, 'NO_NODE', 'NoNodeError', false],
  [-102, 'NO_AUTH', 'NoAuthError', false],
  [-103, 'BAD_VERSION', 'BadVersionError', false],
  [-108, 'NO_CHILDREN_FOR_EPHEMERALS', 'NoChildrenForEphemeralsError', false],
  [-110, 'NODE_EXISTS', 'NodeExistsError', false],
  [-111, 'NOT_EMPTY', 'NotEmptyError', false],
  [-112, 'SESSION_EXPIRED', 'SessionExpiredError', true],
  [-113, 'INVALID_CALLBACK', 'InvalidCallbackError', false],
  [-114, 'INVALID_ACL', 'InvalidAclError', false],
  [-115, 'AUTH_FAILED', 'AuthFailedError', true],
  [-118, 'SESSION_MOVED', 'SessionMovedError', true],
  [-119, 'NOT_READ_ONLY', 'NotReadOnlyError', false],
  [-120, 'EPHEMERAL_ON_LOCAL_SESSION', 'EphemeralOnLocalSessionError', false],
  [-121, 'NO_WATCHER', 'NoWatcherError', false],
  [-122, 'REQUEST_TIMEOUT', 'RequestTimeoutError', true],
  [-123, 'RECONFIG_DISABLED', 'ReconfigDisabledError', false],
  [-124, 'SESSION_CLOSED_REQUIRE_SASL_AUTH', 'SaslRequiredError', true],
  [-125, 'QUOTA_EXCEEDED', 'QuotaExceededError', false],
  [-127, 'THROTTLED_OP', 'ThrottledError', false],
];

const own: [string, string][] = [
  ['REQUEST_TOO_LARGE', 'RequestTooLargeError'],
  ['RESPONSE_TOO_LARGE', 'ResponseTooLargeError'],
  ['BUSY', 'BusyError'],
  ['CLOSED', 'ClosedError'],
  ['TIMEOUT', 'TimeoutError'],
  ['PROTOCOL', 'ProtocolError'],
  ['LEASE_LOST', 'LeaseLostError'],
];

const classes = protocol as unknown as Record<string, new (...args: never[]) => Error>;

describe('the error table', () => {
  it.each(table)('%i is %s, a %s', (errno, code, name, closes) => {
    const error = errorFromReply(errno, { path: '/a', operation: 'get' });
    expect(error).toBeInstanceOf(classes[name] as never);
    expect(error).toBeInstanceOf(ZooKeeperError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ code, errno, name, path: '/a', operation: 'get' });
    expect(endsConnection(errno)).toBe(closes);
    expect((ErrorCode as Record<string, number>)[code]).toBe(errno);
    // By name the same class; the number comes from the table.
    expect(zooKeeperError(code)).toMatchObject({ code, name, errno: code === 'OPERATION_TIMEOUT' ? -7 : errno });
  });

  it('lists no number that is not in this table', () => {
    const { OK, ...rest } = ErrorCode;
    expect(OK).toBe(0);
    expect(Object.values(rest).sort((a, b) => b - a)).toEqual(table.map(([errno]) => errno));
  });

  it.each(own)("%s, the client's own, is a %s with errno 0", (code, name) => {
    const error = zooKeeperError(code);
    expect(error).toBeInstanceOf(classes[name] as never);
    expect(error).toMatchObject({ code, errno: 0, name });
  });

  it.each([-9, -15, -116, -117, -126, -999, 1, 42, 2147483647, -2147483648])('keeps the unknown number %i', (errno) => {
    const error = errorFromReply(errno, { path: '/a', operation: 'set' });
    expect(error.constructor).toBe(ZooKeeperError);
    expect(error).toMatchObject({ code: 'UNKNOWN', errno, name: 'ZooKeeperError' });
    expect(error.message).toContain(String(errno));
    expect(endsConnection(errno)).toBe(false);
    expect(error.retryable).toBe(false);
  });

  it('answers whether the same call may succeed later', () => {
    const retryable = [...table.map(([, code]) => code), ...own.map(([code]) => code)].filter(
      (code) => zooKeeperError(code).retryable,
    );
    expect(retryable).toEqual([
      'CONNECTION_LOSS',
      'OPERATION_TIMEOUT',
      'NEW_CONFIG_NO_QUORUM',
      'RECONFIG_IN_PROGRESS',
      'SESSION_MOVED',
      'THROTTLED_OP',
      'BUSY',
      'TIMEOUT',
    ]);
  });
});

describe('what an error says of itself', () => {
  it('names code, operation and path first, then the reason, then the doubt', () => {
    const error = zooKeeperError('CONNECTION_LOSS', { path: '/a "b"', operation: 'set', maybeApplied: true });
    expect(error.message).toBe(
      'CONNECTION_LOSS set "/a \\"b\\"": the connection broke before the reply came (it may have been applied)',
    );
    expect(String(error)).toBe(`ConnectionLossError: ${error.message}`);
  });

  it('takes a message of its own in place of the usual one', () => {
    expect(zooKeeperError('TIMEOUT', { operation: 'get', message: 'no answer within 5 ms' }).message).toBe(
      'TIMEOUT get: no answer within 5 ms',
    );
    expect(zooKeeperError('BUSY').message).toBe('BUSY: too many calls are waiting');
    expect(errorFromReply(-77).message).toBe('UNKNOWN -77: the server reported an error');
  });

  it('has only the fields that are known', () => {
    const bare = zooKeeperError('NO_NODE');
    expect(Object.keys(bare).sort()).toEqual(['code', 'errno', 'name']);
    expect('maybeApplied' in bare).toBe(false);
    expect('cause' in bare).toBe(false);
    expect(zooKeeperError('CLOSED', { maybeApplied: false }).maybeApplied).toBe(false);
    expect(zooKeeperError('CLOSED', { maybeApplied: false }).message).not.toContain('applied');
  });

  it('keeps the cause as it is, be it an Error or not', () => {
    const cause = { code: 'ECONNREFUSED' };
    expect(zooKeeperError('CONNECTION_LOSS', { cause }).cause).toBe(cause);
    expect(zooKeeperError('CONNECTION_LOSS', { cause: null }).cause).toBeNull();
  });

  it('has a stack that begins with its name', () => {
    expect(zooKeeperError('BUSY').stack).toMatch(/^(BusyError|Error): BUSY/);
  });

  it('carries the results of a transaction', () => {
    const results = [null, zooKeeperError('NODE_EXISTS'), zooKeeperError('RUNTIME_INCONSISTENCY')];
    const error = new TransactionError('NODE_EXISTS', results, { path: '/a', errno: -110 });
    expect(error).toMatchObject({ name: 'TransactionError', code: 'NODE_EXISTS', errno: -110, path: '/a', results });
    expect(error).toBeInstanceOf(ZooKeeperError);
  });
});
