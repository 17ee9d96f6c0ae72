export type { RecipeOptions } from '@zookit/recipe-core';
export { Barrier } from './barrier.ts';
export { DoubleBarrier, type DoubleBarrierOptions } from './double-barrier.ts';
