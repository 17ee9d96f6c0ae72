import { type CreateOptions, createNode } from './create.ts';
import type { Data } from './data.ts';
import { viewOf, type ZooKeeper } from './zookeeper.ts';

/**
 * As `create` with `protected`, with a mark of the caller's in front of the name: one that nobody else knows. `onGivenUp`
 * is called when it is given up, with what settles once nothing of it is left.
 */
export function createMarked(
  zk: ZooKeeper,
  path: string,
  data: Data | undefined,
  options: Omit<CreateOptions, 'protected'>,
  mark: string,
  onGivenUp?: (gone: Promise<unknown>) => void,
): ReturnType<ZooKeeper['create']> {
  const { core, root } = viewOf(zk);
  return createNode(core, root, path, data, { ...options, protected: true }, { mark, onGivenUp });
}
