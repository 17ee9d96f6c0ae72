import type { Data, ZooKeeper } from '@zookit/client';
import { checkPath, coreOf, toBytes } from '@zookit/client/internal';
import type { RecipeOptions } from '@zookit/recipe-core';
import { requirePolicy } from '@zookit/recipe-core/internal';
import { AsyncOwner } from './async-owner.ts';
import type { Lock } from './lock.ts';
import type { Kind } from './read-write-line.ts';
import { ReadWriteSide } from './read-write-side.ts';

export interface ReadWriteLockOptions extends RecipeOptions {
  /** Written into the znode of each contender, for people to read. Default: this end's address as text. */
  data?: Data | undefined;
}

/**
 * Many readers or one writer on a path, for processes on any number of machines, Apache Curator's
 * InterProcessReadWriteLock among them. First come, first served: a reader waits for every writer that came before it,
 * so that readers can't starve writers.
 *
 * What an async context holds through an object does not stand in its own way there: a writer takes a read lock at
 * once, keeps it when it lets go of the write lock, and so becomes a reader with no other writer in between (downgrade);
 * a reader may read once more, whoever waits. A reader that asks for the write lock is refused with BadArgumentsError,
 * as it would wait for itself; so would a writer that asks for it twice, which waits as with a Mutex.
 *
 * Contexts are followed as by `reentrant` of Mutex: for the function of a `run` and all that it starts, and from an
 * `acquire()` on for whoever called it. Tasks that are to exclude each other use `run`, or an object each.
 *
 * The fencing token of each hold is larger than those of the writers before it and smaller than those of the writers
 * after it; a downgrade's is that of the write lock.
 */
export class ReadWriteLock {
  /** The znode whose children stand in line. */
  readonly path: string;
  /** Shared with other readers; `queue` and `revoke` are about readers. */
  readonly read: Lock;
  /** For one alone; `queue` and `revoke` are about writers. */
  readonly write: Lock;

  /** Throws PathError or BadArgumentsError. */
  constructor(zk: ZooKeeper, path: string, options: ReadWriteLockOptions = {}) {
    coreOf(zk);
    checkPath(path, 'ReadWriteLock');
    const { data, acl } = options;
    const policy = requirePolicy(options, path);
    toBytes(data, 'ReadWriteLock', path);
    const owner = new AsyncOwner<Kind>();
    const common = { zk, base: path, data, acl, policy };
    this.path = path;
    this.read = new ReadWriteSide('read', common, owner);
    this.write = new ReadWriteSide('write', common, owner);
  }
}
