import { expect } from '@jest/globals';
import { NoNodeError, type ZooKeeper, type ZooKeeperOptions } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import type { Context } from '../context.ts';
import { expectError } from '../expect-error.ts';
import { outage } from '../outage.ts';
import { WatchLog } from '../watch-log.ts';

function connectUnder(ctx: Context, chroot: string, options: ZooKeeperOptions = {}): Promise<ZooKeeper> {
  return ctx.connect(options, ctx.server.connectString + chroot);
}

export const chroot: CaseGroup = {
  name: 'chroot',
  cases: [
    {
      name: 'paths go in below it and come out without it',
      run: async (ctx) => {
        const [inside, outside] = [await connectUnder(ctx, ctx.base), await ctx.connect()];
        expect([inside.chroot, outside.chroot]).toEqual([ctx.base, '/']);
        expect((await inside.create('/a', 'x')).path).toBe('/a');
        expect((await outside.get(ctx.at('a'))).data).toEqual(Buffer.from('x'));
        expect((await inside.create('/a/n-', null, { mode: 'persistent-sequential' })).path).toBe('/a/n-0000000000');
        expect((await inside.create('/', null, { mode: 'persistent-sequential' })).path).toBe('/0000000001');
        expect((await inside.create('/p', null, { protected: true })).path).toMatch(/^\/_c_[^/]+-p$/);
        expect((await inside.create('/x/y', null, { parents: true })).path).toBe('/x/y');
        await outside.set(ctx.at('a'), 'y');
        expect((await inside.get('/a')).data).toEqual(Buffer.from('y'));
        expect((await inside.children('/a')).children).toEqual(['n-0000000000']);
        await inside.delete('/x/y');
        expect(await outside.exists(ctx.at('x/y'))).toBeNull();
        expect(await outside.exists(ctx.at('x'))).not.toBeNull();
      },
    },
    {
      name: 'its root is the chroot itself',
      run: async (ctx) => {
        const [inside, outside] = [await connectUnder(ctx, ctx.base), await ctx.connect()];
        await inside.set('/', 'top');
        expect((await outside.get(ctx.base)).data).toEqual(Buffer.from('top'));
        expect(await inside.exists('/')).toEqual(await outside.exists(ctx.base));
        await inside.create('/child');
        expect((await inside.children('/')).children).toEqual(['child']);
        await inside.sync('/');
      },
    },
    {
      name: 'events come without it, those on the chroot itself with "/"',
      run: async (ctx) => {
        const [inside, outside] = [await connectUnder(ctx, ctx.base), await ctx.connect()];
        const log = new WatchLog();
        await inside.exists('/a', { watch: log.listener });
        await inside.get('/', { watch: log.listener });
        const children = new WatchLog();
        await inside.children('/', { watch: children.listener });
        await outside.create(ctx.at('a'));
        await outside.set(ctx.base, 'x');
        await inside.sync('/');
        expect(log.events).toMatchObject([
          { type: 'created', path: '/a' },
          { type: 'changed', path: '/' },
        ]);
        expect(children.events).toMatchObject([{ type: 'children', path: '/' }]);
      },
    },
    {
      name: 'errors name the path as it was given',
      run: async (ctx) => {
        const inside = await connectUnder(ctx, ctx.base);
        await expectError(inside.get('/missing'), NoNodeError, { path: '/missing' });
        await expectError(inside.set('/missing', 'x'), NoNodeError, { path: '/missing' });
        await expectError(inside.create('/missing/child'), NoNodeError, { path: '/missing/child' });
      },
    },
    {
      name: 'watches are set again below it after a reconnect',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const inside = await ctx.connect({}, proxy.connectString + ctx.base);
        const outside = await ctx.connect();
        const log = new WatchLog();
        await inside.exists('/missed', { watch: log.listener });
        await inside.exists('/later', { watch: log.listener });
        await outage(proxy, inside, () => outside.create(ctx.at('missed')));
        await inside.sync('/');
        await outside.create(ctx.at('later'));
        await inside.sync('/');
        expect(log.events).toMatchObject([
          { type: 'created', path: '/missed' },
          { type: 'created', path: '/later' },
        ]);
      },
    },
    {
      name: 'one that is missing: NoNodeError, and a create says which it is',
      run: async (ctx) => {
        const inside = await connectUnder(ctx, ctx.at('no/such'));
        expect(inside.state).toBe('connected');
        expect(await inside.exists('/')).toBeNull();
        await expectError(inside.get('/'), NoNodeError, { path: '/' });
        const error = await expectError(inside.create('/a'), NoNodeError, { path: '/a' });
        expect(error.message).toContain(ctx.at('no/such'));
        expect(error.message).toContain('createChroot');
      },
    },
    {
      name: 'parents are made below it only',
      run: async (ctx) => {
        const inside = await connectUnder(ctx, ctx.at('no/such'));
        await expectError(inside.create('/a', null, { parents: true }), NoNodeError);
        await expectError(inside.create('/a/b', null, { parents: true }), NoNodeError);
        const outside = await ctx.connect();
        expect(await outside.exists(ctx.at('no'))).toBeNull();
      },
    },
    {
      name: 'createChroot makes it, with all that is above it, before the first call',
      run: async (ctx) => {
        const inside = await connectUnder(ctx, ctx.at('new/deep/root'), { createChroot: true });
        expect((await inside.create('/a')).path).toBe('/a');
        expect((await inside.get('/')).data).toBeNull();
        const outside = await ctx.connect();
        expect(await outside.exists(ctx.at('new/deep/root/a'))).not.toBeNull();
      },
    },
    {
      name: 'createChroot leaves one that exists alone',
      run: async (ctx) => {
        const outside = await ctx.connect();
        await outside.create(ctx.at('old'), 'kept');
        const inside = await connectUnder(ctx, ctx.at('old'), { createChroot: true });
        const { data, stat } = await inside.get('/');
        expect(data).toEqual(Buffer.from('kept'));
        expect(stat.version).toBe(0);
        expect(ctx.takeReported()).toEqual([]);
      },
    },
    {
      name: 'createChroot by many clients at once',
      run: async (ctx) => {
        const clients = await Promise.all(
          Array.from({ length: 10 }, () => connectUnder(ctx, ctx.at('shared/root'), { createChroot: true })),
        );
        await Promise.all(clients.map((client, i) => client.create(`/n${i}`)));
        expect((await clients[0]!.children('/')).children).toHaveLength(10);
      },
    },
  ],
};
