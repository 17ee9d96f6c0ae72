import type { CaseGroup } from '../case.ts';
import { aclCalls } from './acl-calls.ts';
import { auth } from './auth.ts';
import { barriers } from './barriers.ts';
import { callLimits } from './call-limits.ts';
import { chroot } from './chroot.ts';
import { close } from './close.ts';
import { connect } from './connect.ts';
import { create } from './create.ts';
import { createProtected } from './create-protected.ts';
import { createWithEnd } from './create-with-end.ts';
import { data } from './data.ts';
import { errorPrecedence } from './error-precedence.ts';
import { groupRecipes } from './groups.ts';
import { guaranteedDelete } from './guaranteed-delete.ts';
import { leader } from './leader.ts';
import { lostConnection } from './lost-connection.ts';
import { manyReads } from './many-reads.ts';
import { mutex } from './mutex.ts';
import { namespace } from './namespace.ts';
import { order } from './order.ts';
import { paths } from './paths.ts';
import { persistentWatchFaults } from './persistent-watch-faults.ts';
import { persistentWatchLife } from './persistent-watch-life.ts';
import { persistentWatches } from './persistent-watches.ts';
import { read } from './read.ts';
import { serverLore } from './server-lore.ts';
import { serviceDiscovery } from './service-discovery.ts';
import { sessionExpiry } from './session-expiry.ts';
import { sessionTakeover } from './session-takeover.ts';
import { sessions } from './sessions.ts';
import { multiLocks, readWriteLocks, semaphores } from './sharing-locks.ts';
import { sizeLimits } from './size-limits.ts';
import { stat } from './stat.ts';
import { sync } from './sync.ts';
import { transactions } from './transactions.ts';
import { treeCache } from './tree-cache.ts';
import { trees } from './trees.ts';
import { watchEvents } from './watch-events.ts';
import { watchOrder } from './watch-order.ts';
import { watchReconnect } from './watch-reconnect.ts';
import { watchRemoval } from './watch-removal.ts';
import { write } from './write.ts';

export const groups: readonly CaseGroup[] = [
  connect,
  create,
  createWithEnd,
  createProtected,
  data,
  sizeLimits,
  read,
  write,
  paths,
  order,
  stat,
  sync,
  chroot,
  namespace,
  watchEvents,
  watchOrder,
  watchRemoval,
  watchReconnect,
  persistentWatches,
  persistentWatchLife,
  persistentWatchFaults,
  sessions,
  sessionTakeover,
  sessionExpiry,
  auth,
  callLimits,
  lostConnection,
  guaranteedDelete,
  close,
  transactions,
  manyReads,
  aclCalls,
  errorPrecedence,
  serverLore,
  trees,
  mutex,
  readWriteLocks,
  semaphores,
  multiLocks,
  treeCache,
  serviceDiscovery,
  leader,
  barriers,
  groupRecipes,
];
