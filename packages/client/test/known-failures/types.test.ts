import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestServer } from '@zookit/testing';
import { type Stat, type WatchEvent, ZooKeeper, ZooKeeperError } from '../../src/index.ts';

/** Compiles only where both are the same type; the value is for a test to look at. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function declared<_Claim extends true>(): void {}

let server: TestServer;
let zk: ZooKeeper;
beforeAll(async () => {
  server = await TestServer.start();
  zk = await ZooKeeper.connect(server.connectString);
});
afterAll(async () => {
  await zk.close();
  await server.stop();
});

const stat: Record<keyof Stat, unknown> = {
  czxid: expect.any(BigInt),
  mzxid: expect.any(BigInt),
  pzxid: expect.any(BigInt),
  ephemeralOwner: expect.any(BigInt),
  ctime: expect.any(BigInt),
  mtime: expect.any(BigInt),
  version: expect.any(Number),
  cversion: expect.any(Number),
  aversion: expect.any(Number),
  dataLength: expect.any(Number),
  numChildren: expect.any(Number),
};

describe('what the types say', () => {
  it('of a stat is what a server sends: bigints for what has 64 bits, numbers for all else', async () => {
    declared<Same<Stat['czxid' | 'mzxid' | 'pzxid' | 'ephemeralOwner' | 'ctime' | 'mtime'], bigint>>();
    declared<Same<Stat['version' | 'cversion' | 'aversion' | 'dataLength' | 'numChildren'], number>>();
    expect(await zk.exists('/')).toEqual(stat);
    expect((await zk.getAcl('/')).stat).toEqual(stat);
  });

  it('of data is Buffer or null, and of children text', async () => {
    declared<Same<Awaited<ReturnType<ZooKeeper['get']>>, { data: Buffer | null; stat: Stat }>>();
    declared<Same<Awaited<ReturnType<ZooKeeper['children']>>, { children: string[]; stat: Stat }>>();
    await zk.create('/some', 'x');
    await zk.create('/none', null);
    expect(await zk.get('/some')).toEqual({ data: Buffer.from('x'), stat });
    expect(await zk.get('/none')).toEqual({ data: null, stat });
    expect(await zk.children('/')).toEqual({ children: expect.arrayContaining(['some', 'none']), stat });
  });

  it('of a missing znode is null from exists, and an error from all others', async () => {
    declared<Same<Awaited<ReturnType<ZooKeeper['exists']>>, Stat | null>>();
    expect(await zk.exists('/missing')).toBeNull();
    await expect(zk.get('/missing')).rejects.toBeInstanceOf(ZooKeeperError);
    await expect(zk.set('/missing', null)).rejects.toMatchObject({ code: 'NO_NODE', errno: -101, path: '/missing' });
  });

  it('of create, set, delete and sync is what they resolve with', async () => {
    declared<Same<Awaited<ReturnType<ZooKeeper['create']>>, { path: string; stat: Stat | null }>>();
    declared<Same<Awaited<ReturnType<ZooKeeper['set']>>, Stat>>();
    declared<Same<Awaited<ReturnType<ZooKeeper['delete' | 'sync' | 'ensurePath' | 'close' | 'connect']>>, void>>();
    expect(await zk.create('/made')).toEqual({ path: '/made', stat });
    expect(await zk.set('/made', 'x')).toEqual(stat);
    expect(await zk.delete('/made')).toBeUndefined();
    expect(await zk.sync()).toBeUndefined();
    expect(await zk.ensurePath('/made')).toBeUndefined();
  });

  it('of a watch event is what a listener hears', async () => {
    declared<Same<WatchEvent['zxid'], bigint | undefined>>();
    const heard: WatchEvent[] = [];
    await zk.create('/watched');
    await zk.get('/watched', { watch: (event) => heard.push(event) });
    const { mzxid } = await zk.set('/watched', 'x');
    expect(heard).toEqual([{ type: 'changed', path: '/watched', zxid: mzxid }]);
  });

  it('of a session is what it has', () => {
    declared<Same<NonNullable<ZooKeeper['session']>['id'], bigint>>();
    declared<Same<NonNullable<ZooKeeper['session']>['signal'], AbortSignal>>();
    expect(zk.session?.id).toEqual(expect.any(BigInt));
    expect(zk.session?.password).toHaveLength(16);
    expect(zk.session?.signal.aborted).toBe(false);
    expect(zk.session?.remaining()).toBeGreaterThan(0);
  });
});
