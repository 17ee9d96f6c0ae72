/** Request types of the ZooKeeper wire protocol, by Apache's names. */
export const OpCode = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getACL: 6,
  setACL: 7,
  getChildren: 8,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  /** Only inside a multi: sent bare it ruins servers before 3.8.5 and 3.9.3 (ZOOKEEPER-2623). */
  check: 13,
  multi: 14,
  create2: 15,
  reconfig: 16,
  checkWatches: 17,
  removeWatches: 18,
  createContainer: 19,
  /** The server's own; a client that sends it deletes other people's znodes. */
  deleteContainer: 20,
  createTTL: 21,
  multiRead: 22,
  auth: 100,
  setWatches: 101,
  sasl: 102,
  getEphemerals: 103,
  getAllChildrenNumber: 104,
  setWatches2: 105,
  addWatch: 106,
  whoAmI: 107,
  closeSession: -11,
} as const;

export type OpCode = (typeof OpCode)[keyof typeof OpCode];

/** Reserved xids; ordinary requests count from 1 to 2^31 - 1 and start again at 1. */
export const Xid = {
  notification: -1,
  ping: -2,
  auth: -4,
  setWatches: -8,
} as const;

/** The `type` of a WatcherEvent on the wire. */
export const EventType = {
  none: -1,
  created: 1,
  deleted: 2,
  changed: 3,
  children: 4,
} as const;

/** `watcherType` of checkWatches and removeWatches; the last two exist from 3.9.0 on. */
export const WatcherType = {
  children: 1,
  data: 2,
  any: 3,
  persistent: 4,
  persistentRecursive: 5,
} as const;

/** `mode` of addWatch. */
export const AddWatchMode = {
  persistent: 0,
  persistentRecursive: 1,
} as const;

/** `flags` of the create requests. */
export const CreateFlag = {
  persistent: 0,
  ephemeral: 1,
  'persistent-sequential': 2,
  'ephemeral-sequential': 3,
  container: 4,
  'persistent-ttl': 5,
  'persistent-sequential-ttl': 6,
} as const;

export type CreateMode = keyof typeof CreateFlag;
