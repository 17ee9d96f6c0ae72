import { expect } from '@jest/globals';
import { ACL, AuthFailedError, InvalidAclError, NoAuthError, Perms } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import { expectError } from '../expect-error.ts';
import { later } from '../later.ts';
import { outage } from '../outage.ts';
import { nextEvent, StateLog } from '../state-log.ts';

const alice = { scheme: 'digest', auth: 'alice:secret' };

export const auth: CaseGroup = {
  name: 'auth and ACLs',
  cases: [
    {
      name: 'a znode for one user: NoAuthError for everybody else',
      run: async (ctx) => {
        const [owner, other] = [await ctx.connect({ auth: [alice] }), await ctx.connect()];
        const path = ctx.at('private');
        await owner.create(path, 'x', { acl: ACL.digest('alice', 'secret') });
        expect((await owner.get(path)).data).toEqual(Buffer.from('x'));
        const properties = { code: 'NO_AUTH', errno: -102, path };
        await expectError(other.get(path), NoAuthError, { ...properties, operation: 'get' });
        await expectError(other.set(path, 'y'), NoAuthError, { ...properties, operation: 'set' });
        await expectError(other.children(path), NoAuthError, { ...properties, operation: 'children' });
        await expectError(other.create(`${path}/child`), NoAuthError, { operation: 'create', path: `${path}/child` });
        const wrong = await ctx.connect({ auth: [{ scheme: 'digest', auth: 'alice:guessed' }] });
        await expectError(wrong.get(path), NoAuthError, properties);
      },
    },
    {
      name: 'addAuth lets a connected client in',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const path = ctx.at('private');
        await zk.create(path, 'x', { acl: ACL.digest('alice', 'secret') });
        await expectError(zk.get(path), NoAuthError);
        await zk.addAuth('digest', 'alice:secret');
        expect((await zk.get(path)).data).toEqual(Buffer.from('x'));
      },
    },
    {
      name: 'addAuth counts for the calls made right behind it',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const path = ctx.at('private');
        await zk.create(path, 'x', { acl: ACL.digest('alice', 'secret') });
        const [, { data }] = await Promise.all([zk.addAuth('digest', Buffer.from('alice:secret')), zk.get(path)]);
        expect(data).toEqual(Buffer.from('x'));
      },
    },
    {
      name: 'several users of one connection add up',
      run: async (ctx) => {
        const zk = await ctx.connect({ auth: [alice, { scheme: 'digest', auth: 'bob:hidden' }] });
        await zk.create(ctx.at('a'), 'a', { acl: ACL.digest('alice', 'secret') });
        await zk.create(ctx.at('b'), 'b', { acl: ACL.digest('bob', 'hidden') });
        const both = await Promise.all([zk.get(ctx.at('a')), zk.get(ctx.at('b'))]);
        expect(both.map(({ data }) => data?.toString())).toEqual(['a', 'b']);
      },
    },
    {
      name: 'auth is presented again after a reconnect, before the calls that waited',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy, { auth: [alice] });
        await zk.addAuth('digest', 'bob:hidden');
        await zk.create(ctx.at('a'), 'a', { acl: ACL.digest('alice', 'secret') });
        await zk.create(ctx.at('b'), 'b', { acl: ACL.digest('bob', 'hidden') });
        const reads: Promise<{ data: Buffer | null }>[] = [];
        await outage(proxy, zk, async () => {
          reads.push(zk.get(ctx.at('a')), zk.get(ctx.at('b')));
        });
        const both = await Promise.all(reads);
        expect(both.map(({ data }) => data?.toString())).toEqual(['a', 'b']);
      },
    },
    {
      name: 'addAuth during an outage counts from the next connection on',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        await zk.create(ctx.at('a'), 'a', { acl: ACL.digest('alice', 'secret') });
        let read: Promise<{ data: Buffer | null }> | undefined;
        await outage(proxy, zk, async () => {
          await zk.addAuth('digest', 'alice:secret');
          read = zk.get(ctx.at('a'));
        });
        expect((await read)?.data).toEqual(Buffer.from('a'));
      },
    },
    {
      name: 'auth is presented in the session that follows a lost one, too',
      run: async (ctx) => {
        const zk = await ctx.connect({ auth: [alice] });
        await zk.create(ctx.at('a'), 'a', { acl: ACL.digest('alice', 'secret') });
        const { id, password } = zk.session!;
        await zk.close();
        const late = await ctx.connect({ auth: [alice], session: { id, password } });
        expect((await late.get(ctx.at('a'))).data).toEqual(Buffer.from('a'));
      },
    },
    {
      name: 'ACL.CREATOR is for the authenticated user alone; for nobody it is an InvalidAclError',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect({ auth: [alice] }), await ctx.connect()];
        await zk.create(ctx.at('mine'), 'x', { acl: ACL.CREATOR });
        await expectError(other.get(ctx.at('mine')), NoAuthError);
        const friend = await ctx.connect({ auth: [alice] });
        expect((await friend.get(ctx.at('mine'))).data).toEqual(Buffer.from('x'));
        await expectError(other.create(ctx.at('no'), null, { acl: ACL.CREATOR }), InvalidAclError, {
          code: 'INVALID_ACL',
          errno: -114,
        });
      },
    },
    {
      name: 'an ACL that is empty, or of an unknown scheme: InvalidAclError',
      run: async (ctx) => {
        const zk = await ctx.connect();
        for (const acl of [
          [],
          { perms: Perms.ALL, scheme: 'nonsense', id: 'x' },
          { perms: 31, scheme: 'digest', id: 'x' },
        ]) {
          await expectError(zk.create(ctx.at('no'), null, { acl }), InvalidAclError, { path: ctx.at('no') });
        }
        expect(await zk.exists(ctx.at('no'))).toBeNull();
      },
    },
    {
      name: 'ACL.READ lets everybody read and nobody write',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('fixed'), 'x', { acl: ACL.READ });
        expect((await zk.get(ctx.at('fixed'))).data).toEqual(Buffer.from('x'));
        expect((await zk.children(ctx.at('fixed'))).children).toEqual([]);
        await expectError(zk.set(ctx.at('fixed'), 'y'), NoAuthError);
        await expectError(zk.create(ctx.at('fixed/child')), NoAuthError);
        // DELETE is a permission of the parent.
        await zk.delete(ctx.at('fixed'));
      },
    },
    {
      name: 'each permission allows what it says, and no more',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const only = (perms: number) => ({ perms, scheme: 'world', id: 'anyone' });
        await zk.create(ctx.at('w'), null, { acl: only(Perms.WRITE) });
        await zk.set(ctx.at('w'), 'x');
        await expectError(zk.get(ctx.at('w')), NoAuthError);
        await zk.create(ctx.at('c'), null, { acl: only(Perms.CREATE) });
        await zk.create(ctx.at('c/child'));
        await expectError(zk.children(ctx.at('c')), NoAuthError);
        await expectError(zk.delete(ctx.at('c/child')), NoAuthError);
        await zk.create(ctx.at('d'), null, { acl: [only(Perms.CREATE), only(Perms.DELETE)] });
        await zk.create(ctx.at('d/child'));
        await zk.delete(ctx.at('d/child'));
        await expectError(zk.set(ctx.at('d'), 'x'), NoAuthError);
      },
    },
    {
      name: 'the option acl is the ACL of creates that name none, parents among them',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect({ auth: [alice], acl: ACL.CREATOR }), await ctx.connect()];
        await zk.create(ctx.at('a/b'), 'x', { parents: true });
        await zk.create(ctx.at('open'), 'x', { acl: ACL.OPEN });
        await expectError(other.children(ctx.at('a')), NoAuthError);
        await expectError(other.get(ctx.at('a/b')), NoAuthError);
        expect((await other.get(ctx.at('open'))).data).toEqual(Buffer.from('x'));
      },
    },
    {
      name: 'exists on a znode that may not be read: NoAuthError',
      needs: ['events-need-read'],
      run: async (ctx) => {
        const [owner, other] = [await ctx.connect({ auth: [alice] }), await ctx.connect()];
        await owner.create(ctx.at('private'), 'x', { acl: ACL.CREATOR });
        await expectError(other.exists(ctx.at('private')), NoAuthError, {
          operation: 'exists',
          path: ctx.at('private'),
        });
      },
    },
    {
      name: 'a scheme that the server does not know: AuthFailedError, and the client is over',
      waits: true,
      run: async (ctx) => {
        for (const scheme of ['nonsense', 'world']) {
          // The server hangs up, and ends the session by its timeout.
          const zk = await ctx.connect({ sessionTimeout: 1 });
          const log = new StateLog(zk);
          const failed = nextEvent(zk, 'auth-failed');
          await expectError(zk.addAuth(scheme, 'x'), AuthFailedError, { code: 'AUTH_FAILED' });
          await failed;
          expect([zk.state, zk.session]).toEqual(['auth-failed', null]);
          await expectError(zk.get(ctx.base), AuthFailedError, { path: ctx.base });
          await expectError(zk.addAuth('digest', 'alice:secret'), AuthFailedError);
          await zk.close();
          expect(log.events).toEqual(['auth-failed', 'closed']);
        }
      },
    },
    {
      name: 'an auth option that is refused ends the client, and calls that wait are an AuthFailedError',
      waits: true,
      run: async (ctx) => {
        const zk = ctx.client({ auth: [{ scheme: 'nonsense', auth: 'x' }], sessionTimeout: 1 });
        const failed = nextEvent(zk, 'auth-failed');
        const call = later(zk.get(ctx.base));
        const connecting = later(zk.connect());
        await failed;
        expect(zk.state).toBe('auth-failed');
        await Promise.allSettled([connecting]);
        await expectError(call, AuthFailedError);
        await expectError(zk.get(ctx.base), AuthFailedError);
      },
    },
  ],
};
