import { describe, expect, it, jest } from '@jest/globals';
import type { ProfileName, TestServerMember } from '@zookit/testing';
import { recordRequests, typesOf } from '../operations/requests.ts';
import { useServers } from '../operations/use-server.ts';
import { reconnected, record, settled, until } from './record.ts';

jest.setTimeout(60_000);

const WITHOUT: readonly ProfileName[] = ['3.4', '3.5', 'clickhouse-keeper'];

describe.each(WITHOUT)('a plain watch made of one-shot ones, on %s', (profile) => {
  const servers = useServers();
  const open = async () => {
    const server = await servers.start({ profile });
    const [zk, other] = [await servers.connect(server), await servers.connect(server)];
    // Each change is waited for: what comes in between may be told as one.
    const tell = async (told: string[], change: () => Promise<unknown>, event: string) => {
      const before = told.length;
      await change();
      await until(() => told.length > before, event);
      // What follows must find the watches set again.
      const of = (kind: string) => server.watches('/a').some((watch) => watch.kind === kind);
      if (event === 'deleted /a') await until(() => of('exist'), 'it waits for the znode');
      else await until(() => of('data') && of('child'), 'it watches again');
    };
    return { server, zk, other, tell };
  };

  it('tells what a persistent one does', async () => {
    const { zk, other, tell } = await open();
    const told = record(await zk.watch('/a'));
    await tell(told, () => other.create('/a'), 'created /a');
    await tell(told, () => other.set('/a', '1'), 'changed /a');
    await tell(told, () => other.set('/a', '2'), 'changed /a');
    await tell(told, () => other.create('/a/b'), 'children /a');
    await other.set('/a/b', '3');
    await tell(told, () => other.delete('/a/b'), 'children /a');
    await tell(told, () => other.delete('/a'), 'deleted /a');
    await tell(told, () => other.create('/a'), 'created /a');
    expect(told).toEqual([
      'created /a',
      'changed /a',
      'changed /a',
      'children /a',
      'children /a',
      'deleted /a',
      'created /a',
    ]);
  });

  it('leaves out no change that comes while it is being set again', async () => {
    const { server, zk, other } = await open();
    await other.create('/a', '0');
    const told = record(await zk.watch('/a'));
    let seen = '';
    const look = async () => {
      const { data } = await zk.get('/a');
      seen = String(data);
    };
    for (let i = 1; i <= 30; i += 1) {
      let changed = false;
      server.intercept((request) => {
        // Right before the read that sets the watch again.
        if (request.type !== 'exists' || changed) return undefined;
        changed = true;
        return other.set('/a', `${i}b`).then(() => undefined);
      });
      const before = told.length;
      await other.set('/a', `${i}a`);
      await until(() => told.length >= before + 2, 'both changes are told');
      await look();
      expect([`${i}a`, `${i}b`]).toContain(seen);
    }
    await settled(zk);
    await look();
    expect(seen).toBe('30b');
    expect(told).toEqual(Array.from({ length: 60 }, () => 'changed /a'));
  });

  it('sees that the znode is another one', async () => {
    const { server, zk, other } = await open();
    await other.create('/a', '0');
    const told = record(await zk.watch('/a'));
    let done = false;
    server.intercept((request) => {
      if (request.type !== 'exists' || done) return undefined;
      done = true;
      return other
        .delete('/a')
        .then(() => other.create('/a'))
        .then(() => undefined);
    });
    await other.set('/a', '1');
    await until(() => told.length >= 3, 'it was changed, deleted and created');
    expect(told.slice(0, 3)).toEqual(['changed /a', 'deleted /a', 'created /a']);
  });

  it('tells resync once it is set again', async () => {
    const { server, zk, other, tell } = await open();
    await other.create('/a');
    const told = record(await zk.watch('/a'));
    const id = zk.session?.id;
    let back = false;
    zk.once('state', () => {
      zk.once(profile === 'clickhouse-keeper' ? 'renewed' : 'reconnected', () => {
        back = true;
      });
    });
    server.dropConnections();
    await until(() => back && told.length > 0, 'resync is told');
    expect(told).toEqual(['resync /a']);
    expect(zk.session?.id === id).toBe(profile !== 'clickhouse-keeper');
    await until(() => other.state === 'connected', 'the other is back');
    await tell(told, () => other.set('/a', '1'), 'changed /a');
    expect(told).toEqual(['resync /a', 'changed /a']);
  });

  it('tells resync, and nothing else, of what has changed during an outage', async () => {
    const server = await servers.start({ profile, members: 2 });
    const [one, two] = server.members;
    const [zk, other] = [
      await servers.connect(one as TestServerMember),
      await servers.connect(two as TestServerMember),
    ];
    await other.create('/a');
    const told = record(await zk.watch('/a'));
    const isWatched = (): boolean => server.watches('/a').length === 2;
    for (let round = 1; round <= 3; round += 1) {
      await server.stopMember(0);
      if (round > 1) for (const data of ['1', '2', '3']) await other.set('/a', data);
      if (round > 2) for (const name of ['b', 'c', 'd']) await other.create(`/a/${name}`);
      await server.startMember(0);
      await until(() => told.length > 0 && isWatched(), 'resync is told, and all is watched');
      await settled(zk);
      await other.set('/a', '4');
      await until(() => told.length > 1 && isWatched(), 'it is told, and all is watched');
      await settled(zk);
      expect(told.splice(0)).toEqual(['resync /a', 'changed /a']);
    }
  });

  it('is shared, and leaves nothing behind when the last is closed', async () => {
    const { server, zk, other } = await open();
    await other.create('/a');
    const watches = [await zk.watch('/a'), await zk.watch('/a')];
    const told = watches.map(record);
    expect(server.watches('/a')).toHaveLength(2);
    await watches[0]?.close();
    await other.set('/a', '1');
    await until(() => told[1]?.length === 1, 'the other one is told');
    expect(told).toEqual([[], ['changed /a']]);
    await until(() => server.watches('/a').length === 2, 'it watches again');
    await watches[1]?.close();
    // From 3.4, which can't take watches back, they go with the connection.
    await until(() => server.watches('/a').length === 0, 'nothing is watched any more');
    expect(zk.health().watches).toBe(0);
  });
});

describe.each(['3.4', '3.5'] as const)('a server without addWatch, %s', (profile) => {
  const servers = useServers();

  it('is asked once, keeps the session, and can’t have recursive watches', async () => {
    const server = await servers.start({ profile });
    const zk = await servers.connect(server);
    const id = zk.session?.id;
    const requests = recordRequests(server);
    for (let i = 0; i < 3; i += 1) {
      await expect(zk.watch('/a', { recursive: true })).rejects.toMatchObject({
        code: 'UNIMPLEMENTED',
        operation: 'watch',
        path: '/a',
      });
    }
    await zk.watch('/a');
    await zk.watch('/b');
    expect(typesOf(requests).filter((type) => type === 'addWatch')).toHaveLength(1);
    expect(zk.session?.id).toBe(id);
    expect(zk.health().watches).toBeGreaterThanOrEqual(2);
  });

  it('is asked once for a plain watch too', async () => {
    const server = await servers.start({ profile });
    // To 3.4 a create may cost the connection.
    const [zk, other] = [await servers.connect(server), await servers.connect(server)];
    const requests = recordRequests(server);
    const told = record(await zk.watch('/a'));
    await other.create('/a');
    await until(() => told.length === 1, 'it is told');
    await reconnected(zk, () => server.dropConnections());
    await until(() => told.length === 2, 'it is told');
    expect(told).toEqual(['created /a', 'resync /a']);
    expect(typesOf(requests).filter((type) => type === 'addWatch' || type === 'setWatches2')).toEqual(['addWatch']);
  });
});

describe('ClickHouse Keeper', () => {
  const servers = useServers();

  it('is asked for recursive watches, and once it has them for plain ones too', async () => {
    const server = await servers.start({ profile: 'clickhouse-keeper' });
    const zk = await servers.connect(server);
    const requests = recordRequests(server);
    await zk.watch('/a');
    expect(typesOf(requests)).toEqual(['exists']);
    await zk.watch('/a', { recursive: true });
    await zk.watch('/b');
    expect(typesOf(requests)).toEqual(['exists', 'addWatch', 'addWatch']);
  });

  it('that ends the session over addWatch is asked twice at most', async () => {
    const server = await servers.start({ profile: 'clickhouse-keeper' });
    const zk = await servers.connect(server);
    const requests = recordRequests(server, ({ type }) => (type === 'addWatch' ? 'disconnect-before' : undefined));
    await expect(zk.watch('/a', { recursive: true })).rejects.toMatchObject({ code: 'UNIMPLEMENTED' });
    await expect(zk.watch('/b', { recursive: true })).rejects.toMatchObject({ code: 'UNIMPLEMENTED' });
    expect(typesOf(requests)).toEqual(['addWatch', 'addWatch']);
    expect(await zk.exists('/')).not.toBeNull();
  });
});
