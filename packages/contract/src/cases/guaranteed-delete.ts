import { expect } from '@jest/globals';
import { BadVersionError, ClosedError, NoNodeError, NotEmptyError, TimeoutError } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import { expectError } from '../expect-error.ts';
import { later } from '../later.ts';
import { outage } from '../outage.ts';

export const guaranteedDelete: CaseGroup = {
  name: 'guaranteed delete',
  cases: [
    {
      name: 'it deletes, and rejects as a plain delete does',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('node'));
        await zk.create(ctx.at('parent/child'), null, { parents: true });
        const guaranteed = true;
        expect(await zk.delete(ctx.at('node'), { guaranteed })).toBeUndefined();
        expect(await zk.exists(ctx.at('node'))).toBeNull();
        await expectError(zk.delete(ctx.at('node'), { guaranteed }), NoNodeError, { path: ctx.at('node') });
        await expectError(zk.delete(ctx.at('parent'), { guaranteed }), NotEmptyError);
        await expectError(zk.delete(ctx.at('parent/child'), { guaranteed, version: 5 }), BadVersionError);
      },
    },
    {
      name: 'a lost request or reply: it goes on until the znode is gone',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        for (const direction of ['request', 'reply'] as const) {
          await zk.create(ctx.at('node'));
          const cut = proxy.once({ opcode: 'delete', direction, action: 'cut' });
          await zk.delete(ctx.at('node'), { guaranteed: true });
          await cut;
          expect(await zk.exists(ctx.at('node'))).toBeNull();
        }
      },
    },
    {
      name: 'during an outage: it is done afterwards',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        await zk.create(ctx.at('node'));
        let deleting: Promise<void> | undefined;
        await outage(proxy, zk, async () => {
          deleting = zk.delete(ctx.at('node'), { guaranteed: true });
        });
        await deleting;
        expect(await zk.exists(ctx.at('node'))).toBeNull();
      },
    },
    {
      name: 'given up by its caller, it goes on in the background',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const [zk, witness] = [await ctx.through(proxy), await ctx.connect()];
        await zk.create(ctx.at('a'));
        await zk.create(ctx.at('b'));
        await outage(proxy, zk, async () => {
          const [giveUp, reason] = [new AbortController(), new Error('enough')];
          const late = later(zk.delete(ctx.at('a'), { guaranteed: true, timeout: 30 }));
          const aborted = later(zk.delete(ctx.at('b'), { guaranteed: true, signal: giveUp.signal }));
          giveUp.abort(reason);
          await expectError(late, TimeoutError);
          await expect(aborted).rejects.toBe(reason);
        });
        await ctx.until('both are gone', async () => (await witness.children(ctx.base)).children.length === 0);
      },
    },
    {
      name: 'it goes on in the session that follows a lost one',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const [zk, witness] = [await ctx.through(proxy), await ctx.connect()];
        await witness.create(ctx.at('node'));
        await zk.sync();
        const { id, password } = zk.session!;
        const comingBack = proxy.once({ opcode: 'connect', direction: 'request', action: 'hold' });
        await proxy.cut();
        const deleting = later(zk.delete(ctx.at('node'), { guaranteed: true }));
        const { release } = await comingBack;
        const killer = await ctx.connect({ session: { id, password } });
        await killer.close();
        release();
        await deleting;
        expect(await witness.exists(ctx.at('node'))).toBeNull();
        expect(zk.session?.id).not.toBe(id);
      },
    },
    {
      name: 'a znode of the same name that came later is spared',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const [zk, other] = [await ctx.through(proxy), await ctx.connect()];
        await zk.create(ctx.at('node'), 'old');
        const cut = proxy.once({ opcode: 'delete', direction: 'reply', action: 'cut' });
        const comingBack = proxy.once({ opcode: 'connect', direction: 'request', action: 'hold' });
        const deleting = later(zk.delete(ctx.at('node'), { guaranteed: true }));
        await cut;
        const { release } = await comingBack;
        await other.create(ctx.at('node'), 'new');
        release();
        await deleting;
        expect((await other.get(ctx.at('node'))).data).toEqual(Buffer.from('new'));
      },
    },
    {
      name: 'close() ends it: ClosedError',
      waits: true,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const witness = await ctx.connect();
        // Nobody can say goodbye for it: it ends by its timeout.
        const zk = await ctx.through(proxy, { sessionTimeout: 1 });
        await zk.create(ctx.at('node'));
        await proxy.cut({ stay: true });
        await ctx.until('the client knows', () => zk.state === 'suspended');
        const deleting = later(zk.delete(ctx.at('node'), { guaranteed: true }));
        const closing = later(zk.close());
        await expectError(deleting, ClosedError);
        await closing;
        expect(await witness.exists(ctx.at('node'))).not.toBeNull();
      },
    },
  ],
};
