export type { RecipeOptions } from '@zookit/recipe-core';
export { GroupMember, type GroupMemberEvents } from './group-member.ts';
export type { PersistentNodeOptions } from './node-kind.ts';
export { PersistentNode, type PersistentNodeEvents } from './persistent-node.ts';
