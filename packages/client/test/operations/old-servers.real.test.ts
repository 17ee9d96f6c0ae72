import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RealServer } from '@zookit/testing';
import { NoNodeError, TransactionError, UnimplementedError } from '../../src/index.ts';
import { collect, rejection, useClients } from './target.ts';

const versions = [
  { version: '3.4.14', create2: false, multiStat: false, containers: false, counts: false, whoAmI: false },
  { version: '3.5.10', create2: true, multiStat: false, containers: true, counts: false, whoAmI: false },
  { version: '3.6.4', create2: true, multiStat: false, containers: true, counts: true, whoAmI: false },
  { version: '3.8.6', create2: true, multiStat: true, containers: true, counts: true, whoAmI: true },
];

describe.each(versions)('operations, on Apache ZooKeeper $version', (known) => {
  let server: RealServer;
  beforeAll(async () => {
    server = await RealServer.start({ version: known.version });
  }, 120_000);
  const clients = useClients(() => ({ connectString: server.connectString }));
  // Behind the clients, which are closed first.
  afterAll(() => server.stop());

  it('applies a transaction or nothing, and stays in step', async () => {
    const zk = await clients.open();
    const path = await clients.freshPath(zk);
    const results = await zk
      .transaction()
      .create(`${path}/a`, 'one')
      .set(`${path}/a`, 'two')
      .create(`${path}/s-`, null, { mode: 'ephemeral-sequential' })
      .check(`${path}/a`, 1)
      .delete(`${path}/a`, { version: 1 })
      .commit();
    const stat = known.multiStat ? { numChildren: 0 } : null;
    expect(results).toMatchObject([
      { path: `${path}/a`, stat },
      { version: 1 },
      { path: `${path}/s-0000000001`, stat },
      undefined,
      undefined,
    ]);
    const error = await rejection(zk.transaction().create(`${path}/b`).create(path).delete('/x').commit());
    expect(error).toBeInstanceOf(TransactionError);
    expect(error).toMatchObject({ code: 'NODE_EXISTS', path });
    expect((error as TransactionError).results.map((result) => result?.code)).toEqual([
      undefined,
      'NODE_EXISTS',
      'RUNTIME_INCONSISTENCY',
    ]);
    expect(await zk.exists(`${path}/b`)).toBeNull();
  });

  it('makes a container in a transaction, or nothing', async () => {
    const zk = await clients.open();
    const path = await clients.freshPath(zk);
    const commit = zk.transaction().create(`${path}/c`, null, { mode: 'container' }).commit();
    if (known.containers) expect(await commit).toMatchObject([{ path: `${path}/c`, stat: { version: 0 } }]);
    else expect(await rejection(commit)).toMatchObject({ code: 'MARSHALLING_ERROR' });
    expect((await zk.children(path)).children).toEqual(known.containers ? ['c'] : []);
  });

  it('makes and deletes trees', async () => {
    const zk = await clients.open();
    const path = await clients.freshPath(zk);
    await zk.ensurePath(`${path}/a/b/c`, { container: true });
    const { stat } = await zk.create(`${path}/d/e/f`, null, { parents: true });
    expect(stat === null).toBe(!known.create2);
    expect(await collect(zk.walk(`${path}/a`))).toEqual([`${path}/a`, `${path}/a/b`, `${path}/a/b/c`]);
    await zk.delete(path, { recursive: true });
    expect(await zk.exists(path)).toBeNull();
  });

  it('reads by other means what the server can not tell at once', async () => {
    const zk = await clients.open();
    const path = await clients.freshPath(zk);
    await zk.create(`${path}/a`, 'one');
    const [a, b, children] = await zk.multiRead([{ get: `${path}/a` }, { get: `${path}/b` }, { children: path }]);
    expect(a).toMatchObject({ data: Buffer.from('one') });
    expect(b).toBeInstanceOf(NoNodeError);
    expect(children).toEqual({ children: ['a'] });
    expect(await zk.countDescendants(path)).toBe(1);
  });

  it('says what the server does not know, and keeps the session', async () => {
    const zk = await clients.open();
    const path = await clients.freshPath(zk);
    const { id } = zk.session as { id: bigint };
    await zk.create(`${path}/e`, null, { mode: 'ephemeral' });
    if (known.whoAmI) expect(await zk.whoAmI()).toContainEqual({ scheme: 'ip', id: '127.0.0.1' });
    else expect(await rejection(zk.whoAmI())).toBeInstanceOf(UnimplementedError);
    if (known.counts) expect(await zk.ephemerals(path)).toEqual([`${path}/e`]);
    else expect(await rejection(zk.ephemerals(path))).toBeInstanceOf(UnimplementedError);
    expect((await zk.exists(`${path}/e`))?.ephemeralOwner).toBe(id);
    expect(zk.session?.id).toBe(id);
  });

  it('tells what every server knows', async () => {
    const zk = await clients.open();
    const path = await clients.freshPath(zk);
    const open = { perms: 31, scheme: 'world', id: 'anyone' };
    expect(await zk.getAcl(path)).toMatchObject({ acl: [open], stat: { aversion: 0 } });
    expect(await zk.setAcl(path, [open, { ...open, perms: 1 }])).toMatchObject({ aversion: 1 });
    expect((await zk.getAcl(path)).acl).toHaveLength(2);
    if (known.version === '3.4.14') expect(await rejection(zk.getConfig())).toBeInstanceOf(NoNodeError);
    else expect(await zk.getConfig()).toMatchObject({ stat: { mzxid: 0n } });
  });
});
