import { expect } from '@jest/globals';
import { BadArgumentsError } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import { expectError } from '../expect-error.ts';

/** Znodes that the server removes by itself. */
export const createWithEnd: CaseGroup = {
  name: 'containers and ttl',
  cases: [
    {
      name: 'a container is removed once its last child is gone',
      waits: true,
      needs: ['containers'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        const { path, stat } = await zk.create(ctx.at('c'), 'x', { mode: 'container' });
        expect(stat).toMatchObject({ ephemeralOwner: 0n, dataLength: 1 });
        await zk.create(`${path}/child`);
        await zk.delete(`${path}/child`);
        await ctx.until('the emptied container is removed', async () => (await zk.exists(path)) === null);
      },
    },
    {
      name: 'a container stays as long as it has a child, and outlives the session',
      waits: true,
      needs: ['containers'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        const emptied = await zk.create(ctx.at('emptied'), null, { mode: 'container' });
        const full = await zk.create(ctx.at('full'), null, { mode: 'container' });
        await zk.create(`${full.path}/child`);
        await zk.create(`${emptied.path}/child`);
        await zk.delete(`${emptied.path}/child`);
        await zk.close();
        const other = await ctx.connect();
        // The other container is the proof that the server has looked.
        await ctx.until('the emptied container is removed', async () => (await other.exists(emptied.path)) === null);
        expect(await other.exists(full.path)).not.toBeNull();
      },
    },
    {
      name: 'a container that never had a child stays',
      waits: true,
      needs: ['containers'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        const virgin = await zk.create(ctx.at('virgin'), null, { mode: 'container' });
        const emptied = await zk.create(ctx.at('emptied'), null, { mode: 'container' });
        await zk.create(`${emptied.path}/child`);
        await zk.delete(`${emptied.path}/child`);
        await ctx.until('the emptied container is removed', async () => (await zk.exists(emptied.path)) === null);
        expect(await zk.exists(virgin.path)).not.toBeNull();
      },
    },
    {
      name: "parents: 'container' makes parents that go when they are empty",
      waits: true,
      needs: ['containers'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('a/b/c'), null, { parents: 'container' });
        await zk.delete(ctx.at('a/b/c'));
        await ctx.until('both parents are removed', async () => (await zk.exists(ctx.at('a'))) === null);
        expect(await zk.exists(ctx.base)).not.toBeNull();
      },
    },
    {
      name: 'a znode with a ttl goes when it has not been changed for so long',
      waits: true,
      needs: ['ttl'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        const made = performance.now();
        const { path, stat } = await zk.create(ctx.at('t'), 'x', { mode: 'persistent-ttl', ttl: 700 });
        expect(stat).toMatchObject({ ephemeralOwner: 0n, dataLength: 1 });
        await ctx.until('the znode is removed', async () => (await zk.exists(path)) === null);
        expect(performance.now() - made).toBeGreaterThanOrEqual(699);
      },
    },
    {
      name: 'a sequential znode with a ttl has a number, and goes too',
      waits: true,
      needs: ['ttl'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        const { path } = await zk.create(ctx.at('t-'), 'x', { mode: 'persistent-sequential-ttl', ttl: 100 });
        expect(path).toBe(ctx.at('t-0000000000'));
        await ctx.until('the znode is removed', async () => (await zk.exists(path)) === null);
      },
    },
    {
      name: 'a znode with a ttl stays as long as it has a child',
      waits: true,
      needs: ['ttl'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        const parent = await zk.create(ctx.at('parent'), null, { mode: 'persistent-ttl', ttl: 100 });
        await zk.create(`${parent.path}/child`);
        const lone = await zk.create(ctx.at('lone'), null, { mode: 'persistent-ttl', ttl: 100 });
        await ctx.until('the childless znode is removed', async () => (await zk.exists(lone.path)) === null);
        expect(await zk.exists(parent.path)).not.toBeNull();
        await zk.delete(`${parent.path}/child`);
        await ctx.until('the emptied znode is removed', async () => (await zk.exists(parent.path)) === null);
      },
    },
    {
      name: 'the longest ttl is taken, others are refused before anything is sent',
      needs: ['ttl'],
      run: async (ctx) => {
        const zk = await ctx.connect();
        const create = (ttl?: number) =>
          zk.create(ctx.at(`t${ttl}`), null, { mode: 'persistent-ttl', ...(ttl === undefined ? {} : { ttl }) });
        const { path } = await create(2 ** 40 - 1);
        expect(await zk.exists(path)).not.toBeNull();
        for (const ttl of [0, -1, 1.5, 2 ** 40, Number.NaN]) {
          await expectError(create(ttl), BadArgumentsError, {
            errno: -8,
            operation: 'create',
            path: ctx.at(`t${ttl}`),
          });
        }
        await expectError(create(), BadArgumentsError);
      },
    },
    {
      name: 'a mode that the server does not have is an UnimplementedError, never another mode, and the session lives on',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const { id } = zk.session!;
        for (const [name, options] of [
          ['c', { mode: 'container' }],
          ['t', { mode: 'persistent-ttl', ttl: 60_000 }],
        ] as const) {
          const outcome = await zk.create(ctx.at(name), null, options).then(
            () => 'known',
            ({ code }: { code: string }) => code,
          );
          expect(['known', 'UNIMPLEMENTED']).toContain(outcome);
          expect((await zk.exists(ctx.at(name))) !== null).toBe(outcome === 'known');
        }
        expect(zk.session?.id).toBe(id);
      },
    },
    {
      name: 'a ttl with another mode, and a mode that does not exist, are refused before anything is sent',
      run: async (ctx) => {
        const zk = await ctx.connect();
        for (const mode of ['persistent', 'ephemeral', 'container'] as const) {
          await expectError(zk.create(ctx.at('t'), null, { mode, ttl: 1_000 }), BadArgumentsError);
        }
        await expectError(zk.create(ctx.at('t'), null, { mode: 'eternal' as 'persistent' }), BadArgumentsError);
        expect(await zk.exists(ctx.at('t'))).toBeNull();
      },
    },
  ],
};
