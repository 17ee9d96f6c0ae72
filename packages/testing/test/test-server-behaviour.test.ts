import { afterAll, beforeAll, describe } from '@jest/globals';
import { TestServer } from '../src/index.ts';
import { RawClient, type RawSession } from './raw-client.ts';
import { acls } from './server-behaviour/acls.ts';
import { handshakes } from './server-behaviour/handshakes.ts';
import { multis } from './server-behaviour/multis.ts';
import { nodes } from './server-behaviour/nodes.ts';
import { readOnly } from './server-behaviour/read-only.ts';
import { reaping } from './server-behaviour/reaping.ts';
import { moves, sessions } from './server-behaviour/sessions.ts';
import type { Target } from './server-behaviour/target.ts';
import { watches } from './server-behaviour/watches.ts';

describe('TestServer behaves as Apache ZooKeeper', () => {
  const tickTime = 500;
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start({ tickTime });
  });
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

describe('TestServer of three members behaves as an ensemble', () => {
  const tickTime = 500;
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start({ tickTime, members: 3 });
  });
  afterAll(() => server.stop());
  moves(() => ({
    connectString: server.connectString,
    members: server.members.map(({ connectString }) => connectString),
    tickTime,
  }));
});

describe('TestServer with a member that is cut off behaves as an ensemble', () => {
  const tickTime = 500;
  let server: TestServer;
  let session: RawSession;
  beforeAll(async () => {
    server = await TestServer.start({ tickTime, members: 3 });
    const client = await RawClient.open(server.connectString.split(',')[0] ?? '');
    session = client.session as RawSession;
    await client.cut();
    server.setReadOnly(2, true);
  });
  afterAll(() => server.stop());
  readOnly(
    () => ({ connectString: server.connectString, members: [server.members[2]?.connectString ?? ''], tickTime }),
    () => session,
  );
});
