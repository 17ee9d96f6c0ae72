import { afterEach, describe, expect, it } from '@jest/globals';
import { ClosedError, ConnectionLossError, NotReadOnlyError, TimeoutError } from '../../src/index.ts';
import { bool, bytes, int, reply, stat } from '../support/bytes.ts';
import { ScriptedServer } from '../support/scripted-server.ts';
import { outcome } from '../support/until.ts';
import { once, recordRequests, typesOf } from './requests.ts';
import { rejection } from './target.ts';
import { useServers } from './use-server.ts';

const MULTI = 14;

describe('a transaction whose connection breaks', () => {
  const servers = useServers();

  it('may have been applied, and is not sent again', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    const requests = recordRequests(
      server,
      once(({ type }) => type === 'multi', 'disconnect-after'),
    );
    const error = await rejection(zk.transaction().create('/a').check('/a').commit());
    expect(error).toBeInstanceOf(ConnectionLossError);
    expect(error).toMatchObject({ maybeApplied: true, operation: 'transaction' });
    expect(await zk.exists('/a')).not.toBeNull();
    expect(typesOf(requests).filter((type) => type === 'multi')).toHaveLength(1);
  });

  it('is sent again when it is of checks only', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    const requests = recordRequests(
      server,
      once(({ type }) => type === 'multi', 'disconnect-after'),
    );
    expect(await zk.transaction().check('/').check('/', 0).commit()).toEqual([undefined, undefined]);
    expect(typesOf(requests).filter((type) => type === 'multi')).toHaveLength(2);
  });

  it('is given up at its timeout, and at the abort of its signal', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    server.intercept(({ type }) => (type === 'multi' ? 'drop-request' : undefined));
    expect(await rejection(zk.transaction().create('/a').commit({ timeout: 20 }))).toBeInstanceOf(TimeoutError);
    const controller = new AbortController();
    const commit = outcome(zk.transaction().create('/a').commit({ signal: controller.signal }));
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await commit).toBe(reason);
    expect(await rejection(zk.transaction().create('/a').commit({ signal: controller.signal }))).toBe(reason);
  });

  it('rejects on a closed client, an empty one as well', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await zk.close();
    const error = await rejection(zk.transaction().create('/a').commit());
    expect(error).toBeInstanceOf(ClosedError);
    expect(error).toMatchObject({ maybeApplied: false });
    expect(await rejection(zk.transaction().commit())).toBeInstanceOf(ClosedError);
  });

  it('takes a guard of a recipe', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    const guard = <T extends { check(path: string, version: number): unknown }>(transaction: T): T => {
      transaction.check('/gone', -1);
      return transaction;
    };
    expect(await rejection(guard(zk.transaction()).create('/a').commit())).toMatchObject({
      code: 'NO_NODE',
      path: '/gone',
      operation: 'check',
    });
  });

  it('is one request of one packet', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    const requests = recordRequests(server);
    await zk.transaction().create('/a').set('/a', 'x').commit();
    expect(requests).toMatchObject([
      {
        type: 'multi',
        operations: [
          { type: 'create', wireType: 'create2', path: '/a' },
          { type: 'setData', path: '/a' },
        ],
      },
    ]);
  });
});

describe('a transaction on a server that knows less', () => {
  const servers = useServers();

  it('does without create2 on 3.4, and remembers it', async () => {
    const server = await servers.start({ profile: '3.4' });
    const zk = await servers.connect(server);
    const requests = recordRequests(server);
    const create = (path: string) => zk.transaction().create(path, 'x').check(path).commit();
    expect(await create('/a')).toEqual([{ path: '/a', stat: null }, undefined]);
    expect(await create('/b')).toEqual([{ path: '/b', stat: null }, undefined]);
    const firsts = requests.map(({ type, operations }) => [type, operations[0]?.wireType]);
    // What is behind the operation that the server can't read is not looked at.
    expect(firsts).toEqual([
      ['multi', 'create2'],
      ['multi', 'create'],
      ['multi', 'create'],
    ]);
    expect(zk.state).toBe('connected');
  });

  it('never makes something else of a container', async () => {
    const server = await servers.start({ profile: '3.4' });
    const zk = await servers.connect(server);
    const error = await rejection(zk.transaction().create('/a').create('/c', null, { mode: 'container' }).commit());
    expect(error).toMatchObject({ code: 'MARSHALLING_ERROR', operation: 'transaction' });
    expect(Object.keys(server.dump('/'))).toEqual([]);
  });

  it('takes a create2 that comes back as create, before 3.7.2 and 3.8.2', async () => {
    const server = await servers.start({ profile: '3.6' });
    const zk = await servers.connect(server);
    const results = await zk.transaction().create('/a').create('/c', null, { mode: 'container' }).check('/a').commit();
    expect(results).toMatchObject([{ path: '/a', stat: null }, { path: '/c', stat: { version: 0 } }, undefined]);
  });

  it('says that TTL znodes are switched off', async () => {
    const server = await servers.start({ ttlNodes: false });
    const zk = await servers.connect(server);
    expect(
      await rejection(zk.transaction().create('/t', null, { mode: 'persistent-ttl', ttl: 1_000 }).commit()),
    ).toMatchObject({ name: 'TransactionError', code: 'UNIMPLEMENTED', path: '/t' });
    expect(zk.state).toBe('connected');
  });

  it('asks nothing of ClickHouse Keeper that might end the session', async () => {
    const server = await servers.start({ profile: 'clickhouse-keeper' });
    const zk = await servers.connect(server);
    const id = zk.session?.id;
    const requests = recordRequests(server);
    expect(await zk.transaction().create('/a').commit()).toEqual([{ path: '/a', stat: null }]);
    expect(requests.map(({ operations }) => operations[0]?.wireType)).toEqual(['create']);
    expect(zk.session?.id).toBe(id);
  });

  it('is refused by a read-only server', async () => {
    const server = await servers.start();
    server.setReadOnly(0, true);
    const zk = await servers.connect(server, { readOnly: true });
    expect(await rejection(zk.transaction().create('/a').commit())).toBeInstanceOf(NotReadOnlyError);
  });
});

describe('a transaction with an odd answer', () => {
  let server: ScriptedServer | null = null;
  const servers = useServers();
  afterEach(() => server?.stop());

  const header = (type: number, done: boolean, err: number): Buffer => Buffer.concat([int(type), bool(done), int(err)]);
  const end = header(-1, true, -1);
  const answering = async (...body: Buffer[]): Promise<unknown> => {
    server = await ScriptedServer.listen({
      onRequest: ({ type, xid }) => (type === MULTI ? reply(xid, 9n, 0, ...body) : undefined),
    });
    const zk = await servers.connect(server);
    return outcome(zk.transaction().create('/a').set('/b', 'x').commit());
  };

  it('ends at the header that says done, whatever its type', async () => {
    expect(
      await answering(header(15, false, 0), bytes('/a'), stat(), header(5, false, 0), stat(), header(14, true, 0)),
    ).toMatchObject([{ path: '/a' }, { version: 0 }]);
  });

  it('says that results of other kinds came, and that it may have been applied', async () => {
    for (const body of [[header(2, false, 0), header(2, false, 0), end], [end]]) {
      expect(await answering(...body)).toMatchObject({ code: 'PROTOCOL', path: '/a', maybeApplied: true });
      await server?.stop();
    }
  });

  it('finds the operation that failed by its code, wherever RUNTIME_INCONSISTENCY stands', async () => {
    const failed = (err: number): Buffer => Buffer.concat([header(-1, false, err), int(err)]);
    expect(await answering(failed(-2), failed(-101), end)).toMatchObject({ code: 'NO_NODE', path: '/b' });
    await server?.stop();
    expect(await answering(failed(-101), end)).toMatchObject({
      code: 'NO_NODE',
      path: '/a',
      results: [{ code: 'NO_NODE' }, { code: 'RUNTIME_INCONSISTENCY' }],
    });
  });

  it('loses the connection over a list that can not be read', async () => {
    expect(await answering(header(77, false, 0), end)).toMatchObject({ code: 'CONNECTION_LOSS', maybeApplied: true });
  });

  it('keeps a number that is in no table', async () => {
    const failed = Buffer.concat([header(-1, false, -999), int(-999)]);
    expect(await answering(failed, end)).toMatchObject({ name: 'TransactionError', code: 'UNKNOWN', errno: -999 });
  });
});
