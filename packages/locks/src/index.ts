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
export type { LeaseCount } from './lease-limit.ts';
export type { Lock } from './lock.ts';
export { type Acquirable, type MultiHeld, MultiLock } from './multi-lock.ts';
export { Mutex, type MutexOptions } from './mutex.ts';
export { ReadWriteLock, type ReadWriteLockOptions } from './read-write-lock.ts';
export { type LeaseOptions, Semaphore, type SemaphoreOptions } from './semaphore.ts';
