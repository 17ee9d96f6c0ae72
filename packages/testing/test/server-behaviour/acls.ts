import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  aclList,
  authBody,
  createBody,
  int,
  multiBody,
  Op,
  open,
  pathBody,
  type RawAcl,
  type RawClient,
  setBody,
  str,
  versionBody,
  watchBody,
} from '../raw-client.ts';
import { type GetTarget, useClients } from './target.ts';

const [read, write, create, remove, admin, all] = [1, 2, 4, 8, 16, 31] as const;

function digestId(credentials: string): string {
  return `${credentials.split(':')[0]}:${createHash('sha1').update(credentials).digest('base64')}`;
}

function digestAcl(perms: number, credentials: string): RawAcl {
  return { perms, scheme: 'digest', id: digestId(credentials) };
}

function setAclBody(path: string, acl: RawAcl[] | null, version = -1): Buffer {
  return Buffer.concat([str(path), aclList(acl), int(version)]);
}

async function identify(client: RawClient, scheme: string, auth: string): Promise<number> {
  client.send(Op.auth, authBody(scheme, auth), -4);
  const reply = await client.reply();
  expect(reply).toMatchObject({ xid: -4, zxid: 0n });
  return reply?.err ?? 0;
}

export function acls(target: GetTarget): void {
  const clients = useClients(target);
  const scene = async (): Promise<{ path: string; owner: RawClient; other: RawClient }> => {
    const [owner, other] = [await clients.open(), await clients.open()];
    expect(await identify(owner, 'digest', 'owner:secret')).toBe(0);
    return { path: await clients.freshPath(owner), owner, other };
  };

  describe('ACLs', () => {
    it('let nobody in but whom they name', async () => {
      const { path, owner, other } = await scene();
      const node = `${path}/n`;
      await owner.call(Op.create, createBody(node, { acl: [digestAcl(all, 'owner:secret')] }));
      await owner.call(Op.create, createBody(`${node}/a`));
      for (const [op, body] of [
        [Op.getData, watchBody(node)],
        [Op.exists, watchBody(node)],
        [Op.getChildren, watchBody(node)],
        [Op.getChildren2, watchBody(node)],
        [Op.getAllChildrenNumber, pathBody(node)],
        [Op.getAcl, pathBody(node)],
        [Op.setData, setBody(node, 'x')],
        [Op.create, createBody(`${node}/b`)],
        [Op.delete, versionBody(`${node}/a`)],
        [Op.setAcl, setAclBody(node, open)],
      ] as const) {
        expect([op, await other.err(op, body)]).toEqual([op, -102]);
      }
      expect(await other.err(Op.exists, watchBody(`${node}/a`))).toBe(0);
      expect(await identify(other, 'digest', 'owner:secret')).toBe(0);
      expect(await other.err(Op.getData, watchBody(node))).toBe(0);
      expect(await other.err(Op.delete, versionBody(`${node}/a`))).toBe(0);
    });

    it.each([
      ['READ', read, [0, -102, -102, -102, -102]],
      ['WRITE', write, [-102, 0, -102, -102, -102]],
      ['CREATE', create, [-102, -102, 0, -102, -102]],
      ['DELETE', remove, [-102, -102, -102, 0, -102]],
      ['ADMIN', admin, [-102, -102, -102, -102, 0]],
    ])('%s allows what it says and no more', async (_name, perms, expected) => {
      const { path, owner, other } = await scene();
      const node = `${path}/n`;
      await owner.call(
        Op.create,
        createBody(node, { acl: [{ perms, scheme: 'world', id: 'anyone' }, digestAcl(all, 'owner:secret')] }),
      );
      await owner.call(Op.create, createBody(`${node}/a`));
      expect([
        await other.err(Op.getData, watchBody(node)),
        await other.err(Op.setData, setBody(node, 'x')),
        await other.err(Op.create, createBody(`${node}/b`)),
        await other.err(Op.delete, versionBody(`${node}/a`)),
        await other.err(Op.setAcl, setAclBody(node, open)),
      ]).toEqual(expected);
    });

    it('getACL shows hashes to those with ADMIN alone', async () => {
      const { path, owner, other } = await scene();
      const acl = [digestAcl(all, 'owner:secret'), { perms: read, scheme: 'world', id: 'anyone' }];
      await owner.call(Op.create, createBody(`${path}/n`, { acl }));
      const mine = await owner.call(Op.getAcl, pathBody(`${path}/n`));
      expect(mine.body.acl()).toEqual(acl);
      expect(mine.body.stat()).toMatchObject({ aversion: 0 });
      expect(mine.body.left).toBe(0);
      const theirs = await other.call(Op.getAcl, pathBody(`${path}/n`));
      expect(theirs.body.acl()).toEqual([{ perms: all, scheme: 'digest', id: 'owner:x' }, acl[1]]);
      expect(await other.err(Op.getAcl, pathBody(`${path}/none`))).toBe(-101);
    });

    it('setACL counts aversion, and nothing else', async () => {
      const { path, owner } = await scene();
      const { err, body } = await owner.call(Op.setAcl, setAclBody(path, [digestAcl(all, 'owner:secret')], 0));
      expect(err).toBe(0);
      const stat = body.stat();
      expect(stat).toMatchObject({ aversion: 1, version: 0, mzxid: stat.czxid });
      expect(await owner.err(Op.setAcl, setAclBody(path, open, 0))).toBe(-103);
      expect(await owner.err(Op.setAcl, setAclBody(path, [], -1))).toBe(-114);
      expect(await owner.err(Op.setAcl, setAclBody(path, null, -1))).toBe(-114);
      expect(await owner.err(Op.setAcl, setAclBody(`${path}/none`, open))).toBe(-101);
    });

    it('the scheme auth stands for whoever asks', async () => {
      const { path, owner, other } = await scene();
      const acl = [{ perms: all, scheme: 'auth', id: '' }];
      expect(await owner.err(Op.create, createBody(`${path}/n`, { acl }))).toBe(0);
      const { body } = await owner.call(Op.getAcl, pathBody(`${path}/n`));
      expect(body.acl()).toEqual([digestAcl(all, 'owner:secret')]);
      expect(await other.err(Op.create, createBody(`${path}/m`, { acl }))).toBe(-114);
    });

    it('the scheme ip is about where a client comes from', async () => {
      const { path, owner, other } = await scene();
      const make = (name: string, id: string): Promise<number> =>
        owner.err(Op.create, createBody(`${path}/${name}`, { acl: [{ perms: all, scheme: 'ip', id }] }));
      expect(await make('here', '127.0.0.1')).toBe(0);
      expect(await make('net', '127.8.0.0/8')).toBe(0);
      expect(await make('far', '10.1.2.3')).toBe(0);
      expect(await make('six', '::1')).toBe(0);
      expect(await other.err(Op.getData, watchBody(`${path}/here`))).toBe(0);
      expect(await other.err(Op.getData, watchBody(`${path}/net`))).toBe(0);
      expect(await other.err(Op.getData, watchBody(`${path}/far`))).toBe(-102);
      expect(await other.err(Op.getData, watchBody(`${path}/six`))).toBe(-102);
    });

    it.each([
      ['digest', 'nohash'],
      ['digest', 'a:b:c'],
      ['digest', 'user:'],
      ['ip', '1.2.3'],
      ['ip', '1.2.3.4/33'],
      ['world', 'everyone'],
      ['nobody', 'x'],
    ])('refuse %s:%s', async (scheme, id) => {
      const { path, owner } = await scene();
      expect(await owner.err(Op.create, createBody(`${path}/n`, { acl: [{ perms: all, scheme, id }] }))).toBe(-114);
    });

    it('take permissions that nobody knows, and drop repetitions', async () => {
      const { path, owner } = await scene();
      const odd = { perms: 64 | all, scheme: 'world', id: 'anyone' };
      expect(await owner.err(Op.create, createBody(`${path}/n`, { acl: [odd, odd] }))).toBe(0);
      expect((await owner.call(Op.getAcl, pathBody(`${path}/n`))).body.acl()).toEqual([odd]);
    });

    it('hold in a multi, which needs READ for a check', async () => {
      const { path, owner, other } = await scene();
      await owner.call(Op.create, createBody(`${path}/n`, { acl: [digestAcl(all, 'owner:secret')] }));
      const { body } = await other.call(Op.multi, multiBody([[Op.check, versionBody(`${path}/n`)]]));
      expect([body.int(), body.bool(), body.int(), body.int()]).toEqual([-1, false, -102, -102]);
    });

    it('are not what a delete of the node itself looks at', async () => {
      const { path, owner, other } = await scene();
      await owner.call(Op.create, createBody(`${path}/n`, { acl: [digestAcl(all, 'owner:secret')] }));
      expect(await other.err(Op.delete, versionBody(`${path}/n`))).toBe(0);
    });
  });

  describe('authentication', () => {
    it('adds to what whoAmI says, without hashes', async () => {
      const { owner, other } = await scene();
      const whoAmI = async (client: RawClient): Promise<string[]> => {
        const { err, body } = await client.call(Op.whoAmI);
        expect(err).toBe(0);
        const identities = Array.from({ length: body.int() }, () => `${body.str()}=${body.str()}`);
        expect(body.left).toBe(0);
        return identities.sort();
      };
      expect(await whoAmI(other)).toEqual(['ip=127.0.0.1']);
      expect(await identify(other, 'ip', '')).toBe(0);
      expect(await whoAmI(other)).toEqual(['ip=127.0.0.1']);
      expect(await whoAmI(owner)).toEqual(['digest=owner', 'ip=127.0.0.1']);
    });

    it.each(['nonsense', 'world', 'x509', 'super'])(
      'with the scheme %s fails and ends the connection',
      async (scheme) => {
        const client = await clients.open();
        expect(await identify(client, scheme, 'x')).toBe(-115);
        expect(await client.frame()).toBeNull();
      },
    );

    it('by SASL where there is none gives no token, and the connection stays', async () => {
      const client = await clients.open();
      const { err, zxid, body } = await client.call(Op.sasl, Buffer.concat([int(3), Buffer.from('abc')]));
      expect([err, zxid, body.int(), body.left]).toEqual([0, 0n, -1, 0]);
      expect(await client.err(Op.exists, watchBody('/'))).toBe(0);
    });
  });
}
