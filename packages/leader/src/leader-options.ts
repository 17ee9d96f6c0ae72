import { BadArgumentsError, type ZooKeeper } from '@zookit/client';
import { checkPath, coreOf } from '@zookit/client/internal';
import type { RecipeOptions } from '@zookit/recipe-core';
import { type Contest, curatorTickets, firstInLine, requirePolicy } from '@zookit/recipe-core/internal';

export interface LeaderOptions extends RecipeOptions {
  /** Written into the znode, for others to read: see `participants()`. */
  id?: string | undefined;
}

/** The contest on a path, in Curator's layout. Throws PathError or BadArgumentsError. */
export function contestOf(
  zk: ZooKeeper,
  base: string,
  options: LeaderOptions,
  { nodeName, recipe, data }: { nodeName: string; recipe: string; data: string | undefined },
): Omit<Contest, 'standing'> {
  coreOf(zk);
  checkPath(base, recipe);
  const { id, acl } = options;
  if (id !== undefined && typeof id !== 'string') {
    throw new BadArgumentsError('BAD_ARGUMENTS', { path: base, message: `id must be a string, not ${String(id)}` });
  }
  const driver = firstInLine(curatorTickets(nodeName));
  return { zk, base, nodeName, data, acl, driver, policy: requirePolicy(options, base) };
}
