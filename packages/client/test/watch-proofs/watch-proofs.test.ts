import { describe, expect, it, jest } from '@jest/globals';
import { rearmMany, setAndTakeBack } from './many-watches.ts';
import { startInProcess } from './proof-server.ts';
import { walk } from './random-walk.ts';
import { seeds } from './seeds.ts';

jest.setTimeout(120_000);

describe.each(['3.9', '3.8'] as const)('watches, on the server in this process as %s', (profile) => {
  it('of all kinds, on long paths, are set again in one reconnect; each change is told once', async () => {
    const server = await startInProcess(profile);
    try {
      await rearmMany(server, 3_000);
    } finally {
      await server.stop();
    }
  });

  it('that are set and taken back leave nothing behind', async () => {
    const server = await startInProcess(profile);
    try {
      await setAndTakeBack(server, 16, 2_000);
    } finally {
      await server.stop();
    }
  });

  it.each(seeds(1))('tell a client what the tree is, through cuts and lost sessions: seed %i', async (seed) => {
    const server = await startInProcess(profile);
    try {
      const { wrong, cuts, losses } = await walk(server, { seed, operations: 2_000, cuts: 20, losses: 2 });
      expect(wrong).toEqual([]);
      expect([cuts, losses]).toEqual([20, 2]);
    } finally {
      await server.stop();
    }
  });
});
