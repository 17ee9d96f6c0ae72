import { describe, expect, it, jest } from '@jest/globals';
import type { ProfileName } from '@zookit/testing';
import { recordRequests, typesOf } from '../operations/requests.ts';
import { useServers } from '../operations/use-server.ts';
import { modeCases } from './mode-cases.ts';
import { readAll, reconnected, record, settled, until } from './record.ts';

jest.setTimeout(60_000);

const WITH_ADD_WATCH: readonly ProfileName[] = ['3.6', '3.7', '3.8', '3.9'];

describe.each(WITH_ADD_WATCH)('a persistent watch, on %s', (profile) => {
  const servers = useServers();
  const open = async () => {
    const server = await servers.start({ profile });
    return { server, zk: await servers.connect(server), other: await servers.connect(server) };
  };

  modeCases(open);

  it.each(['plain first', 'recursive first'])(
    'of both kinds on one path leaves nothing on the server: %s',
    async (order) => {
      const { server, zk } = await open();
      const watches = [await zk.watch('/p'), await zk.watch('/p', { recursive: true })];
      if (order === 'recursive first') watches.reverse();
      for (const watch of watches) await watch.close();
      expect(server.watches()).toEqual([]);
    },
  );

  it('shares the server’s watch with others on its path, until the last is closed', async () => {
    const { server, zk, other } = await open();
    const requests = recordRequests(server);
    const watches = await Promise.all([zk.watch('/a'), zk.watch('/a'), zk.watch('/a')]);
    watches.push(await zk.watch('/a'));
    expect(typesOf(requests).filter((type) => type === 'addWatch')).toHaveLength(1);
    const told = watches.map(record);
    await watches[0]?.close();
    await watches[1]?.close();
    await other.create('/a');
    await settled(zk);
    expect(told).toEqual([[], [], ['created /a'], ['created /a']]);
    await Promise.all(watches.map((watch) => watch.close()));
    expect(server.watches()).toEqual([]);
    expect(typesOf(requests).filter((type) => type === 'removeWatches')).toHaveLength(1);
    expect(zk.health().watches).toBe(0);
  });

  it.each([true, false])(
    'tells resync after a cut, once the server has it again (recursive: %s)',
    async (recursive) => {
      const { server, zk, other } = await open();
      await zk.create('/a');
      const watch = await zk.watch('/a', { recursive });
      const told = record(watch);
      const armed: boolean[] = [];
      watch.on('event', ({ type }) => {
        if (type === 'resync') armed.push(server.watches('/a').some(({ sessionId }) => sessionId === zk.session?.id));
      });
      await other.set('/a', '1');
      await settled(zk);
      await reconnected(zk, () => server.dropConnections());
      await until(() => told.length === 2, 'resync is told');
      await other.set('/a', '2');
      await settled(zk);
      expect(told).toEqual(['changed /a', 'resync /a', 'changed /a']);
      expect(armed).toEqual([true]);
    },
  );

  it('is set again in a new session, and tells resync', async () => {
    const { server, zk, other } = await open();
    await zk.create('/a');
    const told = record(await zk.watch('/a', { recursive: true }));
    const plain = record(await zk.watch('/a'));
    let renewed = false;
    zk.once('renewed', () => {
      renewed = true;
    });
    server.expireSession(zk.session?.id ?? 0n);
    await until(() => renewed && told.length > 0 && plain.length > 0, 'resync is told in the new session');
    await other.create('/a/b');
    await settled(zk);
    expect(told).toEqual(['resync /a', 'created /a/b']);
    expect(plain).toEqual(['resync /a', 'children /a']);
  });

  it('ends with the client: the iteration too', async () => {
    const { zk, other } = await open();
    const watch = await zk.watch('/a');
    const read = readAll(watch);
    const reasons: unknown[] = [];
    watch.on('close', (reason) => reasons.push(reason));
    await other.create('/a');
    await settled(zk);
    await zk.close();
    expect(await read).toMatchObject([{ type: 'created', path: '/a' }]);
    expect(reasons).toMatchObject([{ code: 'CLOSED' }]);
    expect(watch.closed).toBe(true);
    await watch.close();
    await expect(zk.watch('/a')).rejects.toMatchObject({ code: 'CLOSED', operation: 'watch', path: '/a' });
  });
});
