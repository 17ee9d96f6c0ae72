import { describe, expect, it, jest } from '@jest/globals';
import { RealServer } from '@zookit/testing';
import { ALL_WELL, lastLine, type RunningDemo, startDemo } from './run-demo.ts';

// The first start of a release fetches it.
jest.setTimeout(120_000);

/** The line of a third hold, which goes on: a finished one has its duration and a line end behind it. */
const THIRD_HOLD = /(?:holds 0x.*\n.*){2}holds 0x[0-9a-f]+.*$/;

async function onServers(
  members: number,
  args: readonly string[],
  act: (demo: RunningDemo, server: RealServer, leader: number) => Promise<void>,
): Promise<void> {
  const server = await RealServer.start({ members });
  try {
    const leader = await server.leader();
    const demo = startDemo('--server', server.connectString, ...args);
    try {
      await act(demo, server, leader);
      expect({ code: await demo.ended, output: demo.output }).toMatchObject({ code: 0 });
      expect(demo.output).toMatch(/takes over \d+\.\d+ s after the kill/);
      expect(lastLine(demo.output)).toMatch(ALL_WELL);
    } finally {
      demo.kill();
      await demo.ended;
    }
  } finally {
    await server.stop();
  }
}

describe('the demo, on Apache ZooKeeper', () => {
  it.each([
    ['a server', 1],
    ['the leader of three', 3],
  ])('goes on when %s is killed and started again while the lock is held', async (_what, members) => {
    await onServers(members, ['--work', '700'], async (demo, server, leader) => {
      await demo.seen(THIRD_HOLD);
      await server.kill(leader);
      await demo.seen(/connection lost: .*; \w+ keeps the lock, for [\d.]+ s at most\n/);
      await server.start(leader);
      await demo.seen(/connected again/);
    });
  });

  it('goes on when the hold does not outlive the outage', async () => {
    await onServers(1, ['--services', '2', '--grants', '3', '--work', '5000'], async (demo, server) => {
      await demo.seen(/holds 0x/);
      await server.kill();
      await demo.seen(/has lost the lock after \d+\.\d+ s, and has stopped working\n/);
      await server.start();
      await demo.seen(/; 1 of them lost with the session before the work was done\n/);
    });
  });
});
