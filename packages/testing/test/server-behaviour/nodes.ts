import { describe, expect, it } from '@jest/globals';
import {
  createBody,
  Op,
  pathBody,
  type RawClient,
  type RawStat,
  setBody,
  str,
  ttlBody,
  versionBody,
  watchBody,
} from '../raw-client.ts';
import { type GetTarget, useClients } from './target.ts';

async function statOf(client: RawClient, path: string): Promise<RawStat> {
  const { err, body } = await client.call(Op.exists, watchBody(path));
  expect(err).toBe(0);
  return body.stat();
}

export function nodes(target: GetTarget): void {
  const clients = useClients(target);

  describe('create', () => {
    it('answers create with the path and create2 with the path and a Stat', async () => {
      const client = await clients.open();
      const path = await clients.freshPath(client);
      const one = await client.call(Op.create, createBody(`${path}/a`, { data: 'xyz' }));
      expect([one.err, one.body.str(), one.body.left]).toEqual([0, `${path}/a`, 0]);
      const two = await client.call(Op.create2, createBody(`${path}/b`, { data: 'xyz' }));
      expect([two.err, two.body.str()]).toEqual([0, `${path}/b`]);
      const stat = two.body.stat();
      expect(two.body.left).toBe(0);
      expect(stat).toEqual({
        czxid: two.zxid,
        mzxid: two.zxid,
        pzxid: two.zxid,
        ctime: stat.ctime,
        mtime: stat.ctime,
        version: 0,
        cversion: 0,
        aversion: 0,
        ephemeralOwner: 0n,
        dataLength: 3,
        numChildren: 0,
      });
      expect(await statOf(client, `${path}/b`)).toEqual(stat);
      expect(two.zxid).toBe(one.zxid + 1n);
    });

    it('keeps null apart from empty', async () => {
      const client = await clients.open();
      const path = await clients.freshPath(client);
      for (const data of [null, '']) {
        const node = `${path}/${data === null ? 'null' : 'empty'}`;
        await client.call(Op.create, createBody(node, { data }));
        const { body } = await client.call(Op.getData, watchBody(node));
        expect(body.buf()).toEqual(data === null ? null : Buffer.alloc(0));
        expect(body.stat().dataLength).toBe(0);
      }
    });

    it('counts the children ever made, not those that are there', async () => {
      const client = await clients.open();
      const path = await clients.freshPath(client);
      const next = async (flags: number, op: number = Op.create): Promise<string | null> => {
        const { err, body } = await client.call(op, createBody(`${path}/n-`, { flags }));
        expect(err).toBe(0);
        return body.str();
      };
      expect(await next(2)).toBe(`${path}/n-0000000000`);
      expect(await next(3, Op.create2)).toBe(`${path}/n-0000000001`);
      expect(await client.err(Op.create, createBody(`${path}/other`))).toBe(0);
      expect(await client.err(Op.delete, versionBody(`${path}/n-0000000000`))).toBe(0);
      expect(await next(2)).toBe(`${path}/n-0000000003`);
      const { body } = await client.call(Op.create, createBody(`${path}/`, { flags: 2 }));
      expect(body.str()).toBe(`${path}/0000000004`);
      expect(await statOf(client, path)).toMatchObject({ numChildren: 4, cversion: 6 });
    });

    it('makes ephemeral nodes of the session', async () => {
      const client = await clients.open();
      const path = await clients.freshPath(client);
      const { body } = await client.call(Op.create2, createBody(`${path}/e`, { flags: 1 }));
      body.str();
      expect(body.stat().ephemeralOwner).toBe(client.id);
      expect(await client.err(Op.create, createBody(`${path}/e/child`))).toBe(-108);
    });

    it('hides what containers and TTL nodes are', async () => {
      const client = await clients.open();
      const path = await clients.freshPath(client);
      for (const [op, body] of [
        [Op.createContainer, createBody(`${path}/c`, { flags: 4 })],
        [Op.createTtl, ttlBody(`${path}/t`, 100_000n)],
        [Op.createTtl, ttlBody(`${path}/t-`, 100_000n, 6)],
      ] as const) {
        const reply = await client.call(op, body);
        expect(reply.err).toBe(0);
        reply.body.str();
        expect(reply.body.stat().ephemeralOwner).toBe(0n);
      }
    });

    it.each([-1, 5, 6, 7, 8])('refuses create with flags %d', async (flags) => {
      const client = await clients.open();
      const path = await clients.freshPath(client);
      expect(await client.err(Op.create, createBody(`${path}/a`, { flags }))).toBe(-8);
    });

    it.each([0, 1, 2, 3, 4])('takes create with flags %d', async (flags) => {
      const client = await clients.open();
      const path = await clients.freshPath(client);
      expect(await client.err(Op.create, createBody(`${path}/a`, { flags }))).toBe(0);
    });

    it.each([
      [0n, 5],
      [-1n, 5],
      [2n ** 40n, 5],
      [1000n, 0],
      [1000n, 1],
    ])('refuses a ttl of %d with flags %d', async (ttl, flags) => {
      const client = await clients.open();
      const path = await clients.freshPath(client);
      expect(await client.err(Op.createTtl, ttlBody(`${path}/a`, ttl, flags))).toBe(-8);
    });

    it('refuses what cannot be made', async () => {
      const client = await clients.open();
      const path = await clients.freshPath(client);
      expect(await client.err(Op.create, createBody(path))).toBe(-110);
      expect(await client.err(Op.create, createBody('/'))).toBe(-110);
      expect(await client.err(Op.create, createBody(`${path}/no/where`))).toBe(-101);
      expect(await client.err(Op.create, createBody(`${path}/a`, { acl: null }))).toBe(-114);
      expect(await client.err(Op.create, createBody(`${path}/a`, { acl: [] }))).toBe(-114);
      expect(await client.err(Op.create, createBody(null))).toBe(-5);
      expect(await client.err(Op.create, Buffer.from([0, 0]))).toBe(-5);
    });

    it('spends a zxid on a write that fails', async () => {
      const client = await clients.open();
      const path = await clients.freshPath(client);
      const before = (await client.call(Op.exists, watchBody(path))).zxid;
      const failed = await client.call(Op.create, createBody(path));
      expect([failed.err, failed.zxid]).toEqual([-110, before + 1n]);
    });
  });

  describe('paths', () => {
    it.each([
      'a',
      '',
      '/a/',
      '//a',
      '/.',
      '/..',
      '/a\u0001',
      '/a\u007f',
      '/a\u0000',
      '/\u{1f600}',
      '/\ue000',
      '/a\ufff0',
    ])('refuses to make %j', async (path) => {
      const client = await clients.open();
      expect(await client.err(Op.create, createBody(path))).toBe(path === '/a/' ? -101 : -8);
    });

    it.each(['/...', '/.x', '/x.', '/\uf900', '/\u4e2d\u6587', '/a b'])('takes %j', async (name) => {
      const client = await clients.open();
      const path = await clients.freshPath(client);
      expect(await client.err(Op.create, createBody(path + name))).toBe(0);
      const { body } = await client.call(Op.getChildren, watchBody(path));
      expect(body.strings()).toEqual([name.slice(1)]);
    });

    it('does not validate paths of reads; the empty one is the root', async () => {
      const client = await clients.open();
      expect(await client.err(Op.exists, watchBody('x'))).toBe(-101);
      expect(await client.err(Op.getData, watchBody('/a//b'))).toBe(-101);
      expect(await client.err(Op.exists, watchBody(''))).toBe(0);
      expect(await client.err(Op.exists, watchBody(null))).toBe(-5);
      expect(await client.err(Op.exists, watchBody('/a\u0000'))).toBe(-8);
    });
  });

  describe('the tree of a new server', () => {
    it('has /zookeeper with its quota and its configuration', async () => {
      const client = await clients.open();
      const { body } = await client.call(Op.getChildren2, watchBody('/zookeeper'));
      expect(body.strings().sort()).toEqual(['config', 'quota']);
      expect(body.stat()).toMatchObject({ cversion: -2, numChildren: 2, czxid: 0n, ctime: 0n });
      expect(await client.err(Op.delete, versionBody('/zookeeper'))).toBe(-8);
      expect(await client.err(Op.delete, versionBody('/zookeeper/quota'))).toBe(-8);
      expect(await client.err(Op.delete, versionBody('/'))).toBe(-8);
      expect(await client.err(Op.setData, setBody('/zookeeper/config', 'x'))).toBe(-102);
    });
  });

  describe('change', () => {
    it('counts versions of the data', async () => {
      const client = await clients.open();
      const path = await clients.freshPath(client);
      const before = await statOf(client, path);
      const { err, body, zxid } = await client.call(Op.setData, setBody(path, 'one', 0));
      const stat = body.stat();
      expect([err, body.left]).toEqual([0, 0]);
      expect(stat).toEqual({ ...before, version: 1, mzxid: zxid, mtime: stat.mtime, dataLength: 3 });
      expect(stat.mtime >= before.mtime).toBe(true);
      expect(await client.err(Op.setData, setBody(path, 'two', 0))).toBe(-103);
      expect(await client.err(Op.setData, setBody(path, 'two', -2))).toBe(-103);
      expect(await client.err(Op.setData, setBody(path, null, -1))).toBe(0);
      const read = await client.call(Op.getData, watchBody(path));
      expect([read.body.buf(), read.body.stat().version, read.body.left]).toEqual([null, 2, 0]);
      expect(await client.err(Op.setData, setBody(`${path}/none`, 'x'))).toBe(-101);
      expect(await client.err(Op.setData, setBody(`${path}/`, 'x'))).toBe(-8);
    });

    it('deletes by version, and only what has no children', async () => {
      const client = await clients.open();
      const path = await clients.freshPath(client);
      await client.call(Op.create, createBody(`${path}/a`));
      await client.call(Op.create, createBody(`${path}/a/b`));
      expect(await client.err(Op.delete, versionBody(`${path}/a`, 7))).toBe(-103);
      expect(await client.err(Op.delete, versionBody(`${path}/a`))).toBe(-111);
      const gone = await client.call(Op.delete, versionBody(`${path}/a/b`, 0));
      expect([gone.err, gone.body.left]).toEqual([0, 0]);
      expect(await client.err(Op.delete, versionBody(`${path}/a/b`))).toBe(-101);
      expect(await client.err(Op.delete, versionBody(`${path}/no/where`))).toBe(-101);
      expect(await client.err(Op.delete, versionBody('x'))).toBe(-8);
      expect(await client.err(Op.delete, versionBody(null))).toBe(-5);
      expect(await statOf(client, `${path}/a`)).toMatchObject({ pzxid: gone.zxid, cversion: 2, numChildren: 0 });
    });

    it('lets anybody delete a childless persistent node by deleteContainer', async () => {
      const client = await clients.open();
      const path = await clients.freshPath(client);
      await client.call(Op.create, createBody(`${path}/a`));
      await client.call(Op.create, createBody(`${path}/e`, { flags: 1 }));
      expect(await client.err(Op.deleteContainer, pathBody(path))).toBe(-111);
      expect(await client.err(Op.deleteContainer, pathBody(`${path}/e`))).toBe(-103);
      expect(await client.err(Op.deleteContainer, pathBody(`${path}/a`))).toBe(0);
      expect(await client.err(Op.exists, watchBody(`${path}/a`))).toBe(-101);
    });

    it('lists children in no order, with and without a Stat', async () => {
      const client = await clients.open();
      const path = await clients.freshPath(client);
      const names = Array.from({ length: 30 }, (_, i) => `n-${String(i).padStart(10, '0')}`);
      for (const name of names) await client.call(Op.create, createBody(`${path}/${name}`));
      const { body } = await client.call(Op.getChildren, watchBody(path));
      const listed = body.strings();
      expect(body.left).toBe(0);
      expect(listed).not.toEqual(names);
      expect([...listed].sort()).toEqual(names);
      const two = await client.call(Op.getChildren2, watchBody(path));
      expect(two.body.strings()).toEqual(listed);
      expect(two.body.stat()).toMatchObject({ numChildren: 30, cversion: 30 });
      expect(await client.err(Op.getChildren, watchBody(`${path}/none`))).toBe(-101);
    });

    it('lists children as a HashSet of Java does', async () => {
      const client = await clients.open();
      const path = await clients.freshPath(client);
      for (const name of ['charlie', 'alpha', 'bravo', 'delta', 'echo', 'foxtrot', 'golf']) {
        await client.call(Op.create, createBody(`${path}/${name}`));
      }
      const { body } = await client.call(Op.getChildren, watchBody(path));
      expect(body.strings()).toEqual(['bravo', 'golf', 'foxtrot', 'alpha', 'delta', 'echo', 'charlie']);
    });
  });

  describe('other reads', () => {
    it('counts descendants', async () => {
      const client = await clients.open();
      const path = await clients.freshPath(client);
      for (const name of ['a', 'a/b', 'a/b/c', 'ab']) await client.call(Op.create, createBody(`${path}/${name}`));
      const count = async (at: string): Promise<number> =>
        (await client.call(Op.getAllChildrenNumber, pathBody(at))).body.int();
      expect(await count(path)).toBe(4);
      expect(await count(`${path}/a`)).toBe(2);
      expect(await count(`${path}/ab`)).toBe(0);
      expect(await count('/')).toBeGreaterThanOrEqual(8);
      expect(await client.err(Op.getAllChildrenNumber, pathBody(`${path}/none`))).toBe(-101);
    });

    it('answers sync with the path, whatever it is', async () => {
      const client = await clients.open();
      for (const path of ['/', '/not/there', 'x']) {
        const { err, body } = await client.call(Op.sync, str(path));
        expect([err, body.str()]).toEqual([0, path]);
      }
    });
  });
}
