import { type Held, LeaderLatch, LeaderSelector, Mutex, ReadWriteLock, type ZooKeeper } from 'zookit';

/** What is fought for, as one contender sees it. */
export interface Contest {
  /** Waits for the next hold. */
  acquire(signal: AbortSignal): Promise<Held>;
  /** Leaves nothing behind. */
  close(): Promise<void>;
}

export type Kind = 'mutex' | 'kazoo-mutex' | 'write-lock' | 'latch' | 'selector';

/** What can be fought for; `path` is where its contenders have their znodes. */
export const kinds: Readonly<Record<Kind, (zk: ZooKeeper, path: string) => Contest>> = {
  mutex: (zk, path) => lockContest(new Mutex(zk, path)),
  'kazoo-mutex': (zk, path) => lockContest(new Mutex(zk, path, { layout: 'kazoo' })),
  'write-lock': (zk, path) => lockContest(new ReadWriteLock(zk, path).write),
  latch: (zk, path) => latchContest(new LeaderLatch(zk, path)),
  selector: selectorContest,
};

function lockContest(lock: Pick<Mutex, 'acquire'>): Contest {
  return { acquire: (signal) => lock.acquire({ signal }), close: async () => {} };
}

function latchContest(latch: LeaderLatch): Contest {
  return {
    acquire: async (signal) => {
      await latch.start();
      return latch.wait({ signal });
    },
    close: () => latch.close(),
  };
}

/** The function hands its hold out, and is done when that is released. */
function selectorContest(zk: ZooKeeper, path: string): Contest {
  let take: ((held: Held) => void) | null = null;
  let given: Held | null = null;
  const selector = new LeaderSelector(zk, path, { requeue: true }, async (held) => {
    given = held;
    take?.(held);
    await new Promise<void>((resolve) => held.signal.addEventListener('abort', () => resolve(), { once: true }));
    given = null;
  });
  return {
    acquire: (signal) =>
      new Promise((resolve, reject) => {
        // A term may have begun before it was asked for.
        if (given?.isHeld) resolve(given);
        take = resolve;
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        selector.start().catch(reject);
      }),
    close: () => selector.close(),
  };
}
