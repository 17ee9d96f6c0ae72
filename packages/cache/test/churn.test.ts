import { describe, expect, it } from '@jest/globals';
import type { ZooKeeper, ZooKeeperError } from '@zookit/client';
import { until } from '@zookit/test-world';
import { TreeCache } from '../src/index.ts';
import { dumpOf, Replay, World } from './support/world.ts';

/** Numbers that are the same for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Makes, changes and deletes znodes of a small tree, so that the same ones come and go. */
async function churn(zk: ZooKeeper, next: (below: number) => number, times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    const path = `/a${Array.from({ length: next(3) }, () => `/${next(3)}`).join('')}`;
    const what = next(4);
    const change =
      what === 0
        ? zk.delete(path, { recursive: true })
        : what === 1
          ? zk.set(path, String(i))
          : zk.create(path, String(i), { parents: true });
    await change.catch((error: ZooKeeperError) => {
      if (!['NO_NODE', 'NODE_EXISTS', 'NOT_EMPTY'].includes(error.code)) throw error;
    });
  }
}

describe.each(['3.9', '3.5'] as const)('a tree that changes all the time, on a server of %s', (profile) => {
  it.each([1, 2, 3])(
    'while connections and sessions end: events and cache come to the same (seed %i)',
    async (seed) => {
      await using world = await World.start({ profile, members: 2 });
      const next = random(seed);
      const [first, second] = world.server.members;
      const zk = await world.client({}, first?.connectString);
      const other = await world.client({}, second?.connectString);
      const cache = world.keep(new TreeCache(zk, '/a'));
      const replay = new Replay(cache);
      await cache.start();
      for (let round = 0; round < 6; round += 1) {
        await churn(other, next, 60);
        const fault = next(3);
        if (fault === 0) world.server.expireSession(zk.session?.id ?? 0n);
        if (fault === 1) world.server.dropConnections(0);
      }
      const wanted = JSON.stringify(world.server.dump('/a'));
      await until(() => !cache.stale && JSON.stringify(dumpOf(cache)) === wanted, `in step with ${wanted}`, 20_000);
      expect(replay.dump()).toEqual(world.server.dump('/a'));
      expect(replay.errors).toEqual([]);
    },
    60_000,
  );
});
