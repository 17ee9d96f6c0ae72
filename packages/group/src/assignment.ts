import { type AclInput, type ReadOptions, type Stat, type ZooKeeper, ZooKeeperError } from '@zookit/client';
import type { Shares } from './assign.ts';

/** Who is to have what, as it was written down last. */
export interface Assignment {
  /** Null when nothing is written down. */
  readonly stat: Stat | null;
  readonly shares: Shares;
}

/** Reads it, and has the next change told. What can't be read counts as nothing. */
export async function readAssignment(zk: ZooKeeper, path: string, options: ReadOptions): Promise<Assignment> {
  for (;;) {
    try {
      const { data, stat } = await zk.get(path, options);
      return { stat, shares: parse(data) };
    } catch (error) {
      if (!isCode(error, 'NO_NODE')) throw error;
    }
    // A watch on data can't wait for the znode itself.
    if ((await zk.exists(path, options)) === null) return { stat: null, shares: new Map() };
  }
}

/** Writes it down if nobody else has since. */
export async function writeAssignment(
  zk: ZooKeeper,
  path: string,
  { stat }: Assignment,
  shares: Shares,
  { acl, signal }: { acl: AclInput | undefined; signal: AbortSignal },
): Promise<void> {
  const data = JSON.stringify(Object.fromEntries(shares));
  try {
    if (stat !== null) await zk.set(path, data, { version: stat.version, signal });
    else await zk.create(path, data, { parents: 'container', signal, ...(acl === undefined ? {} : { acl }) });
  } catch (error) {
    if (!isCode(error, 'NO_NODE', 'NODE_EXISTS', 'BAD_VERSION')) throw error;
  }
}

/** Takes away what nobody needs any more. */
export async function removeAssignment(zk: ZooKeeper, path: string, { stat }: Assignment): Promise<void> {
  if (stat === null) return;
  try {
    await zk.delete(path, { version: stat.version });
  } catch (error) {
    if (!isCode(error, 'NO_NODE', 'BAD_VERSION')) throw error;
  }
}

function parse(data: Buffer | null): Shares {
  try {
    const entries: [string, unknown][] = Object.entries(JSON.parse(data?.toString() ?? ''));
    const sound = entries.every(([, items]) => Array.isArray(items) && items.every((item) => typeof item === 'string'));
    return sound ? new Map(entries as [string, string[]][]) : new Map();
  } catch {
    return new Map();
  }
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof ZooKeeperError && codes.includes(error.code);
}
