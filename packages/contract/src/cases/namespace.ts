import { expect } from '@jest/globals';
import { ClosedError, NoNodeError } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import { expectError } from '../expect-error.ts';
import { WatchLog } from '../watch-log.ts';

export const namespace: CaseGroup = {
  name: 'namespace',
  cases: [
    {
      name: 'a view has the session of its client, and paths of its own',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const view = zk.namespace(ctx.base);
        expect(view.chroot).toBe(ctx.base);
        expect(view.session?.id).toBe(zk.session?.id);
        expect(view.state).toBe('connected');
        expect((await view.create('/a', 'x', { mode: 'ephemeral' })).path).toBe('/a');
        const { data, stat } = await zk.get(ctx.at('a'));
        expect(data).toEqual(Buffer.from('x'));
        expect(stat.ephemeralOwner).toBe(zk.session?.id);
        expect((await view.children('/')).children).toEqual(['a']);
      },
    },
    {
      name: 'views nest, and lie below the chroot',
      run: async (ctx) => {
        const outside = await ctx.connect();
        const inside = await ctx.connect({}, ctx.server.connectString + ctx.base);
        const deep = inside.namespace('/a').namespace('/b');
        expect(deep.chroot).toBe(ctx.at('a/b'));
        await inside.create('/a/b', null, { parents: true });
        expect((await deep.create('/c')).path).toBe('/c');
        expect(await outside.exists(ctx.at('a/b/c'))).not.toBeNull();
        expect(inside.namespace('/').chroot).toBe(ctx.base);
      },
    },
    {
      name: 'each view hears of events with its own paths',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('a'));
        const [plain, narrow] = [new WatchLog(), new WatchLog()];
        await zk.exists(ctx.at('a/b'), { watch: plain.listener });
        await zk.namespace(ctx.at('a')).exists('/b', { watch: narrow.listener });
        await zk.create(ctx.at('a/b'));
        expect(plain.events).toMatchObject([{ type: 'created', path: ctx.at('a/b') }]);
        expect(narrow.events).toMatchObject([{ type: 'created', path: '/b' }]);
      },
    },
    {
      name: 'one that does not exist is made by parents and by ensurePath, and by nothing else',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const view = zk.namespace(ctx.at('missing/view'));
        expect(await view.exists('/')).toBeNull();
        await expectError(view.create('/a'), NoNodeError, { path: '/a' });
        expect((await view.create('/a', null, { parents: true })).path).toBe('/a');
        expect(await zk.exists(ctx.at('missing/view/a'))).not.toBeNull();
        await zk.namespace(ctx.at('ensured/view')).ensurePath('/');
        expect((await zk.children(ctx.at('ensured/view'))).children).toEqual([]);
      },
    },
    {
      name: 'the state events of the client are those of its views',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const view = zk.namespace(ctx.base);
        const heard: string[] = [];
        view.on('closed', () => heard.push('by the view'));
        zk.on('closed', () => heard.push('by the client'));
        await zk.close();
        expect(heard.sort()).toEqual(['by the client', 'by the view']);
        expect(view.state).toBe('closed');
        await expectError(view.get('/'), ClosedError, { path: '/' });
      },
    },
    {
      name: 'closing a view closes its client',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.namespace(ctx.base).close();
        expect(zk.state).toBe('closed');
        await expectError(zk.get(ctx.base), ClosedError);
      },
    },
  ],
};
