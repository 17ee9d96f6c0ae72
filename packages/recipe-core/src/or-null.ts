import type { ZooKeeperError } from '@zookit/client';

/** What a call resolves with; null when its znode is missing. */
export async function orNull<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if ((error as ZooKeeperError).code === 'NO_NODE') return null;
    throw error;
  }
}
