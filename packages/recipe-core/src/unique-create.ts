import { randomUUID } from 'node:crypto';
import type { CreateOptions, Data, Stat, ZooKeeper, ZooKeeperError } from '@zookit/client';
import { coreOf } from '@zookit/client/internal';
import { leaveLater } from './departures.ts';
import { childOf } from './paths.ts';

/**
 * Creates an ephemeral sequential znode `HEX32 + name + number` as kazoo does, HEX32 being a UUID that only this call
 * knows: when the reply is lost, the znode is found by it. Given up, it leaves no znode behind.
 */
export async function createUnique(
  zk: ZooKeeper,
  base: string,
  name: string,
  data: Data,
  options: Pick<CreateOptions, 'acl'>,
  signal: AbortSignal,
): Promise<{ path: string; stat: Stat | null }> {
  const mark = randomUUID().replaceAll('-', '');
  try {
    for (;;) {
      const created = await tryCreate(zk, childOf(base, mark + name), data, { ...options, signal });
      if (created !== null) return created;
      const found = await find(zk, base, mark, signal);
      if (found !== null && found.stat.ephemeralOwner === coreOf(zk).session.grant?.id) return found;
      // A znode of a session that is over would vanish under its new owner.
      if (found !== null) leaveLater(zk, found.path);
    }
  } catch (error) {
    if (signal.aborted) sweep(zk, base, mark);
    throw error;
  }
}

/** Null when the reply was lost. */
async function tryCreate(
  zk: ZooKeeper,
  path: string,
  data: Data,
  options: CreateOptions,
): Promise<{ path: string; stat: Stat | null } | null> {
  try {
    return await zk.create(path, data, { ...options, mode: 'ephemeral-sequential', parents: true });
  } catch (error) {
    if ((error as ZooKeeperError).code === 'CONNECTION_LOSS') return null;
    throw error;
  }
}

/**
 * Asks until there is an answer, and a server that has caught up: one that lags might not show what the lost reply was
 * about.
 */
async function find(
  zk: ZooKeeper,
  base: string,
  mark: string,
  signal?: AbortSignal,
): Promise<{ path: string; stat: Stat } | null> {
  for (;;) {
    try {
      await zk.sync(base, { signal });
      const { children } = await zk.children(base, { signal });
      const name = children.find((child) => child.startsWith(mark));
      if (name === undefined) return null;
      const path = childOf(base, name);
      const stat = await zk.exists(path, { signal });
      return stat === null ? null : { path, stat };
    } catch (error) {
      const { code } = error as ZooKeeperError;
      if (code === 'NO_NODE') return null;
      if (code !== 'CONNECTION_LOSS') throw error;
    }
  }
}

/** Removes in the background what a create may have made that nobody waits for any more. */
function sweep(zk: ZooKeeper, base: string, mark: string): void {
  find(zk, base, mark).then(
    (found) => {
      if (found !== null) leaveLater(zk, found.path);
    },
    (error: unknown) => {
      // A client that is over has taken its session along.
      if (!coreOf(zk).over.aborted) coreOf(zk).events.report(error);
    },
  );
}
