import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { profiles, TestServer } from '../src/index.ts';
import { createBody, Op, RawClient, str, until, watchBody } from './raw-client.ts';
import { versions } from './server-behaviour/versions.ts';

describe.each(['3.4', '3.5', '3.6', '3.7', '3.8', '3.9'] as const)('TestServer with the profile of %s', (profile) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start({ profile });
  });
  afterAll(() => server.stop());
  versions(profile, () => ({ connectString: server.connectString, members: [server.connectString], tickTime: 500 }));
});

describe('TestServer with the profile of ClickHouse Keeper', () => {
  let server: TestServer;
  const clients: RawClient[] = [];
  beforeAll(async () => {
    server = await TestServer.start({ profile: 'clickhouse-keeper' });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.cut();
  });
  afterAll(() => server.stop());
  const open = async (): Promise<RawClient> => {
    const client = await RawClient.open(server.connectString);
    clients.push(client);
    return client;
  };

  it('gives no password, and another session instead of the old one', async () => {
    const first = await open();
    expect(first.password).toEqual(Buffer.alloc(16));
    const second = await RawClient.dial(server.connectString);
    clients.push(second);
    const session = await second.handshake({ id: first.id, password: first.password });
    expect(session?.timeout).toBe(5000);
    expect(session?.id).not.toBe(first.id);
    expect(await first.err(Op.exists, watchBody('/'))).toBe(0);
  });

  it('ends a session with its connection, ephemerals included', async () => {
    const [first, second] = [await open(), await open()];
    await first.call(Op.create, createBody('/e', { flags: 1 }));
    await second.call(Op.exists, watchBody('/e', true));
    await first.cut();
    expect(await second.event()).toMatchObject({ type: 2, path: '/e' });
    await until(() => server.sessions().length === 1);
  });

  it('says nothing to closeSession, and to what it does not know', async () => {
    for (const op of [Op.closeSession, Op.getEphemerals, Op.whoAmI, 99]) {
      const client = await open();
      client.send(op, str('/'));
      expect(await client.frame()).toBeNull();
    }
    expect(server.sessions()).toEqual([]);
  });
});

describe('a profile of one’s own', () => {
  it('is another one with a difference', async () => {
    const opcodes = new Set([...profiles['3.9'].opcodes].filter((opcode) => opcode !== Op.addWatch));
    await using server = await TestServer.start({ profile: { ...profiles['3.9'], opcodes } });
    const client = await RawClient.open(server.connectString);
    client.send(Op.addWatch, Buffer.concat([str('/'), Buffer.alloc(4)]), 9);
    expect(await client.reply()).toMatchObject({ xid: 9, err: -6 });
    await client.cut();
  });
});
