import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { TestServer } from '@zookit/testing';
import { ZooKeeper } from '../../src/index.ts';
import { event } from '../support/bytes.ts';
import { closeClients, connectedClient } from '../support/clients.ts';
import { turn } from '../support/manual-clock.ts';
import { Simulation } from '../support/simulation.ts';
import { outcome } from '../support/until.ts';

afterEach(closeClients);

const T = 6_000;

async function network(connectString = 'a', options = {}) {
  const net = new Simulation();
  const server = net.serve('a', {}, { timeout: T });
  return { net, server, ...(await connectedClient(net, connectString, options)) };
}

describe('a version of 0', () => {
  it('is the version 0 and not "any", in every call that takes one', async () => {
    await using server = await TestServer.start();
    await using zk = await ZooKeeper.connect(server.connectString);
    await zk.create('/a', 'kept');
    for (let version = 0; version < 3; version += 1) await zk.set('/a', 'kept', { version });
    await zk.setAcl('/a', [{ perms: 31, scheme: 'world', id: 'anyone' }], { aclVersion: 0 });
    const calls = {
      set: zk.set('/a', 'lost', { version: 0 }),
      delete: zk.delete('/a', { version: 0 }),
      'guaranteed delete': zk.delete('/a', { version: 0, guaranteed: true }),
      'recursive delete': zk.delete('/a', { version: 0, recursive: true }),
      setAcl: zk.setAcl('/a', [{ perms: 1, scheme: 'world', id: 'anyone' }], { aclVersion: 0 }),
      'set in a transaction': zk.transaction().set('/a', 'lost', { version: 0 }).commit(),
      'delete in a transaction': zk.transaction().delete('/a', { version: 0 }).commit(),
      'check in a transaction': zk.transaction().check('/a', 0).set('/a', 'lost').commit(),
    };
    const codes: [string, unknown][] = [];
    for (const [name, call] of Object.entries(calls)) {
      codes.push([name, ((await outcome(call)) as { code?: string } | undefined)?.code]);
    }
    expect(codes).toEqual(Object.keys(calls).map((name) => [name, 'BAD_VERSION']));
    expect(await zk.get('/a')).toMatchObject({ data: Buffer.from('kept'), stat: { version: 3, aversion: 1 } });
  });
});

describe('options that say nothing', () => {
  it.each([
    ['left out', undefined],
    ['empty', {}],
    ['undefined one by one', { watch: undefined, watchSignal: undefined, signal: undefined, timeout: undefined }],
  ])('%s, are answered like all others', async (_name, options) => {
    const { zk } = await network();
    const given = options as never;
    expect(await zk.get('/a', given)).toMatchObject({ data: Buffer.from('data of /a') });
    expect(await zk.exists('/a', given)).toMatchObject({ version: 0 });
    expect((await zk.children('/a', given)).children).toEqual(['a', 'b']);
    expect(await zk.set('/a', 'x', given)).toMatchObject({ version: 0 });
    expect(await zk.create('/a', 'x', given)).toMatchObject({ path: '/a' });
    expect(await zk.delete('/a', given)).toBeUndefined();
    expect(await zk.sync('/a', given)).toBeUndefined();
    expect(await zk.transaction().commit(given)).toEqual([]);
  });

  it('but are null, reject and never throw', async () => {
    const { zk } = await network();
    const nothing = null as never;
    const calls: [string, () => Promise<unknown>][] = [
      ['get', () => zk.get('/a', nothing)],
      ['exists', () => zk.exists('/a', nothing)],
      ['children', () => zk.children('/a', nothing)],
      ['getConfig', () => zk.getConfig(nothing)],
      ['set', () => zk.set('/a', 'x', nothing)],
      ['create', () => zk.create('/a', 'x', nothing)],
      ['delete', () => zk.delete('/a', nothing)],
      ['sync', () => zk.sync('/a', nothing)],
      ['getAcl', () => zk.getAcl('/a', nothing)],
      ['setAcl', () => zk.setAcl('/a', [], nothing)],
      ['ensurePath', () => zk.ensurePath('/a', nothing)],
      ['multiRead', () => zk.multiRead([{ get: '/a' }], nothing)],
      ['whoAmI', () => zk.whoAmI(nothing)],
      ['addAuth', () => zk.addAuth('digest', 'a:b', nothing)],
      ['connect', () => zk.connect(nothing)],
      ['commit', () => zk.transaction().check('/a').commit(nothing)],
    ];
    const threw: unknown[] = [];
    for (const [name, call] of calls) {
      try {
        // Whichever way: what matters is that the promise comes, and settles.
        const settled = await outcome(call());
        if (settled instanceof TypeError) threw.push([name, settled]);
      } catch {
        threw.push(name);
      }
    }
    expect(threw).toEqual([]);
  });
});

describe('a watch that is taken back, ten thousand times', () => {
  it('leaves no watcher, no listener on a signal, and nothing on the wire', async () => {
    const { net, server, zk } = await network();
    const every = new AbortController();
    const heard: unknown[] = [];
    for (let round = 0; round < 100; round += 1) {
      const takeBack = new AbortController();
      const reads = Array.from({ length: 100 }, (_, i) =>
        zk.get(`/n${i}`, { watch: (told) => heard.push(told), watchSignal: takeBack.signal, signal: every.signal }),
      );
      await Promise.all(reads);
      expect(getEventListeners(takeBack.signal, 'abort').length).toBeGreaterThan(0);
      takeBack.abort();
      await turn();
      expect(getEventListeners(takeBack.signal, 'abort')).toEqual([]);
    }
    expect(zk.health()).toMatchObject({ watches: 0, inFlight: 0, queued: 0 });
    expect(getEventListeners(every.signal, 'abort')).toEqual([]);
    for (const name of ['state', 'suspended', 'lost', 'closed', 'error'] as const) {
      expect([name, zk.listenerCount(name)]).toEqual([name, name === 'state' ? 1 : 0]);
    }
    // Each was taken back on the server, too, so that nothing is set again on the next connection.
    expect(server.last.of(18)).toHaveLength(10_000);
    server.last.send(event(3, '/n0'));
    server.last.destroy();
    expect(await net.clock.advanceUntil(() => server.peers.length === 2 && zk.state === 'connected', T)).toBe(true);
    expect(server.last.of(101)).toEqual([]);
    expect(heard).toEqual([]);
  });
});

describe('a watch that fires, ten thousand times, under one signal that could take it back', () => {
  it('leaves no watcher and no listener either', async () => {
    const { server, zk } = await network();
    const { signal } = new AbortController();
    let heard = 0;
    const watch = (): void => {
      heard += 1;
    };
    for (let round = 0; round < 100; round += 1) {
      const paths = Array.from({ length: 100 }, (_, i) => `/n${i}`);
      await Promise.all(paths.map((path) => zk.get(path, { watch, watchSignal: signal, signal })));
      server.last.send(...paths.map((path) => event(3, path)));
      await turn();
    }
    expect(heard).toBe(10_000);
    expect(zk.health()).toMatchObject({ watches: 0, inFlight: 0, queued: 0 });
    // One listener may stand for them all while there are any.
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(server.last.of(18)).toEqual([]);
  });
});

describe('a chroot that is the beginning of /zookeeper', () => {
  it('does not touch events of the configuration, and the connection stays', async () => {
    const { server, zk, states } = await network('a/zoo');
    const heard: unknown[] = [];
    const listen = (told: { type: string; path: string }): void => {
      heard.push(`${told.type} ${told.path}`);
    };
    await zk.getConfig({ watch: listen });
    await zk.get('/', { watch: listen });
    expect(server.last.of(4).map(({ path }) => path)).toEqual(['/zookeeper/config', '/zoo']);
    server.last.send(event(3, '/zookeeper/config'), event(3, '/zookeeper'), event(3, '/zoo'));
    await turn();
    expect(heard).toEqual(['changed /zookeeper/config', 'changed /']);
    expect(await zk.exists('/still-there')).not.toBeNull();
    expect(states).toEqual([]);
    expect(server.peers).toHaveLength(1);
  });

  it('nor does the configuration’s watch get it when it is set again', async () => {
    const { net, server, zk } = await network('a/zoo');
    await zk.getConfig({ watch: () => {} });
    server.last.destroy();
    expect(await net.clock.advanceUntil(() => server.last.of(101).length > 0, T)).toBe(true);
    expect(server.last.of(101)[0]?.body.includes('/zookeeper/config')).toBe(true);
    expect(server.last.of(101)[0]?.body.includes('/zoo/')).toBe(false);
  });
});

describe('guaranteed deletes without a server, and with retries switched off', () => {
  it('wait in peace, are done once when it is back, and end with the client', async () => {
    const { net, server, zk } = await network('a', { retry: false });
    server.granted = { timeout: 60_000 };
    server.last.destroy();
    await net.clock.advanceUntil(() => server.peers.length === 2 && zk.state === 'connected', T);
    net.servers.clear();
    const deletes = Array.from({ length: 500 }, (_, i) => outcome(zk.delete(`/n${i}`, { guaranteed: true })));
    server.last.destroy();
    await turn();
    const late = Array.from({ length: 500 }, (_, i) => outcome(zk.delete(`/m${i}`, { guaranteed: true })));
    const attempts = net.attempts.length;
    await net.clock.advance(30_000);
    expect(net.attempts.length - attempts).toBeLessThan(32);
    expect(zk.health().queued).toBeLessThanOrEqual(1_000);
    net.servers.set('a:2181', server);
    expect(await net.clock.advanceUntil(() => zk.state === 'connected', 10_000)).toBe(true);
    const results = await Promise.all([...deletes, ...late]);
    expect(results.filter((result) => result !== undefined)).toEqual([]);
    const sent = server.last.of(2).map(({ path }) => path);
    expect(sent).toHaveLength(1_000);
    expect(new Set(sent).size).toBe(1_000);

    net.servers.clear();
    server.last.destroy();
    await turn();
    const given = outcome(zk.delete('/never', { guaranteed: true }));
    await zk.close({ timeout: 0 });
    expect(await given).toMatchObject({ code: 'CLOSED', path: '/never' });
    expect(net.clock.timers).toBe(0);
  });

  it('are paced while a server breaks the connection at each of them', async () => {
    const { net, server, zk } = await network('a', { retry: false });
    server.granted = { timeout: 60_000 };
    server.script = { onRequest: ({ type }) => (type === 2 ? 'close' : undefined) };
    const deleting = outcome(zk.delete('/n', { guaranteed: true }));
    for (let i = 0; i < 200; i += 1) await turn();
    await net.clock.advance(20_000);
    expect(server.peers.flatMap((peer) => peer.of(2)).length).toBeLessThan(60);
    await zk.close({ timeout: 0 });
    expect(await deleting).toMatchObject({ code: 'CLOSED' });
  });
});
