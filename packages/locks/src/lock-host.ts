import type { ZooKeeper } from '@zookit/client';
import { coreOf } from '@zookit/client/internal';
import type { PatienceHost } from '@zookit/recipe-core/internal';

const clients = new WeakMap<object, ZooKeeper>();

/** Notes whose lock that is. */
export function noteClient(lock: object, zk: ZooKeeper): void {
  clients.set(lock, zk);
}

/** Whose clock to go by when waiting for these locks: that of the first client among theirs, else Node's own. */
export function hostOf(locks: readonly object[]): PatienceHost {
  const zk = locks.map((lock) => clients.get(lock)).find((each) => each !== undefined);
  return zk === undefined ? nobody : coreOf(zk);
}

const nobody: PatienceHost = {
  over: new AbortController().signal,
  dispatcher: {
    setTimeout: (callback, ms) => {
      const timer = setTimeout(callback, Math.min(ms, 0x7fffffff));
      return () => clearTimeout(timer);
    },
  },
};
