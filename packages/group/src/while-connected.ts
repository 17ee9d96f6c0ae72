import type { ZooKeeper } from '@zookit/client';
import { coreOf } from '@zookit/client/internal';

/** Resolves with the work, and as soon as there is no connection: it goes on in the background then. */
export function whileConnected(zk: ZooKeeper, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const onState = (): void => {
      zk.off('state', onState);
      work.catch((error: unknown) => coreOf(zk).events.report(error));
      resolve();
    };
    if (zk.state !== 'connected') onState();
    else {
      zk.on('state', onState);
      work.then(resolve, reject).finally(() => zk.off('state', onState));
    }
  });
}
