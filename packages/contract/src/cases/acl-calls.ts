import { expect } from '@jest/globals';
import { ACL, BadVersionError, InvalidAclError, NoAuthError, NoNodeError, Perms } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import { expectError } from '../expect-error.ts';
import { WatchLog } from '../watch-log.ts';

const alice = { scheme: 'digest', auth: 'alice:secret' };

export const aclCalls: CaseGroup = {
  name: 'getAcl and setAcl',
  cases: [
    {
      name: 'what was set comes back, with the Stat',
      run: async (ctx) => {
        const zk = await ctx.connect({ auth: [alice] });
        await zk.create(ctx.at('open'));
        expect(await zk.getAcl(ctx.at('open'))).toEqual({ acl: ACL.OPEN, stat: await zk.exists(ctx.at('open')) });
        await zk.create(ctx.at('several'), null, { acl: [ACL.READ, ACL.digest('alice', 'secret')] });
        const { acl } = await zk.getAcl(ctx.at('several'));
        expect(acl).toEqual([...ACL.READ, ACL.digest('alice', 'secret')]);
      },
    },
    {
      name: 'ACL.CREATOR becomes the entry of whoever is authenticated',
      run: async (ctx) => {
        const zk = await ctx.connect({ auth: [alice] });
        await zk.create(ctx.at('mine'), null, { acl: ACL.CREATOR });
        expect((await zk.getAcl(ctx.at('mine'))).acl).toEqual([ACL.digest('alice', 'secret')]);
      },
    },
    {
      name: 'setAcl moves aversion, and nothing else; it is no event',
      run: async (ctx) => {
        const zk = await ctx.connect({ auth: [alice] });
        await zk.create(ctx.at('node'), 'x');
        const log = new WatchLog();
        const { stat: before } = await zk.get(ctx.at('node'), { watch: log.listener });
        await zk.children(ctx.base, { watch: log.listener });
        const after = await zk.setAcl(ctx.at('node'), [...ACL.READ, ACL.digest('alice', 'secret')]);
        expect(after).toEqual({ ...before, aversion: 1 });
        expect(await zk.exists(ctx.at('node'))).toEqual(after);
        expect(log.events).toEqual([]);
      },
    },
    {
      name: 'setAcl at the right aclVersion goes through, at any other it is a BadVersionError',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const path = ctx.at('node');
        await zk.create(path);
        expect((await zk.setAcl(path, ACL.OPEN, { aclVersion: 0 })).aversion).toBe(1);
        for (const aclVersion of [0, 2, -2]) {
          await expectError(zk.setAcl(path, ACL.OPEN, { aclVersion }), BadVersionError, { operation: 'setAcl', path });
        }
        expect((await zk.setAcl(path, ACL.OPEN, { aclVersion: -1 })).aversion).toBe(2);
      },
    },
    {
      name: 'a missing znode: NoNodeError',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const path = ctx.at('missing');
        await expectError(zk.getAcl(path), NoNodeError, { operation: 'getAcl', path });
        await expectError(zk.setAcl(path, ACL.OPEN), NoNodeError, { operation: 'setAcl', path });
      },
    },
    {
      name: 'setAcl needs ADMIN, getAcl READ or ADMIN',
      run: async (ctx) => {
        const [owner, other] = [await ctx.connect({ auth: [alice] }), await ctx.connect()];
        const only = (perms: number) => [{ perms, scheme: 'world', id: 'anyone' }, ACL.digest('alice', 'secret')];
        await owner.create(ctx.at('none'), null, { acl: ACL.CREATOR });
        await owner.create(ctx.at('read'), null, { acl: only(Perms.READ) });
        await owner.create(ctx.at('admin'), null, { acl: only(Perms.ADMIN) });
        await expectError(other.getAcl(ctx.at('none')), NoAuthError, { path: ctx.at('none') });
        await expectError(other.setAcl(ctx.at('none'), ACL.OPEN), NoAuthError);
        expect((await other.getAcl(ctx.at('read'))).acl).toHaveLength(2);
        await expectError(other.setAcl(ctx.at('read'), ACL.OPEN), NoAuthError);
        expect((await other.getAcl(ctx.at('admin'))).acl).toEqual(only(Perms.ADMIN));
        await other.setAcl(ctx.at('admin'), ACL.OPEN);
        expect((await other.get(ctx.at('admin'))).data).toBeNull();
      },
    },
    {
      name: 'without ADMIN the hashes of digests are hidden',
      run: async (ctx) => {
        const [owner, other] = [await ctx.connect({ auth: [alice] }), await ctx.connect()];
        await owner.create(ctx.at('node'), null, { acl: [ACL.READ, ACL.digest('alice', 'secret')] });
        const { acl } = await other.getAcl(ctx.at('node'));
        expect(acl).toContainEqual({ perms: Perms.ALL, scheme: 'digest', id: 'alice:x' });
      },
    },
    {
      name: 'an ACL that is empty, or names nobody: InvalidAclError, and the old one stays',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('node'));
        for (const acl of [[], ACL.CREATOR, { perms: Perms.ALL, scheme: 'nonsense', id: 'x' }]) {
          await expectError(zk.setAcl(ctx.at('node'), acl), InvalidAclError, { operation: 'setAcl' });
        }
        expect((await zk.getAcl(ctx.at('node'))).acl).toEqual(ACL.OPEN);
      },
    },
    {
      name: 'a watch on a znode that may not be read any more hears nothing, and is used up by what it missed',
      needs: ['events-need-read'],
      run: async (ctx) => {
        const [owner, zk] = [await ctx.connect({ auth: [alice] }), await ctx.connect()];
        const path = ctx.at('node');
        await owner.create(path);
        const log = new WatchLog();
        await zk.get(path, { watch: log.listener });
        await owner.setAcl(path, ACL.digest('alice', 'secret'));
        await owner.set(path, 'in secret');
        await owner.setAcl(path, ACL.OPEN);
        await owner.set(path, 'in the open');
        await zk.sync();
        expect(log.events).toEqual([]);
      },
    },
  ],
};
