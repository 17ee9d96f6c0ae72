import type { ZooKeeper } from '@zookit/client';
import type { RecipeOptions } from '@zookit/recipe-core';
import { Cache } from './cache.ts';

/**
 * A copy of one znode that follows the server. It need not exist, and is never made.
 *
 * Events tell of the present state, not of every change: what changes twice in a row may be told once.
 */
export class NodeCache extends Cache {
  /** Throws PathError or BadArgumentsError. A cache makes and holds nothing: `acl` and `policy` change nothing. */
  constructor(zk: ZooKeeper, path: string, options: RecipeOptions = {}) {
    super(zk, path, { ...options, depth: 0 }, false);
  }
}
