import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from '@jest/globals';
import { NodeCache, TreeCache } from '../src/index.ts';
import { World } from './support/world.ts';

async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round += 1) {
    await turn();
    gc();
  }
}

it.each(['3.9', '3.5'] as const)(
  'a thousand caches, opened and closed, are garbage (on a server of %s)',
  async (profile) => {
    await using world = await World.start({ profile });
    const zk = await world.client();
    await zk.create('/a');
    for (let i = 0; i < 20; i += 1) await zk.create(`/a/${i}`, 'x');
    const made: WeakRef<object>[] = [];
    const openAndClose = async (round: number): Promise<void> => {
      const cache = round % 2 === 0 ? new TreeCache(zk, '/a') : new NodeCache(zk, '/a/1');
      made.push(new WeakRef(cache));
      await cache.start();
      await cache.close();
    };
    for (let round = 0; round < 1_000; round += 1) await openAndClose(round);
    await zk.sync();
    await collectGarbage();
    // The last one may still be somebody's last word.
    expect(made.filter((each) => each.deref() !== undefined).length).toBeLessThan(10);
  },
  60_000,
);
