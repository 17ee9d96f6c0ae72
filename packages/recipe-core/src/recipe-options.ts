import { type AclInput, BadArgumentsError, type CallOptions } from '@zookit/client';
import type { Policy } from './held.ts';

/** Taken by every recipe. */
export interface RecipeOptions {
  /** The ACL of what the recipe creates. Default: the client's. */
  acl?: AclInput | undefined;
  /** When a hold ends by itself. Default `deadline`. */
  policy?: Policy | undefined;
}

/** The policy, or the default. Throws BadArgumentsError on anything else. */
export function requirePolicy({ policy = 'deadline' }: RecipeOptions, path: string): Policy {
  if (policy === 'deadline' || policy === 'suspended') return policy;
  const message = `policy must be 'deadline' or 'suspended', not ${String(policy)}`;
  throw new BadArgumentsError('BAD_ARGUMENTS', { path, message });
}

/** Throws BadArgumentsError on a signal or a timeout that can't be meant. */
export function requireCallOptions(
  { signal, timeout }: CallOptions,
  about: { operation: string; path: string | undefined },
): void {
  const bad = (message: string): BadArgumentsError => new BadArgumentsError('BAD_ARGUMENTS', { ...about, message });
  if (signal !== undefined && typeof (signal as Partial<AbortSignal> | null)?.addEventListener !== 'function') {
    throw bad('signal must be an AbortSignal');
  }
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout >= 0)) {
    throw bad(`timeout must be a number of milliseconds, not ${String(timeout)}`);
  }
}

/** Throws BadArgumentsError unless it is a function. */
export function requireWork(work: unknown, operation: string, path?: string): void {
  if (typeof work === 'function') return;
  const message = `${operation} takes a function, not ${String(work)}`;
  throw new BadArgumentsError('BAD_ARGUMENTS', { operation, path, message });
}
