import { expect } from '@jest/globals';
import { BadArgumentsError, ReconfigDisabledError } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import { expectError } from '../expect-error.ts';
import { outage } from '../outage.ts';
import { WatchLog } from '../watch-log.ts';

/** What a server tells of a client, of itself, and of its ensemble. */
export const serverLore: CaseGroup = {
  name: 'whoAmI, ephemerals, configuration',
  cases: [
    {
      name: 'whoAmI names the address, and each user without a hash',
      needs: ['who-am-i'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        expect(await zk.whoAmI()).toEqual([{ scheme: 'ip', id: '127.0.0.1' }]);
        await zk.addAuth('digest', 'alice:secret');
        await zk.addAuth('digest', 'bob:hidden');
        const known = await zk.whoAmI();
        expect(known).toHaveLength(3);
        expect(known).toEqual(
          expect.arrayContaining([
            { scheme: 'ip', id: '127.0.0.1' },
            { scheme: 'digest', id: 'alice' },
            { scheme: 'digest', id: 'bob' },
          ]),
        );
      },
    },
    {
      name: 'ephemerals are those of this session',
      needs: ['list-ephemerals'],
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        expect(await zk.ephemerals()).toEqual([]);
        await zk.create(ctx.at('p'));
        await zk.create(ctx.at('e2'), null, { mode: 'ephemeral' });
        await zk.create(ctx.at('p/e1'), null, { mode: 'ephemeral' });
        await other.create(ctx.at('theirs'), null, { mode: 'ephemeral' });
        expect(await zk.ephemerals()).toEqual([ctx.at('e2'), ctx.at('p/e1')]);
        expect(await zk.ephemerals(ctx.at('p/'))).toEqual([ctx.at('p/e1')]);
        expect(await zk.ephemerals(ctx.at('nothing'))).toEqual([]);
        await zk.delete(ctx.at('e2'));
        expect(await zk.ephemerals()).toEqual([ctx.at('p/e1')]);
        expect(await zk.namespace(ctx.at('p')).ephemerals()).toEqual(['/e1']);
      },
    },
    {
      name: 'ephemerals of a session outlive its connection',
      needs: ['list-ephemerals', 'session-resume'],
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        await zk.create(ctx.at('e'), null, { mode: 'ephemeral' });
        await outage(proxy, zk, async () => {});
        expect(await zk.ephemerals()).toEqual([ctx.at('e')]);
      },
    },
    {
      name: 'a request that the server does not know costs that call only: the session lives on',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const { id } = zk.session!;
        await zk.create(ctx.at('e'), null, { mode: 'ephemeral' });
        for (const call of [() => zk.whoAmI(), () => zk.ephemerals()]) {
          const outcome = await call().then(
            () => 'known',
            ({ code }: { code: string }) => code,
          );
          expect(['known', 'UNIMPLEMENTED']).toContain(outcome);
          expect(await zk.exists(ctx.at('e'))).toMatchObject({ ephemeralOwner: id });
        }
        expect(zk.session?.id).toBe(id);
      },
    },
    {
      name: 'the configuration of a standalone server is empty, wherever the view begins',
      run: async (ctx) => {
        const zk = await ctx.connect({}, ctx.server.connectString + ctx.base);
        const { data, stat } = await zk.getConfig();
        expect(data).toEqual(Buffer.alloc(0));
        expect(stat).toMatchObject({ version: 0, mzxid: 0n });
        expect(await zk.namespace('/deeper').getConfig()).toEqual({ data, stat });
        const outside = await ctx.connect();
        expect((await outside.children('/zookeeper')).children).toContain('config');
      },
    },
    {
      name: 'a watch on the configuration survives a reconnect, and closes with the client',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.connect({}, proxy.connectString + ctx.base);
        const log = new WatchLog();
        await zk.getConfig({ watch: log.listener });
        await outage(proxy, zk, async () => {});
        await zk.sync();
        expect(log.events).toEqual([]);
        await zk.close();
        expect(log.events).toEqual([{ type: 'closed', path: '/zookeeper/config' }]);
      },
    },
    {
      name: 'reconfig is switched off by default: ReconfigDisabledError',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const properties = { code: 'RECONFIG_DISABLED', errno: -123 };
        await expectError(zk.reconfig({ leaving: '3' }), ReconfigDisabledError, properties);
        expect(zk.state).toBe('connected');
        await expectError(zk.reconfig({}), BadArgumentsError);
        await expectError(zk.reconfig({ leaving: '3', members: 'server.1=a:1:2;3' }), BadArgumentsError);
      },
    },
    {
      name: 'health tells where the client stands',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        await zk.get(ctx.base, { watch: () => {} });
        const health = zk.health();
        expect(health).toMatchObject({ state: 'connected', inFlight: 0, queued: 0, watches: 1 });
        expect(health.session?.id).toBe(zk.session?.id);
        expect(health.lastAnswered).toBeLessThan(5_000);
        let waiting: Promise<unknown>[] = [];
        await outage(proxy, zk, async () => {
          waiting = [zk.exists(ctx.base), zk.exists(ctx.base)];
          expect(zk.health()).toMatchObject({ state: 'suspended', server: null, inFlight: 0, queued: 2, watches: 1 });
        });
        await Promise.all(waiting);
        expect(zk.health()).toMatchObject({ state: 'connected', queued: 0 });
      },
    },
  ],
};
