import type { ZooKeeper } from '@zookit/client';
import { Cache } from './cache.ts';

/**
 * A copy of one znode that follows the server. It need not exist, and is never made.
 *
 * Events tell of the present state, not of every change: what changes twice in a row may be told once.
 */
export class NodeCache extends Cache {
  /** Throws PathError. */
  constructor(zk: ZooKeeper, path: string) {
    super(zk, path, { depth: 0 }, false);
  }
}
