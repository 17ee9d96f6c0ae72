import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { RealServer } from '../src/index.ts';
import { createBody, Op, RawClient, type RawSession } from './raw-client.ts';
import { acls } from './server-behaviour/acls.ts';
import { handshakes } from './server-behaviour/handshakes.ts';
import { multis } from './server-behaviour/multis.ts';
import { nodes } from './server-behaviour/nodes.ts';
import { readOnly } from './server-behaviour/read-only.ts';
import { reaping } from './server-behaviour/reaping.ts';
import { moves, sessions } from './server-behaviour/sessions.ts';
import type { Target } from './server-behaviour/target.ts';
import { watches } from './server-behaviour/watches.ts';

// What TestServer is tested for, tried on the server that it stands for.
describe('Apache ZooKeeper 3.9.5 behaves as TestServer', () => {
  const tickTime = 500;
  let server: RealServer;
  beforeAll(async () => {
    server = await RealServer.start({ version: '3.9.5', tickTime, jvmArgs: ['-Dznode.container.checkIntervalMs=500'] });
  }, 120_000);
  afterAll(() => server.stop());
  const target = (): Target => ({
    connectString: server.connectString,
    members: server.members.map(({ connectString }) => connectString),
    tickTime,
  });

  handshakes(target);
  nodes(target);
  watches(target);
  multis(target);
  acls(target);
  sessions(target);
  reaping(target);
});

describe('an Apache ZooKeeper 3.9.5 ensemble behaves as TestServer', () => {
  const tickTime = 500;
  let server: RealServer;
  let members: string[] = [];
  beforeAll(async () => {
    server = await RealServer.start({ version: '3.9.5', tickTime, members: 3 });
    // The leader last: a session that leaves the leader is refused reads too, one that leaves a follower is not.
    const leader = await server.leader();
    members = server.members.map(({ connectString }) => connectString);
    members.push(...members.splice(leader, 1));
  }, 120_000);
  afterAll(() => server.stop());
  moves(() => ({ connectString: server.connectString, members, tickTime }));
});

describe('an Apache ZooKeeper 3.9.5 member that is cut off behaves as TestServer', () => {
  const tickTime = 500;
  let server: RealServer;
  let session: RawSession;
  beforeAll(async () => {
    server = await RealServer.start({
      version: '3.9.5',
      tickTime,
      members: 3,
      jvmArgs: ['-Dreadonlymode.enabled=true'],
      config: { localSessionsEnabled: true, localSessionsUpgradingEnabled: true },
    });
    const client = await RawClient.open(server.members[2]?.connectString ?? '', { timeout: 10_000 });
    // An ephemeral node makes a session of the quorum out of a local one.
    expect(await client.err(Op.create, createBody('/e', { flags: 1 }))).toBe(0);
    session = client.session as RawSession;
    await client.cut();
    await server.kill(0);
    await server.kill(1);
    while ((await server.mode(2)) !== 'read-only') await new Promise((resolve) => setTimeout(resolve, 100));
  }, 120_000);
  afterAll(() => server.stop());
  readOnly(
    () => ({ connectString: server.connectString, members: [server.members[2]?.connectString ?? ''], tickTime }),
    () => session,
  );
});
