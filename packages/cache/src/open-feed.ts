import type { ZooKeeper, ZooKeeperError } from '@zookit/client';
import type { Feed, FeedHandlers } from './feed.ts';
import { OneShotFeed } from './one-shot-feed.ts';
import { PersistentFeed } from './persistent-feed.ts';

/**
 * One persistent watch for all that is cached, or one-shot watches on every znode where the server has no recursive ones.
 * Aborting the signal ends it, and its reads.
 */
export async function openFeed(
  zk: ZooKeeper,
  root: string,
  recursive: boolean,
  handlers: FeedHandlers,
  signal: AbortSignal,
): Promise<Feed> {
  try {
    return await PersistentFeed.open(zk, root, recursive, handlers, signal);
  } catch (error) {
    if (!recursive || (error as ZooKeeperError).code !== 'UNIMPLEMENTED') throw error;
    return new OneShotFeed(zk, root, handlers, signal);
  }
}
