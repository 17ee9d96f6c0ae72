import type { ZooKeeper } from '@zookit/client';
import type { FaultProxy } from '@zookit/testing';

/**
 * Cuts the client off, does something meanwhile, and lets it come back.
 *
 * Its next handshake is held rather than refused: so it is back at once, and not after the pause that follows a refusal.
 */
export async function outage(proxy: FaultProxy, zk: ZooKeeper, meanwhile: () => Promise<unknown>): Promise<void> {
  await zk.sync();
  const comingBack = proxy.once({ opcode: 'connect', direction: 'request', action: 'hold', timeout: 10_000 });
  await proxy.cut();
  const { release } = await comingBack;
  await meanwhile();
  const back = new Promise<void>((resolve, reject) => {
    zk.once('reconnected', resolve);
    zk.once('lost', () => reject(new Error('the session was lost during the outage')));
    zk.once('closed', () => reject(new Error('the client was closed during the outage')));
  });
  release();
  await back;
}
