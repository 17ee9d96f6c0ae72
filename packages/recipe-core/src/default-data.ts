import type { Data, ZooKeeper } from '@zookit/client';
import { coreOf } from '@zookit/client/internal';

/** What recipes write where the user gives no data, as Curator does: this end's address as text. */
export function dataOrAddress(zk: ZooKeeper, data: Data | undefined): Data {
  return data === undefined ? (coreOf(zk).session.connection?.localAddress ?? '') : data;
}
