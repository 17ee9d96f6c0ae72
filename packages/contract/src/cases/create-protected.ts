import { expect } from '@jest/globals';
import { ConnectionLossError, type CreateMode, NodeExistsError, NoNodeError, TimeoutError } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import { expectError } from '../expect-error.ts';
import { later } from '../later.ts';

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const MODES: readonly CreateMode[] = ['persistent', 'persistent-sequential', 'ephemeral', 'ephemeral-sequential'];

export const createProtected: CaseGroup = {
  name: 'protected create',
  cases: [
    {
      name: 'the name is _c_, a UUID and the wanted name',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const plain = await zk.create(ctx.at('n'), 'x', { protected: true });
        expect(plain.path).toMatch(new RegExp(`^${ctx.base}/_c_${UUID}-n$`));
        const numbered = await zk.create(ctx.at('n-'), 'x', { protected: true, mode: 'ephemeral-sequential' });
        expect(numbered.path).toMatch(new RegExp(`^${ctx.base}/_c_${UUID}-n-0000000001$`));
        expect((await zk.get(numbered.path)).data).toEqual(Buffer.from('x'));
      },
    },
    {
      name: 'two of the same name don’t collide',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const made = await Promise.all([1, 2, 3].map(() => zk.create(ctx.at('n'), null, { protected: true })));
        expect(new Set(made.map(({ path }) => path)).size).toBe(3);
        expect((await zk.children(ctx.base)).children).toHaveLength(3);
      },
    },
    ...MODES.flatMap((mode) => [
      {
        name: `${mode}: a lost reply leaves exactly one znode, which the call finds`,
        run: async (ctx) => {
          const proxy = await ctx.proxy();
          const zk = await ctx.through(proxy);
          const cut = proxy.once({ opcode: 'create*', direction: 'reply', action: 'cut' });
          const { path, stat } = await zk.create(ctx.at('n-'), 'mine', { protected: true, mode });
          await cut;
          const { children } = await zk.children(ctx.base);
          expect(children.map((child) => ctx.at(child))).toEqual([path]);
          expect(stat).toEqual(await zk.exists(path));
          expect((await zk.get(path)).data).toEqual(Buffer.from('mine'));
        },
      } satisfies CaseGroup['cases'][number],
      {
        name: `${mode}: a lost request is made again`,
        run: async (ctx) => {
          const proxy = await ctx.proxy();
          const zk = await ctx.through(proxy);
          const cut = proxy.once({ opcode: 'create*', direction: 'request', action: 'cut' });
          const { path } = await zk.create(ctx.at('n-'), 'mine', { protected: true, mode });
          await cut;
          const { children } = await zk.children(ctx.base);
          expect(children.map((child) => ctx.at(child))).toEqual([path]);
        },
      } satisfies CaseGroup['cases'][number],
    ]),
    {
      name: 'a lost reply, and a lost reply to the search for the znode',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const cuts = [
          proxy.once({ opcode: 'create*', direction: 'reply', action: 'cut' }),
          proxy.once({ opcode: 'getChildren*', direction: 'reply', action: 'cut' }),
        ];
        const { path } = await zk.create(ctx.at('n-'), null, { protected: true, mode: 'ephemeral-sequential' });
        await Promise.all(cuts);
        const { children } = await zk.children(ctx.base);
        expect(children.map((child) => ctx.at(child))).toEqual([path]);
      },
    },
    {
      name: 'given up while its reply is lost, it leaves no znode behind',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const witness = await ctx.connect();
        const held = proxy.once({ opcode: 'create*', direction: 'reply', action: 'hold' });
        const giveUp = new AbortController();
        const reason = new Error('changed my mind');
        const call = zk.create(ctx.at('n-'), null, {
          protected: true,
          mode: 'ephemeral-sequential',
          signal: giveUp.signal,
        });
        const { release } = await held;
        expect((await witness.children(ctx.base)).children).toHaveLength(1);
        giveUp.abort(reason);
        await expect(call).rejects.toBe(reason);
        release();
        await ctx.until('the znode is gone', async () => (await witness.children(ctx.base)).children.length === 0);
      },
    },
    {
      name: 'given up while its connection is gone, it leaves no znode behind',
      waits: true,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const witness = await ctx.connect();
        const cut = proxy.once({ opcode: 'create*', direction: 'reply', action: 'cut' });
        const comingBack = proxy.once({ opcode: 'connect', direction: 'request', action: 'hold' });
        const call = later(
          zk.create(ctx.at('n-'), null, { protected: true, mode: 'persistent-sequential', timeout: 300 }),
        );
        await expectError(call, TimeoutError, { code: 'TIMEOUT', operation: 'create', path: ctx.at('n-') });
        await cut;
        expect((await witness.children(ctx.base)).children).toHaveLength(1);
        const { release } = await comingBack;
        release();
        await ctx.until('the znode is gone', async () => (await witness.children(ctx.base)).children.length === 0);
      },
    },
    {
      name: 'with parents, through a lost reply',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const cut = proxy.once({
          opcode: 'create*',
          direction: 'reply',
          action: 'cut',
          match: (frame) => frame.readInt32BE(12) === 0 && frame.includes('_c_'),
        });
        const made = await zk.create(ctx.at('a/b/n-'), null, {
          protected: true,
          parents: true,
          mode: 'ephemeral-sequential',
        });
        await cut;
        const { children } = await zk.children(ctx.at('a/b'));
        expect(children.map((child) => ctx.at(`a/b/${child}`))).toEqual([made.path]);
      },
    },
    {
      name: 'errors of the server come through',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const missing = ctx.at('missing/n');
        await expectError(zk.create(missing, null, { protected: true }), NoNodeError, { path: missing });
      },
    },
    {
      name: 'without protection, a lost reply is a ConnectionLossError that says so, and the znode is there',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const cut = proxy.once({ opcode: 'create*', direction: 'reply', action: 'cut' });
        const properties = { maybeApplied: true, operation: 'create', path: ctx.at('n') };
        await expectError(zk.create(ctx.at('n'), 'x'), ConnectionLossError, properties);
        await cut;
        expect(await zk.exists(ctx.at('n'))).not.toBeNull();
        await expectError(zk.create(ctx.at('n')), NodeExistsError);
      },
    },
  ],
};
