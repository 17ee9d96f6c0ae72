import { describe, expect, it } from '@jest/globals';
import type { ProfileName } from '@zookit/testing';
import { useServers } from '../operations/use-server.ts';
import { generator } from '../support/generator.ts';
import { reconnected, settled } from './record.ts';
import { WatchWalk } from './walk-model.ts';

describe.each<ProfileName>(['3.6', '3.8', '3.9'])(
  'watches of all kinds, opened and closed at random, on %s',
  (profile) => {
    const servers = useServers();

    it.each(Array.from({ length: 12 }, (_, seed) => seed))(
      'tell what they should, each once: seed %i',
      async (seed) => {
        const server = await servers.start({ profile });
        const [zk, other] = [await servers.connect(server), await servers.connect(server)];
        const cut = () => reconnected(zk, () => server.dropConnections()).then(() => settled(other));
        const walk = new WatchWalk(zk, other, generator(seed), cut);
        for (let i = 0; i < 80; i += 1) {
          await walk.step();
          if (walk.faults.length > 0) break;
        }
        expect({ faults: walk.faults, steps: walk.faults.length > 0 ? walk.steps : [] }).toEqual({
          faults: [],
          steps: [],
        });
        await walk.closeAll();
        expect(server.watches()).toEqual([]);
      },
    );
  },
);
