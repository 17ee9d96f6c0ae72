import { type Held, Mutex, type ZooKeeper } from 'zookit';

/** What is fought for, as one contender sees it. */
export interface Contest {
  /** Waits for the next hold. */
  acquire(signal: AbortSignal): Promise<Held>;
  /** Leaves nothing behind. */
  close(): Promise<void>;
}

export type Kind = 'mutex' | 'kazoo-mutex';

/** What can be fought for; `path` is where its contenders have their znodes. */
export const kinds: Readonly<Record<Kind, (zk: ZooKeeper, path: string) => Contest>> = {
  mutex: (zk, path) => mutexContest(new Mutex(zk, path)),
  'kazoo-mutex': (zk, path) => mutexContest(new Mutex(zk, path, { layout: 'kazoo' })),
};

function mutexContest(mutex: Mutex): Contest {
  return { acquire: (signal) => mutex.acquire({ signal }), close: async () => {} };
}
