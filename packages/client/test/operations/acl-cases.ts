import { describe, expect, it } from '@jest/globals';
import { ACL, BadVersionError, InvalidAclError, NoAuthError, Perms } from '../../src/index.ts';
import { type GetTarget, rejection, useClients } from './target.ts';

export function aclCases(target: GetTarget): void {
  const clients = useClients(target);

  describe('getAcl and setAcl', () => {
    it('replace the ACL and count its versions', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      const before = await zk.getAcl(path);
      expect(before.acl).toEqual([{ perms: Perms.ALL, scheme: 'world', id: 'anyone' }]);
      expect(before.stat).toMatchObject({ aversion: 0, version: 0 });
      const stat = await zk.setAcl(path, [ACL.digest('alice', 'secret'), ACL.READ]);
      expect(stat).toMatchObject({ aversion: 1, version: 0, mzxid: before.stat.mzxid });
      const alice = await clients.open({ auth: [{ scheme: 'digest', auth: 'alice:secret' }] });
      const after = await alice.getAcl(path);
      expect(after.acl).toEqual([ACL.digest('alice', 'secret'), ...ACL.READ]);
      expect(after.stat).toEqual(stat);
    });

    it('hides the hash of a digest from those who may not change the ACL', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await zk.setAcl(path, [ACL.digest('alice', 'secret'), ACL.READ]);
      expect((await zk.getAcl(path)).acl).toEqual([{ perms: Perms.ALL, scheme: 'digest', id: 'alice:x' }, ...ACL.READ]);
    });

    it('go by the version of the ACL', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await zk.set(path, 'one');
      expect(await rejection(zk.setAcl(path, ACL.OPEN, { aclVersion: 1 }))).toBeInstanceOf(BadVersionError);
      expect(await zk.setAcl(path, ACL.OPEN, { aclVersion: 0 })).toMatchObject({ aversion: 1, version: 1 });
      expect(await rejection(zk.setAcl(path, ACL.OPEN, { aclVersion: 0 }))).toMatchObject({
        code: 'BAD_VERSION',
        path,
        operation: 'setAcl',
      });
    });

    it('reject what the server refuses, by path and operation', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      expect(await rejection(zk.getAcl(`${path}/missing`))).toMatchObject({
        code: 'NO_NODE',
        path: `${path}/missing`,
        operation: 'getAcl',
      });
      expect(await rejection(zk.setAcl(path, []))).toBeInstanceOf(InvalidAclError);
      expect(await rejection(zk.setAcl(path, ACL.CREATOR))).toBeInstanceOf(InvalidAclError);
      await zk.setAcl(path, ACL.digest('alice', 'secret'));
      expect(await rejection(zk.getAcl(path))).toBeInstanceOf(NoAuthError);
      expect(await rejection(zk.setAcl(path, ACL.OPEN))).toBeInstanceOf(NoAuthError);
    });

    it('find the path below the chroot', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      const inside = await clients.open({}, path);
      await inside.create('/a');
      await inside.setAcl('/a', ACL.READ);
      expect((await zk.getAcl(`${path}/a`)).acl).toEqual(ACL.READ);
      expect((await inside.getAcl('/a')).acl).toEqual(ACL.READ);
    });
  });

  describe('whoAmI', () => {
    it('tells the identities of the connection, those that were added included', async () => {
      const zk = await clients.open({ auth: [{ scheme: 'digest', auth: 'alice:secret' }] });
      expect(await zk.whoAmI()).toEqual(
        expect.arrayContaining([
          { scheme: 'digest', id: 'alice' },
          { scheme: 'ip', id: '127.0.0.1' },
        ]),
      );
      await zk.addAuth('digest', 'bob:secret');
      expect(await zk.whoAmI()).toContainEqual({ scheme: 'digest', id: 'bob' });
    });
  });
}
