export type { Held, Policy, QueueEntry } from '@zookit/recipe-core';
export { Mutex, type MutexOptions } from './mutex.ts';
