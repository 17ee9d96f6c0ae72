export type { Clock, CreateMode, OpenSocket, SocketTarget, Stat, Timer } from '@zookit/protocol';
export { ACL, type AclInput, Perms } from './acl.ts';
export type { CreateOptions } from './create.ts';
export type { Data } from './data.ts';
export type { Environment } from './environment.ts';
export type { Logger } from './logger.ts';
export type { CallOptions, ZooKeeperOptions } from './options.ts';
export * from './public-errors.ts';
export type { Session } from './session/grant.ts';
export type { State, StateEvent } from './session/machine.ts';
export type { WatchEvent, WatchListener } from './watches/event.ts';
export {
  type CloseOptions,
  type DeleteOptions,
  type ReadOptions,
  type VersionOptions,
  ZooKeeper,
} from './zookeeper.ts';
