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
export { Mutex, type MutexOptions } from './mutex.ts';
