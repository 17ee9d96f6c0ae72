import type { ZooKeeper } from '@zookit/client';
import type { RecipeOptions } from '@zookit/recipe-core';
import { Cache } from './cache.ts';

/** A cache makes and holds nothing: `acl` and `policy` change nothing. */
export interface TreeCacheOptions extends RecipeOptions {
  /** How many levels below the root are kept. Default: all; 0 is the root alone. */
  depth?: number | undefined;
  /** False leaves a znode out, and all below it. The root is not asked about. */
  filter?: ((path: string) => boolean) | undefined;
}

/**
 * A copy of a znode and of those below it that follows the server. The root need not exist, and is never made.
 *
 * Events tell of the present state, not of every change: what changes twice in a row may be told once. Replayed, they always give the
 * server's tree: a znode that was deleted and made again is `deleted` and `created`, whatever its version.
 */
export class TreeCache extends Cache {
  /** Throws PathError or BadArgumentsError. */
  constructor(zk: ZooKeeper, path: string, options: TreeCacheOptions = {}) {
    super(zk, path, { ...options, depth: options.depth ?? Number.POSITIVE_INFINITY }, true);
  }
}
