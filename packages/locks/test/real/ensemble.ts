import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { RealServer } from '@zookit/testing';
import { overlapsOf, Rivals } from './rivals.ts';
import { Bench, until } from './support.ts';

const SESSION = 8_000;

export interface Ordeal {
  title: string;
  /** Brings a fault upon the ensemble, and waits for `progress` where all must have gone on meanwhile. */
  fault(server: RealServer, progress: () => Promise<void>): Promise<void>;
}

export const ordeals = {
  leaderKilled: {
    title: 'the leader is killed, and started again',
    fault: async (server, progress) => {
      const leader = await server.leader();
      await server.kill(leader);
      await progress();
      await server.start(leader);
      await settled(server);
    },
  },
  leaderStopped: {
    title: 'the leader is stopped, and continued when another leads',
    fault: async (server, progress) => {
      const leader = await server.leader();
      await server.pause(leader);
      await progress();
      await server.resume(leader);
      await settled(server);
    },
  },
  leaderStoppedShortly: {
    title: 'the leader is stopped, and continued as soon as another leads',
    fault: async (server) => {
      const leader = await server.leader();
      await server.pause(leader);
      await server.leader();
      // Its clients have not noticed yet.
      await server.resume(leader);
      await settled(server);
    },
  },
  allRestarted: {
    title: 'every member is restarted in turn',
    fault: async (server) => {
      for (const index of server.members.keys()) {
        await server.stop(index);
        await server.start(index);
        await settled(server);
      }
    },
  },
} satisfies Record<string, Ordeal>;

/** All of them serve, and one leads. */
async function settled(server: RealServer): Promise<void> {
  await until('the ensemble is whole', async () => {
    const modes = await Promise.all([...server.members.keys()].map((index) => server.mode(index)));
    return modes.every((mode) => mode !== null) && modes.filter((mode) => mode === 'leader').length === 1;
  });
}

/** Tests of rivals on an ensemble of three, one for each ordeal; the same processes go through all of them. */
export function describeOrdeals(count: number, faults: readonly Ordeal[]): void {
  describe(`${count} processes that share one lock, on an ensemble of three`, () => {
    const bench = new Bench();
    let server: RealServer;
    let rivals: Rivals;

    beforeAll(async () => {
      server = await RealServer.start({ members: 3 });
      rivals = await Rivals.start(
        count,
        server.members.map(({ connectString }) => connectString),
        SESSION,
      );
      await rivals.progress();
    });
    afterEach(() => bench.end());
    afterAll(async () => {
      await rivals.end();
      await server.stop();
    });

    it.each(faults)('go on when $title, and keep their sessions', async ({ fault }) => {
      const before = await rivals.standings();
      await fault(server, () => rivals.progress());
      await rivals.progress();

      const after = await rivals.standings();
      const zk = await bench.client(server.connectString);
      await zk.sync('/');
      let kept = 0;
      for (const [index, { sign, standing }] of after.entries()) {
        const earlier = (before[index] as (typeof before)[number]).standing;
        const stat = await zk.exists(sign);
        expect(String(stat?.ephemeralOwner)).toBe(standing.session);
        expect(String(stat?.czxid)).toBe(standing.sign);
        // No session is given up before its time, unless a server says that it is over.
        for (const { leaseOver, reason } of standing.losses) {
          expect(leaseOver || /no longer knows/.test(reason) ? 'a reason' : reason).toBe('a reason');
        }
        if (standing.losses.length > earlier.losses.length) continue;
        kept += 1;
        expect(standing).toEqual(earlier);
      }
      expect(kept).toBeGreaterThan(0);
      process.stderr.write(`${kept} of ${count} sessions kept\n`);
    });

    it('never held it together, by their own records, and got tokens that only grow', async () => {
      const holds = await rivals.stop();
      const lost = holds.filter(({ why }) => why === 'lost').length;
      process.stderr.write(`${holds.length} grants, ${lost} of them lost\n`);
      expect(overlapsOf(holds)).toEqual([]);
      for (const [index, { token }] of holds.entries()) {
        if (index > 0) expect(token).toBeGreaterThan(holds[index - 1]?.token as bigint);
      }
      expect(new Set(holds.map(({ rival }) => rival)).size).toBe(count);
    });
  });
}
