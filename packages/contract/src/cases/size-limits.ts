import { expect } from '@jest/globals';
import { ConnectionLossError, RequestTooLargeError, ResponseTooLargeError } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import { expectError } from '../expect-error.ts';
import { later } from '../later.ts';

/** jute.maxbuffer of every Apache server that nobody has configured otherwise. */
const LIMIT = 1_048_575;

/** How much data a set on this path may carry. */
function setRoom(path: string): number {
  const header = 8;
  const version = 4;
  return LIMIT - header - 4 - Buffer.byteLength(path) - 4 - version;
}

/** How much data a create on this path may carry, with the open ACL. */
function createRoom(path: string): number {
  const header = 8;
  const acl = 4 + 4 + 4 + 'world'.length + 4 + 'anyone'.length;
  const flags = 4;
  return LIMIT - header - 4 - Buffer.byteLength(path) - 4 - acl - flags;
}

export const sizeLimits: CaseGroup = {
  name: 'size limits',
  cases: [
    {
      name: 'set takes a request of 1,048,575 bytes; a byte more is refused here, and the connection stays',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const path = ctx.at('node');
        await zk.create(path);
        await zk.set(path, Buffer.alloc(setRoom(path), 7));
        expect((await zk.get(path)).data?.equals(Buffer.alloc(setRoom(path), 7))).toBe(true);
        let states = 0;
        zk.on('state', () => {
          states += 1;
        });
        await expectError(zk.set(path, Buffer.alloc(setRoom(path) + 1)), RequestTooLargeError, {
          code: 'REQUEST_TOO_LARGE',
          operation: 'set',
          path,
          maybeApplied: false,
        });
        expect((await zk.exists(path))?.version).toBe(1);
        expect(states).toBe(0);
      },
    },
    {
      name: 'create takes a request of 1,048,575 bytes; a byte more is refused here, and the connection stays',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const path = ctx.at('node');
        const { stat } = await zk.create(path, Buffer.alloc(createRoom(path), 7));
        expect(stat?.dataLength).toBe(createRoom(path));
        const other = ctx.at('othe');
        await expectError(zk.create(other, Buffer.alloc(createRoom(other) + 1)), RequestTooLargeError);
        expect(await zk.exists(other)).toBeNull();
        expect(zk.state).toBe('connected');
      },
    },
    {
      name: 'calls around one that is too large are not touched by it',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await zk.create(ctx.at('node'), 'x');
        const calls = later([
          zk.get(ctx.at('node')),
          zk.set(ctx.at('node'), Buffer.alloc(2 * LIMIT)),
          zk.set(ctx.at('node'), 'y'),
          zk.get(ctx.at('node')),
        ]);
        const [before, refused, set, after] = await Promise.allSettled(calls);
        expect(before).toMatchObject({ status: 'fulfilled', value: { data: Buffer.from('x') } });
        expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'REQUEST_TOO_LARGE' } });
        expect(set).toMatchObject({ status: 'fulfilled', value: { version: 1 } });
        expect(after).toMatchObject({ status: 'fulfilled', value: { data: Buffer.from('y') } });
      },
    },
    {
      name: 'a server that is smaller than maxRequestBytes says nothing and hangs up: ConnectionLossError, not repeated',
      run: async (ctx) => {
        const zk = await ctx.connect({ maxRequestBytes: 4 * LIMIT });
        const path = ctx.at('node');
        await zk.create(path, 'x');
        const id = zk.session?.id;
        const call = later(zk.set(path, Buffer.alloc(setRoom(path) + 1)));
        await expectError(call, ConnectionLossError, { operation: 'set', path, maybeApplied: true });
        expect((await zk.get(path)).data).toEqual(Buffer.from('x'));
        expect(zk.session?.id).toBe(id);
      },
    },
    {
      name: 'an answer over maxResponseBytes fails that call alone: ResponseTooLargeError',
      run: async (ctx) => {
        const zk = await ctx.connect({ maxResponseBytes: 10_000 });
        await zk.create(ctx.at('large'), Buffer.alloc(20_000));
        await zk.create(ctx.at('small'), Buffer.alloc(2_000));
        let states = 0;
        zk.on('state', () => {
          states += 1;
        });
        const [large, small] = later([zk.get(ctx.at('large')), zk.get(ctx.at('small'))] as const);
        await expectError(large, ResponseTooLargeError, {
          code: 'RESPONSE_TOO_LARGE',
          operation: 'get',
          path: ctx.at('large'),
        });
        expect((await small).data).toHaveLength(2_000);
        expect(states).toBe(0);
      },
    },
    {
      name: 'answers may be larger than requests: 1.6 MB of children',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const name = 'x'.repeat(150);
        const made = Array.from({ length: 10_000 }, () =>
          zk.create(ctx.at(name), null, { mode: 'persistent-sequential' }),
        );
        await Promise.all(made);
        const { children } = await zk.children(ctx.base);
        expect(children).toHaveLength(10_000);
        expect(new Set(children).size).toBe(10_000);
      },
    },
  ],
};
