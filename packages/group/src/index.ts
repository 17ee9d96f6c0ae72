export type { RecipeOptions } from '@zookit/recipe-core';
export { GroupMember, type GroupMemberEvents } from './group-member.ts';
export type { PersistentNodeOptions } from './node-kind.ts';
export { Partitioner, type PartitionerEvents, type PartitionerOptions } from './partitioner.ts';
export { PersistentNode, type PersistentNodeEvents } from './persistent-node.ts';
