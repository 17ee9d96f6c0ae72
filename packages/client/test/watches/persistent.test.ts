import { describe, expect, it } from '@jest/globals';
import type { ProfileName } from '@zookit/testing';
import type { WatchEvent } from '../../src/index.ts';
import { recordRequests, typesOf } from '../operations/requests.ts';
import { useServers } from '../operations/use-server.ts';
import { until } from '../support/until.ts';
import { readAll, reconnected, record, settled } from './record.ts';

const WITH_ADD_WATCH: readonly ProfileName[] = ['3.6', '3.7', '3.8', '3.9'];

describe.each(WITH_ADD_WATCH)('a persistent watch, on %s', (profile) => {
  const servers = useServers();
  const open = async () => {
    const server = await servers.start({ profile });
    return { server, zk: await servers.connect(server), other: await servers.connect(server) };
  };

  it('tells of data and children of one znode, again and again', async () => {
    const { zk, other } = await open();
    const told = record(await zk.watch('/a'));
    await other.create('/a');
    await other.set('/a', 'x');
    await other.set('/a', 'y');
    await other.create('/a/b');
    await other.set('/a/b', 'z');
    await other.create('/a/b/c');
    await other.delete('/a', { recursive: true });
    await settled(zk);
    expect(told).toEqual(['created /a', 'changed /a', 'changed /a', 'children /a', 'children /a', 'deleted /a']);
  });

  it('that is recursive tells of all below, and never of children', async () => {
    const { zk, other } = await open();
    const told = record(await zk.watch('/a', { recursive: true }));
    await other.create('/a');
    await other.create('/a/b');
    await other.create('/ab');
    await other.set('/a/b', 'z');
    await zk.children('/a/b', { watch: () => {} });
    await other.create('/a/b/c');
    await other.delete('/a', { recursive: true });
    await settled(zk);
    expect(told).toEqual([
      'created /a',
      'created /a/b',
      'changed /a/b',
      'created /a/b/c',
      'deleted /a/b/c',
      'deleted /a/b',
      'deleted /a',
    ]);
  });

  it('goes on beside one-shot watches of its path, and each is told once', async () => {
    const { zk, other } = await open();
    await zk.create('/p');
    const watch = await zk.watch('/p');
    const told = record(watch);
    const shots: string[] = [];
    const shot = ({ type }: WatchEvent) => shots.push(type);
    const shotToo = ({ type }: WatchEvent) => shots.push(type);
    await zk.get('/p', { watch: shot });
    await zk.children('/p', { watch: shotToo });
    await other.set('/p', 'x');
    await other.set('/p', 'y');
    await other.create('/p/a');
    await other.create('/p/b');
    await zk.exists('/p', { watch: shot });
    await other.delete('/p', { recursive: true });
    await settled(zk);
    expect(told).toEqual([
      'changed /p',
      'changed /p',
      'children /p',
      'children /p',
      'children /p',
      'children /p',
      'deleted /p',
    ]);
    expect(shots).toEqual(['changed', 'children', 'deleted']);
  });

  it('leaves one-shot watches armed when it is closed', async () => {
    const { zk, other } = await open();
    await zk.create('/p');
    const shots: string[] = [];
    const watch = await zk.watch('/p');
    await zk.get('/p', { watch: ({ type }) => shots.push(`data ${type}`) });
    await zk.children('/p', { watch: ({ type }) => shots.push(`child ${type}`) });
    await watch.close();
    await other.set('/p', 'x');
    await other.create('/p/a');
    await settled(zk);
    expect(shots).toEqual(['data changed', 'child children']);
  });

  it('that is recursive is no end of a one-shot watch of the children, nor of the data', async () => {
    const { zk, other } = await open();
    await zk.create('/p');
    const shots: string[] = [];
    await zk.children('/p', { watch: ({ type }) => shots.push(`child ${type}`) });
    await zk.get('/p', { watch: ({ type }) => shots.push(`data ${type}`) });
    const watch = await zk.watch('/p', { recursive: true });
    const told = record(watch);
    await other.create('/p/a');
    await other.set('/p', 'x');
    await zk.children('/p', { watch: ({ type }) => shots.push(`child ${type}`) });
    await zk.get('/p', { watch: ({ type }) => shots.push(`data ${type}`) });
    await watch.close();
    await other.create('/p/b');
    await other.set('/p', 'y');
    await settled(zk);
    expect(told).toEqual(['created /p/a', 'changed /p']);
    expect(shots).toEqual(['child children', 'data changed', 'child children', 'data changed']);
  });

  it.each([true, false])('of both kinds on one path: each tells its own (recursive first: %s)', async (first) => {
    const { zk, other } = await open();
    await zk.create('/p');
    const one = await zk.watch('/p', { recursive: first });
    const two = await zk.watch('/p', { recursive: !first });
    const [plain, recursive] = first ? [two, one] : [one, two];
    const [toldPlain, toldRecursive] = [record(plain), record(recursive)];
    const shots: string[] = [];
    await zk.children('/p', { watch: ({ type }) => shots.push(type) });
    await other.create('/p/a');
    await other.create('/p/a/b');
    await other.set('/p', 'x');
    await other.delete('/p/a/b');
    await other.delete('/p/a');
    await settled(zk);
    expect(toldPlain).toEqual(['children /p', 'changed /p', 'children /p']);
    expect(toldRecursive).toEqual(['created /p/a', 'created /p/a/b', 'changed /p', 'deleted /p/a/b', 'deleted /p/a']);
    expect(shots).toEqual(['children']);
  });

  it.each([true, false])(
    'of both kinds on one path: one is closed, the other goes on (recursive: %s)',
    async (closed) => {
      const { zk, other, server } = await open();
      await zk.create('/p');
      const plain = await zk.watch('/p');
      const recursive = await zk.watch('/p', { recursive: true });
      const shots: string[] = [];
      await zk.children('/p', { watch: ({ type }) => shots.push(type) });
      await (closed ? recursive : plain).close();
      const told = record(closed ? plain : recursive);
      await other.create('/p/a');
      await other.create('/p/a/b');
      await other.set('/p', 'x');
      await settled(zk);
      expect(told).toEqual(closed ? ['children /p', 'changed /p'] : ['created /p/a', 'created /p/a/b', 'changed /p']);
      expect(shots).toEqual(['children']);
      await (closed ? plain : recursive).close();
      expect(server.watches('/p')).toEqual([]);
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
    await until(() => renewed && told.length > 0 && plain.length > 0, 'resync is told in the new session', 20_000);
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
