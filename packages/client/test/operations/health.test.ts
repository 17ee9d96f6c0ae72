import { describe, expect, it } from '@jest/globals';
import { ZooKeeper } from '../../src/index.ts';
import { outcome, until } from '../support/until.ts';
import { useServers } from './use-server.ts';

describe('health', () => {
  const servers = useServers();

  it('is told before anything has happened', () => {
    const before = Date.now();
    const zk = new ZooKeeper('127.0.0.1:1');
    const health = zk.health();
    expect(health).toEqual({
      state: 'connecting',
      since: health.since,
      session: null,
      server: null,
      lastAnswered: null,
      inFlight: 0,
      queued: 0,
      watches: 0,
    });
    expect(health.since).toBeGreaterThanOrEqual(before - 1);
    expect(health.since).toBeLessThanOrEqual(Date.now() + 1);
  });

  it('tells of session, server and watches', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await zk.exists('/a', { watch: () => {} });
    await zk.children('/', { watch: () => {} });
    const health = zk.health();
    expect(health).toMatchObject({ state: 'connected', inFlight: 0, queued: 0, watches: 2 });
    expect(health.session?.id).toBe(zk.session?.id);
    expect(health.server).toEqual({ host: '127.0.0.1', address: '127.0.0.1', port: server.members[0]?.port });
    expect(health.lastAnswered).toBeGreaterThanOrEqual(0);
    expect(health.lastAnswered).toBeLessThan(5_000);
  });

  it('counts what waits, here and there', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server, { maxInFlight: 2 });
    server.pause();
    const reads = [1, 2, 3, 4, 5].map(() => outcome(zk.exists('/')));
    expect(zk.health()).toMatchObject({ inFlight: 2, queued: 3 });
    server.resume();
    await Promise.all(reads);
    expect(zk.health()).toMatchObject({ inFlight: 0, queued: 0 });
  });

  it('says how long ago the server answered, more and more while it is silent', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await zk.exists('/');
    server.pause();
    const before = zk.health().lastAnswered as number;
    await until(() => (zk.health().lastAnswered as number) >= before + 30, 'lastAnswered grows');
    server.resume();
    await zk.exists('/');
    expect(zk.health().lastAnswered).toBeLessThan(before + 30);
  });

  it('follows the states', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    const { id } = zk.session as { id: bigint };
    const connected = zk.health().since;
    await until(() => Date.now() > connected + 2, 'a moment goes by');
    await server.stopMember(0);
    await until(() => zk.state === 'suspended', 'suspended');
    expect(zk.health()).toMatchObject({ state: 'suspended', server: null, session: { id } });
    expect(zk.health().lastAnswered).not.toBeNull();
    expect(zk.health().since).toBeGreaterThan(connected);
    await server.startMember(0);
    await until(() => zk.state === 'connected', 'connected again');
    expect(zk.health()).toMatchObject({ state: 'connected', session: { id } });
    await zk.close();
    expect(zk.health()).toMatchObject({ state: 'closed', session: null, server: null, lastAnswered: null, watches: 0 });
  });
});
