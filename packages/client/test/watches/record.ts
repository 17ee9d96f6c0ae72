import type { PersistentWatchEvent, Watch, ZooKeeper } from '../../src/index.ts';
import { until as untilOr } from '../support/until.ts';

/** As everywhere, with time enough for a machine that has much else to do. */
export function until(condition: () => boolean, what: string): Promise<void> {
  return untilOr(condition, what, 20_000);
}

/** Whatever a watch tells its listeners, as "type path". */
export function record(watch: Watch): string[] {
  const told: string[] = [];
  watch.on('event', ({ type, path }) => told.push(`${type} ${path}`));
  return told;
}

/** All that a watch brings until it ends. */
export async function readAll(watch: Watch): Promise<PersistentWatchEvent[]> {
  const read: PersistentWatchEvent[] = [];
  for await (const event of watch) read.push(event);
  return read;
}

/** Waits until all that has happened so far has been told. */
export async function settled(zk: ZooKeeper): Promise<void> {
  await zk.sync('/');
}

/** Waits for the connection after next: the present one is cut. */
export async function reconnected(zk: ZooKeeper, cut: () => void): Promise<void> {
  let back = false;
  zk.once('reconnected', () => {
    back = true;
  });
  cut();
  await until(() => back, 'the client is connected again');
}
