import { expect } from '@jest/globals';
import type { CaseGroup } from '../case.ts';

export const sync: CaseGroup = {
  name: 'sync',
  cases: [
    {
      name: 'after sync a client sees what another one has written before',
      run: async (ctx) => {
        const [writer, reader] = [await ctx.connect(), await ctx.connect()];
        await writer.create(ctx.at('node'), '0');
        for (let i = 1; i <= 20; i += 1) {
          await writer.set(ctx.at('node'), String(i));
          const [, { data }] = await Promise.all([reader.sync(ctx.at('node')), reader.get(ctx.at('node'))]);
          expect(data?.toString()).toBe(String(i));
        }
      },
    },
    {
      name: 'it resolves with nothing, for any path: without one, the root, a missing znode',
      run: async (ctx) => {
        const zk = await ctx.connect();
        expect(await zk.sync()).toBeUndefined();
        expect(await zk.sync('/')).toBeUndefined();
        expect(await zk.sync(ctx.at('missing'))).toBeUndefined();
      },
    },
    {
      name: 'it is sent again when its reply was lost',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const cut = proxy.once({ opcode: 'sync', direction: 'reply', action: 'cut' });
        await zk.sync(ctx.base);
        await cut;
        expect(zk.state).toBe('connected');
      },
    },
  ],
};
