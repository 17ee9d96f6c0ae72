export type { Held, Policy } from '@zookit/recipe-core';
export { LeaderLatch, type LeaderLatchEvents, type LeaderLatchOptions } from './leader-latch.ts';
export {
  type LeaderFunction,
  LeaderSelector,
  type LeaderSelectorEvents,
  type LeaderSelectorOptions,
  type LeaderSelectorState,
} from './leader-selector.ts';
export type { Participant } from './participants.ts';
