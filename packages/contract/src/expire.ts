import type { ZooKeeper } from '@zookit/client';
import type { FaultProxy } from '@zookit/testing';
import type { Context } from './context.ts';

/**
 * Ends a client's session on the server, while its connection is held off: another client takes it over and closes it. What it
 * resolves with lets the client come back.
 */
export async function expire(ctx: Context, proxy: FaultProxy, zk: ZooKeeper): Promise<() => void> {
  const { id, password } = zk.session!;
  const comingBack = proxy.once({ opcode: 'connect', direction: 'request', action: 'hold', timeout: 10_000 });
  await proxy.cut();
  const { release } = await comingBack;
  const killer = await ctx.connect({ session: { id, password } });
  await killer.close();
  return release;
}
