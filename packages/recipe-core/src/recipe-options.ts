import { type AclInput, BadArgumentsError } from '@zookit/client';
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
