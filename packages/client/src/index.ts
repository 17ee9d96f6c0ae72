export type { Clock, CreateMode, OpenSocket, SocketTarget, Stat, Timer } from '@zookit/protocol';
export type { Options as RetryOptions } from 'p-retry';
export { ACL, type AclInput, Perms } from './acl.ts';
export type { CreateOptions } from './create.ts';
export type { Data } from './data.ts';
export type { EnsurePathOptions } from './ensure-path.ts';
export type { Environment, EnvironmentParts, LookupAnswer } from './environment.ts';
export type { Health, Server } from './health.ts';
export type { Logger } from './logger.ts';
export type {
  AclVersionOptions,
  CloseOptions,
  DeleteOptions,
  ReadOptions,
  VersionOptions,
} from './method-options.ts';
export type { ReadRequest, ReadResult, ReadResults } from './multi-read.ts';
export type { Identity } from './operations/who-am-i.ts';
export type { CallOptions, ZooKeeperOptions } from './options.ts';
export * from './public-errors.ts';
export type { ReconfigOptions } from './reconfig.ts';
export type { Session } from './session/grant.ts';
export type { State, StateEvent } from './session/machine.ts';
export type { Transaction, TransactionCreateOptions, TransactionResult } from './transaction.ts';
export type { PersistentWatchEvent, WatchEvent, WatchListener } from './watches/event.ts';
export type { Watch, WatchEvents, WatchOptions } from './watches/watch.ts';
export { ZooKeeper } from './zookeeper.ts';
