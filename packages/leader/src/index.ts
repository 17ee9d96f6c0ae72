export type { Held, Policy } from '@zookit/recipe-core';
export { LeaderLatch, type LeaderLatchEvents, type LeaderLatchOptions } from './leader-latch.ts';
export type { Participant } from './participants.ts';
