export type {
  Held,
  LockEnded,
  LockEvent,
  LockEvents,
  LockGranted,
  LockLost,
  LockPosition,
  Policy,
  QueueEntry,
} from '@zookit/recipe-core';
export type { Lock } from './lock.ts';
export { Mutex, type MutexOptions } from './mutex.ts';
export { ReadWriteLock, type ReadWriteLockOptions } from './read-write-lock.ts';
