import { afterEach, describe, expect, it } from '@jest/globals';
import { ClosedError, NoNodeError, TimeoutError, UnimplementedError } from '../../src/index.ts';
import { bool, bytes, int, reply, stat } from '../support/bytes.ts';
import { ScriptedServer } from '../support/scripted-server.ts';
import { once, recordRequests, typesOf } from './requests.ts';
import { rejection } from './target.ts';
import { useServers } from './use-server.ts';

const MULTI_READ = 22;

describe('multiRead', () => {
  const servers = useServers();

  it('is one request, with nothing watched', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    const requests = recordRequests(server);
    await zk.multiRead([{ get: '/' }, { children: '/' }]);
    expect(requests).toMatchObject([{ type: 'multiRead', operations: [{ type: 'getData' }, { type: 'getChildren' }] }]);
    expect(server.watches()).toEqual([]);
  });

  it('is single reads on 3.5, which loses its connection over it once', async () => {
    const server = await servers.start({ profile: '3.5' });
    const zk = await servers.connect(server);
    await zk.create('/a', 'one');
    const id = zk.session?.id;
    const requests = recordRequests(server);
    const read = () => zk.multiRead([{ get: '/a' }, { get: '/b' }, { children: '/a' }]);
    const [a, b, children] = await read();
    expect(a).toMatchObject({ data: Buffer.from('one') });
    expect(b).toBeInstanceOf(NoNodeError);
    expect(b).toMatchObject({ path: '/b', operation: 'get' });
    expect(children).toEqual({ children: [] });
    await read();
    expect(typesOf(requests).filter((type) => type === 'multiRead')).toHaveLength(1);
    expect(zk.session?.id).toBe(id);
  });

  it('is single reads on ClickHouse Keeper, which is not asked for more', async () => {
    const server = await servers.start({ profile: 'clickhouse-keeper' });
    const zk = await servers.connect(server);
    const id = zk.session?.id;
    const requests = recordRequests(server);
    expect(await zk.multiRead([{ children: '/' }])).toEqual([{ children: ['zookeeper'] }]);
    expect(typesOf(requests)).toEqual(['getChildren2']);
    expect(zk.session?.id).toBe(id);
  });

  it('reads more than may be on the wire at once', async () => {
    const server = await servers.start({ profile: '3.5' });
    const zk = await servers.connect(server, { maxInFlight: 10, maxQueued: 10 });
    const results = await zk.multiRead(
      Array.from({ length: 1_000 }, (_, index) => ({ get: index === 7 ? '/x' : '/' })),
    );
    expect(results).toHaveLength(1_000);
    expect(results.findIndex((result) => result instanceof NoNodeError)).toBe(7);
    expect(results.filter((result) => 'data' in result)).toHaveLength(999);
  });

  it('is sent again when its connection breaks', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    recordRequests(
      server,
      once(({ type }) => type === 'multiRead', 'disconnect-after'),
    );
    expect(await zk.multiRead([{ children: '/' }])).toEqual([{ children: ['zookeeper'] }]);
  });

  it('rejects as a whole when its time is up, or the client is closed', async () => {
    for (const profile of ['3.9', '3.5'] as const) {
      const server = await servers.start({ profile });
      const zk = await servers.connect(server);
      const off = server.intercept(({ type }) => (type === 'getData' ? 'drop-request' : undefined));
      server.intercept(({ type }) => (type === 'multiRead' && profile === '3.9' ? 'drop-request' : undefined));
      expect(await rejection(zk.multiRead([{ get: '/' }, { get: '/' }], { timeout: 50 }))).toBeInstanceOf(TimeoutError);
      off();
      await zk.close();
      expect(await rejection(zk.multiRead([{ get: '/' }]))).toBeInstanceOf(ClosedError);
      expect(await rejection(zk.multiRead([]))).toBeInstanceOf(ClosedError);
    }
  });

  describe('with an odd answer', () => {
    let server: ScriptedServer | null = null;
    afterEach(() => server?.stop());

    const header = (type: number, done: boolean, err: number): Buffer =>
      Buffer.concat([int(type), bool(done), int(err)]);

    it('takes errors that stand in the header only', async () => {
      const body = [header(4, false, -101), header(8, false, -102), header(4, false, 0), bytes('x'), stat()];
      server = await ScriptedServer.listen({
        onRequest: ({ type, xid }) =>
          type === MULTI_READ ? reply(xid, 9n, 0, ...body, header(-1, true, -1)) : undefined,
      });
      const zk = await servers.connect(server);
      expect(await zk.multiRead([{ get: '/a' }, { children: '/b' }, { get: '/c' }])).toMatchObject([
        { code: 'NO_NODE', path: '/a' },
        { code: 'NO_AUTH', path: '/b', operation: 'children' },
        { data: Buffer.from('x') },
      ]);
      expect(server.peers).toHaveLength(1);
    });

    it('makes errors of results that are missing or of another kind', async () => {
      const body = [header(8, false, 0), int(0)];
      server = await ScriptedServer.listen({
        onRequest: ({ type, xid }) =>
          type === MULTI_READ ? reply(xid, 9n, 0, ...body, header(-1, true, -1)) : undefined,
      });
      const zk = await servers.connect(server);
      expect(await zk.multiRead([{ get: '/a' }, { children: '/b' }])).toMatchObject([
        { code: 'PROTOCOL', path: '/a' },
        { code: 'PROTOCOL', path: '/b' },
      ]);
    });
  });
});

describe('requests that not every server knows', () => {
  const servers = useServers();

  it('whoAmI costs the connection of a server before 3.7 once', async () => {
    const server = await servers.start({ profile: '3.6' });
    const zk = await servers.connect(server);
    const id = zk.session?.id;
    const requests = recordRequests(server);
    expect(await rejection(zk.whoAmI())).toBeInstanceOf(UnimplementedError);
    // Connected again, to the same server.
    await zk.exists('/');
    expect(await rejection(zk.whoAmI())).toMatchObject({ code: 'UNIMPLEMENTED', operation: 'whoAmI' });
    expect(typesOf(requests)).toEqual(['whoAmI', 'exists']);
    expect(zk.session?.id).toBe(id);
  });

  it('ephemerals costs the connection of a server before 3.6 once', async () => {
    const server = await servers.start({ profile: '3.5' });
    const zk = await servers.connect(server);
    const requests = recordRequests(server);
    expect(await rejection(zk.ephemerals())).toBeInstanceOf(UnimplementedError);
    await zk.exists('/');
    expect(await rejection(zk.ephemerals('/a'))).toMatchObject({ code: 'UNIMPLEMENTED', path: '/a' });
    expect(typesOf(requests)).toEqual(['getEphemerals', 'exists']);
  });

  it('are not sent to ClickHouse Keeper, which would end the session', async () => {
    const server = await servers.start({ profile: 'clickhouse-keeper' });
    const zk = await servers.connect(server);
    await zk.ensurePath('/a/b/c', { container: true });
    const id = zk.session?.id;
    const requests = recordRequests(server);
    expect(await rejection(zk.whoAmI())).toBeInstanceOf(UnimplementedError);
    expect(await rejection(zk.ephemerals())).toBeInstanceOf(UnimplementedError);
    expect(await zk.countDescendants('/a')).toBe(2);
    expect(new Set(typesOf(requests))).toEqual(new Set(['getChildren2']));
    expect(zk.session?.id).toBe(id);
    await zk.close();
    expect(await rejection(zk.whoAmI())).toBeInstanceOf(ClosedError);
  });

  it('countDescendants walks where the server can not count', async () => {
    const server = await servers.start({ profile: '3.5' });
    const zk = await servers.connect(server);
    await zk.ensurePath('/a/b/c');
    const requests = recordRequests(server);
    expect(await zk.countDescendants('/a')).toBe(2);
    expect(await zk.countDescendants('/a/b/c')).toBe(0);
    expect(await rejection(zk.countDescendants('/x'))).toBeInstanceOf(NoNodeError);
    expect(typesOf(requests).filter((type) => type === 'getAllChildrenNumber')).toHaveLength(1);
  });

  it('countDescendants has one deadline for the whole walk', async () => {
    const server = await servers.start({ profile: '3.5' });
    const zk = await servers.connect(server);
    await zk.ensurePath('/a/b/c');
    server.intercept(({ type, path }) => (type === 'getChildren' && path === '/a/b/c' ? 'drop-request' : undefined));
    expect(await rejection(zk.countDescendants('/a', { timeout: 60 }))).toMatchObject({
      name: 'TimeoutError',
      operation: 'countDescendants',
      path: '/a',
    });
  });

  it('are sent again when the connection breaks', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    for (const type of ['whoAmI', 'getEphemerals', 'getAllChildrenNumber', 'getACL']) {
      recordRequests(
        server,
        once((request) => request.type === type, 'disconnect-after'),
      );
    }
    expect(await zk.whoAmI()).toContainEqual({ scheme: 'ip', id: '127.0.0.1' });
    expect(await zk.ephemerals()).toEqual([]);
    expect(await zk.countDescendants('/zookeeper')).toBeGreaterThan(0);
    expect((await zk.getAcl('/')).acl).toHaveLength(1);
  });

  it('setAcl and reconfig are not', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    recordRequests(
      server,
      once((request) => request.type === 'setACL', 'disconnect-after'),
    );
    recordRequests(
      server,
      once((request) => request.type === 'reconfig', 'disconnect-after'),
    );
    const loss = { code: 'CONNECTION_LOSS', maybeApplied: true };
    const open = { perms: 31, scheme: 'world', id: 'anyone' };
    expect(await rejection(zk.setAcl('/', open))).toMatchObject({ ...loss, operation: 'setAcl', path: '/' });
    expect(await rejection(zk.reconfig({ leaving: ['1', '2'] }))).toMatchObject({ ...loss, operation: 'reconfig' });
  });
});
