import { describe, expect, it, jest } from '@jest/globals';
import type { ProfileName } from '@zookit/testing';
import { deferred } from '../../src/deferred.ts';
import { useServers } from '../operations/use-server.ts';
import { generator } from '../support/generator.ts';
import { reconnected, settled } from './record.ts';
import { WatchWalk } from './walk-model.ts';

jest.setTimeout(60_000);

describe.each<ProfileName>(['3.6', '3.8', '3.9'])(
  'watches of all kinds, opened and closed at random, on %s',
  (profile) => {
    const servers = useServers();

    it.each(Array.from({ length: 12 }, (_, seed) => seed))(
      'tell what they should, each once: seed %i',
      async (seed) => {
        const server = await servers.start({ profile });
        const [zk, other] = [await servers.connect(server), await servers.connect(server)];
        const cut = async (meanwhile: () => Promise<void>) => {
          const gate = deferred<'pass'>();
          const id = zk.session?.id;
          const open = server.intercept(({ type, sessionId }) =>
            type === 'connect' && sessionId === id ? gate.promise : undefined,
          );
          await reconnected(zk, () => {
            server.dropConnections();
            void settled(other)
              .then(meanwhile)
              .finally(() => gate.resolve('pass'));
          });
          open();
        };
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
