import { expect } from '@jest/globals';
import { ACL, BadArgumentsError, NoAuthError, NoNodeError, PathError } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import { expectError } from '../expect-error.ts';
import { later } from '../later.ts';
import { StateLog } from '../state-log.ts';

export const manyReads: CaseGroup = {
  name: 'multiRead',
  cases: [
    {
      name: 'one result for each read, in order',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('a'), 'x');
        await zk.create(ctx.at('a/child'));
        await zk.create(ctx.at('empty'), '');
        const results = await zk.multiRead([
          { get: ctx.at('a') },
          { children: ctx.at('a') },
          { get: ctx.at('empty') },
          { get: ctx.at('a/child') },
          { children: ctx.at('empty') },
        ]);
        expect(results[0]).toEqual(await zk.get(ctx.at('a')));
        expect(results[1]).toEqual({ children: ['child'] });
        expect(results[2]).toMatchObject({ data: Buffer.alloc(0) });
        expect(results[3]).toMatchObject({ data: null });
        expect(results[4]).toEqual({ children: [] });
      },
    },
    {
      name: 'a read that fails is an error in its place, and the others have their values',
      run: async (ctx) => {
        const [zk, owner] = [await ctx.connect(), await ctx.connect({ auth: [{ scheme: 'digest', auth: 'a:b' }] })];
        await owner.create(ctx.at('private'), 'x', { acl: ACL.CREATOR });
        const results = await zk.multiRead([
          { get: ctx.at('missing') },
          { get: ctx.base },
          { children: ctx.at('missing') },
          { get: ctx.at('private') },
        ]);
        expect(results[0]).toBeInstanceOf(NoNodeError);
        expect(results[0]).toMatchObject({ code: 'NO_NODE', operation: 'get', path: ctx.at('missing') });
        expect(results[1]).toMatchObject({ data: null });
        expect(results[2]).toMatchObject({ code: 'NO_NODE', operation: 'children', path: ctx.at('missing') });
        expect(results[3]).toBeInstanceOf(NoAuthError);
      },
    },
    {
      name: 'without reads it resolves with an empty list',
      run: async (ctx) => {
        expect(await (await ctx.connect()).multiRead([])).toEqual([]);
      },
    },
    {
      name: 'it is one request',
      needs: ['multi-read'],
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const log = new StateLog(zk);
        const seen = proxy.once({ opcode: 'multiRead', direction: 'request', action: 'hold' });
        const reading = later(zk.multiRead(Array.from({ length: 500 }, () => ({ get: ctx.base }))));
        const { release } = await seen;
        expect(zk.health().inFlight).toBe(1);
        release();
        expect(await reading).toHaveLength(500);
        // A server that doesn't know it hangs up.
        expect(log.events).toEqual([]);
      },
    },
    {
      name: 'under a chroot, and in a view',
      run: async (ctx) => {
        const inside = (await ctx.connect()).namespace(ctx.base);
        await inside.create('/a', 'x');
        const results = await inside.multiRead([{ get: '/a' }, { children: '/' }, { get: '/missing' }]);
        expect(results[0]).toMatchObject({ data: Buffer.from('x') });
        expect(results[1]).toEqual({ children: ['a'] });
        expect(results[2]).toMatchObject({ code: 'NO_NODE', path: '/missing' });
      },
    },
    {
      name: 'it is sent again when its reply was lost',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const cut = proxy.once({ opcode: 'multiRead', direction: 'reply', action: 'cut' });
        expect(await zk.multiRead([{ children: ctx.base }])).toEqual([{ children: [] }]);
        await cut;
      },
    },
    {
      name: 'reads that are none are refused before anything is sent',
      run: async (ctx) => {
        const zk = ctx.client({ connectTimeout: 0 });
        await expectError(zk.multiRead([{ get: 'relative' }]), PathError, { path: 'relative' });
        await expectError(zk.multiRead([{ get: '/a' }, { children: '/a/' }]), PathError, { path: '/a/' });
        for (const odd of [[{}], [null], ['/a'], [{ get: '/a', children: '/a' }], 'x'] as unknown as [
          { get: string },
        ][]) {
          await expectError(zk.multiRead(odd), BadArgumentsError);
        }
      },
    },
  ],
};
