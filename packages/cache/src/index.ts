export type { RecipeOptions } from '@zookit/recipe-core';
export type { Cache, CacheEvents } from './cache.ts';
export type { CachedChange, CachedNode } from './image.ts';
export { NodeCache } from './node-cache.ts';
export { TreeCache, type TreeCacheOptions } from './tree-cache.ts';
