export { ClosedError, LeaseLostError, TimeoutError, ZooKeeperError } from '@zookit/client';
export type { Guardable, Held, HeldEvents, Policy } from './held.ts';
export type { LockEnded, LockEvent, LockEvents, LockGranted, LockLost, LockPosition } from './lock-events.ts';
export type { QueueEntry } from './queue.ts';
export type { RecipeOptions } from './recipe-options.ts';
