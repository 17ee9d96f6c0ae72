import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RealServer } from '@zookit/testing';
import { Clients, until } from './support.ts';

jest.setTimeout(90_000);

const clients = new Clients();
let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start({
    members: 3,
    jvmArgs: ['-Dreadonlymode.enabled=true'],
    config: { localSessionsEnabled: 'true', localSessionsUpgradingEnabled: 'true' },
  });
});
afterEach(() => clients.close());
afterAll(() => server.stop());

describe('a server without its quorum', () => {
  it('is accepted with readOnly, gives reads and refuses writes, and is left for a writable one', async () => {
    const writer = await clients.connect(server.connectString, { sessionTimeout: 6_000 });
    await writer.zk.create('/kept', 'data');
    await writer.zk.close();
    const leader = await server.leader();
    const [survivor, other] = [0, 1, 2].filter((member) => member !== leader) as [number, number];
    await Promise.all([server.kill(leader), server.kill(other)]);
    await until('the survivor is read-only', async () => (await server.mode(survivor)) === 'read-only');

    const { zk, events } = await clients.connect(server.connectString, { sessionTimeout: 6_000, readOnly: true });
    expect(zk.state).toBe('readonly');
    expect((await zk.get('/kept')).data?.toString()).toBe('data');
    await expect(zk.set('/kept', 'more')).rejects.toMatchObject({ code: 'NOT_READ_ONLY' });
    const fake = zk.session?.id;

    await Promise.all([server.start(leader), server.start(other)]);
    await until('writable', () => zk.state === 'connected', 40_000);
    expect(zk.session?.id).not.toBe(fake);
    await zk.set('/kept', 'more');
    expect(events[0]).toBe('readonly');
    expect(events).toContain('connected');
    expect(events).not.toContain('lost');
  });

  it('takes no client that wants to write', async () => {
    const leader = await server.leader();
    const [survivor, other] = [0, 1, 2].filter((member) => member !== leader) as [number, number];
    await Promise.all([server.kill(leader), server.kill(other)]);
    await until('the survivor is read-only', async () => (await server.mode(survivor)) === 'read-only');
    const refused = clients.connect(server.connectString, { sessionTimeout: 6_000, connectTimeout: 1_500 });
    await expect(refused).rejects.toMatchObject({ code: 'TIMEOUT', cause: { code: 'CONNECTION_LOSS' } });
    await Promise.all([server.start(leader), server.start(other)]);
  });
});
