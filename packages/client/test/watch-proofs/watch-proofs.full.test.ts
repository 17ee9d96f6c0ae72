import { describe, expect, it, jest } from '@jest/globals';
import { setAndTakeBack } from './many-watches.ts';
import { startReal } from './proof-server.ts';
import { walk } from './random-walk.ts';
import { seeds } from './seeds.ts';

jest.setTimeout(240_000);

describe.each(['3.9.5', '3.8.6'] as const)('watches, on Apache ZooKeeper %s', (version) => {
  it.each(seeds(1))('tell a client what the tree is, through cuts and lost sessions: seed %i', async (seed) => {
    const server = await startReal(version);
    try {
      const { wrong, cuts, losses, told, quiet } = await walk(server, {
        seed,
        operations: 20_000,
        cuts: 200,
        losses: 5,
      });
      expect(wrong).toEqual([]);
      expect([cuts, losses]).toEqual([200, 5]);
      expect(told).toBeGreaterThan(1_000);
      expect(quiet).toBeGreaterThan(30);
    } finally {
      await server.stop();
    }
  });
});

describe('watches, on Apache ZooKeeper 3.8.6', () => {
  it('that are set and taken back, 100,000 of them, leave nothing behind', async () => {
    const server = await startReal('3.8.6');
    try {
      await setAndTakeBack(server, 20, 5_000);
    } finally {
      await server.stop();
    }
  });
});
