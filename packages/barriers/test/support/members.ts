import type { World } from '@zookit/test-world';
import { DoubleBarrier } from '../../src/index.ts';

export const PATH = '/rounds/a';
export const READY = `${PATH}/ready`;

/** Members of one double barrier, each with a client of its own. */
export async function members(
  world: World,
  count: number,
  wanted: number = count,
  path = PATH,
): Promise<DoubleBarrier[]> {
  const clients = await world.clients(count);
  return clients.map((zk) => new DoubleBarrier(zk, path, { members: wanted }));
}

/** The names of the members' znodes. */
export function membersOf(world: World, path = PATH): string[] {
  return (world.server.node(path)?.children ?? []).filter((name) => name !== 'ready');
}
