import { BadArgumentsError, zooKeeperError } from '@zookit/protocol';
import { type AclInput, toWire } from './acl.ts';

const FLAGS = ['readOnly', 'createChroot', 'trackConfig', 'renewSession', 'shuffle', 'unref'] as const;
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const RETRY_NUMBERS = ['retries', 'factor', 'minTimeout', 'maxTimeout', 'maxRetryTime'] as const;
const CLOCK = ['now', 'wallNow', 'setTimeout', 'clearTimeout', 'afterPendingInput'] as const;
const WORLD = ['random', 'lookup', 'connect'] as const;

/**
 * Throws BadArgumentsError on an option, or a part of one, that is of another type than it says and would fail only when it is used;
 * UnimplementedError on `sasl`, which must not be taken for granted where it is silently missing.
 */
export function checkParts(options: Readonly<Record<string, unknown>>): void {
  const { sasl, acl, logger, retry, environment } = options;
  if (sasl !== undefined) {
    throw zooKeeperError('UNIMPLEMENTED', {
      operation: 'connect',
      message: 'option sasl: SASL is not there yet; use auth, with the digest scheme, or tls with a client certificate',
    });
  }
  for (const name of FLAGS) {
    const flag = options[name];
    if (flag !== undefined && typeof flag !== 'boolean') throw bad(name, 'true or false', flag);
  }
  if (acl !== undefined) toWire(acl as AclInput, 'connect', '/');
  if (logger !== undefined) functions('logger', logger, LEVELS, true);
  if (retry !== undefined && retry !== false) checkRetry(retry);
  if (environment !== undefined) checkEnvironment(environment);
}

function checkRetry(retry: unknown): void {
  const parts = partsOf('retry', retry, 'false or p-retry’s options');
  for (const name of RETRY_NUMBERS) {
    const value = parts[name];
    if (value !== undefined && !(typeof value === 'number' && value >= 0)) {
      throw bad(`retry.${name}`, 'a number from 0', value);
    }
  }
}

function checkEnvironment(environment: unknown): void {
  const { clock, firstXid } = functions('environment', environment, WORLD, false);
  if (clock !== undefined) functions('environment.clock', clock, CLOCK, false);
  if (firstXid !== undefined && !Number.isInteger(firstXid)) {
    throw bad('environment.firstXid', 'a whole number', firstXid);
  }
}

function functions(
  option: string,
  value: unknown,
  names: readonly string[],
  needed: boolean,
): Readonly<Record<string, unknown>> {
  const parts = partsOf(option, value, `an object with the functions ${names.join(', ')}`);
  for (const name of names) {
    const part = parts[name];
    if (typeof part === 'function' || (part === undefined && !needed)) continue;
    throw bad(`${option}.${name}`, 'a function', part);
  }
  return parts;
}

function partsOf(option: string, value: unknown, wanted: string): Readonly<Record<string, unknown>> {
  // A logger may well be a function with methods.
  const isObject =
    (typeof value === 'object' && value !== null && !Array.isArray(value)) || typeof value === 'function';
  if (!isObject) throw bad(option, wanted, value);
  return value as Readonly<Record<string, unknown>>;
}

function bad(option: string, wanted: string, value: unknown): BadArgumentsError {
  return new BadArgumentsError('BAD_ARGUMENTS', {
    operation: 'connect',
    message: `option ${option} must be ${wanted}, not ${String(value)}`,
  });
}
