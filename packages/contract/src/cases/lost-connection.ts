import { expect } from '@jest/globals';
import { ClosedError, ConnectionLossError, TimeoutError, type ZooKeeper } from '@zookit/client';
import type { FaultOpcode } from '@zookit/testing';
import type { CaseGroup, ContractCase } from '../case.ts';
import { expectError } from '../expect-error.ts';
import { later } from '../later.ts';

const DIRECTIONS = ['request', 'reply'] as const;

interface Write {
  name: string;
  opcode: FaultOpcode;
  call(zk: ZooKeeper, at: (name: string) => string): Promise<unknown>;
  /** What is there when it was applied. */
  applied(zk: ZooKeeper, at: (name: string) => string): Promise<boolean>;
}

const writes: readonly Write[] = [
  {
    name: 'create',
    opcode: 'create*',
    call: (zk, at) => zk.create(at('new')),
    applied: async (zk, at) => (await zk.exists(at('new'))) !== null,
  },
  {
    name: 'sequential create',
    opcode: 'create*',
    call: (zk, at) => zk.create(at('new-'), null, { mode: 'persistent-sequential' }),
    applied: async (zk, at) => (await zk.exists(at('new-0000000001'))) !== null,
  },
  {
    name: 'set',
    opcode: 'setData',
    call: (zk, at) => zk.set(at('old'), 'x'),
    applied: async (zk, at) => (await zk.exists(at('old')))?.version === 1,
  },
  {
    name: 'delete',
    opcode: 'delete',
    call: (zk, at) => zk.delete(at('old')),
    applied: async (zk, at) => (await zk.exists(at('old'))) === null,
  },
];

interface Read {
  name: string;
  opcode: FaultOpcode;
  call(zk: ZooKeeper, path: string): Promise<unknown>;
}

const reads: readonly Read[] = [
  { name: 'get', opcode: 'getData', call: (zk, path) => zk.get(path) },
  { name: 'exists', opcode: 'exists', call: (zk, path) => zk.exists(path) },
  { name: 'children', opcode: 'getChildren*', call: (zk, path) => zk.children(path) },
  { name: 'sync', opcode: 'sync', call: (zk, path) => zk.sync(path) },
];

const lostWrites = writes.flatMap(({ name, opcode, call, applied }) =>
  DIRECTIONS.map(
    (direction): ContractCase => ({
      name: `${name}, its ${direction} is lost: ConnectionLossError, maybeApplied, not repeated`,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        await zk.create(ctx.at('old'));
        const { id } = zk.session!;
        const cut = proxy.once({ opcode, direction, action: 'cut' });
        const at = (child: string): string => ctx.at(child);
        await expectError(call(zk, at), ConnectionLossError, { code: 'CONNECTION_LOSS', maybeApplied: true });
        await cut;
        // Whatever would be repeated comes before this.
        await zk.sync(ctx.base);
        expect(await applied(zk, at)).toBe(direction === 'reply');
        expect(zk.session?.id).toBe(id);
      },
    }),
  ),
);

const lostReads = reads.flatMap(({ name, opcode, call }) =>
  DIRECTIONS.map(
    (direction): ContractCase => ({
      name: `${name}, its ${direction} is lost: it is sent again, and answered`,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const expected = await call(zk, ctx.base);
        const cut = proxy.once({ opcode, direction, action: 'cut' });
        expect(await call(zk, ctx.base)).toEqual(expected);
        await cut;
      },
    }),
  ),
);

export const lostConnection: CaseGroup = {
  name: 'calls whose connection breaks',
  cases: [
    ...lostWrites,
    ...lostReads,
    {
      name: 'with retry: false a read whose connection breaks is a ConnectionLossError',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy, { retry: false });
        const cut = proxy.once({ opcode: 'getData', direction: 'reply', action: 'cut' });
        const error = await expectError(zk.get(ctx.base), ConnectionLossError, { operation: 'get', path: ctx.base });
        await cut;
        expect(error.maybeApplied).toBeUndefined();
        expect(await zk.exists(ctx.base)).not.toBeNull();
      },
    },
    {
      name: 'a read is repeated as often as retry says, and no more',
      waits: true,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy, { retry: { retries: 1 } });
        const cuts = [1, 2].map(() => proxy.once({ opcode: 'getData', direction: 'reply', action: 'cut' }));
        await expectError(zk.get(ctx.base), ConnectionLossError, { operation: 'get', path: ctx.base });
        await Promise.all(cuts);
        const patient = await ctx.through(proxy, { retry: { retries: 2, minTimeout: 1 } });
        const more = [1, 2].map(() => proxy.once({ opcode: 'getData', direction: 'reply', action: 'cut' }));
        expect((await patient.get(ctx.base)).data).toBeNull();
        await Promise.all(more);
      },
    },
    {
      name: 'many calls on the wire: reads are answered after all, writes reject, each once',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        await zk.create(ctx.at('node'), 'x');
        const cut = proxy.once({ opcode: 'getData', direction: 'request', action: 'cut' });
        const calls = Array.from({ length: 200 }, (_, i) =>
          i % 2 === 0 ? zk.get(ctx.at('node')) : zk.set(ctx.at('node'), String(i)),
        );
        const outcomes = await Promise.allSettled(calls);
        await cut;
        expect(outcomes.filter((_, i) => i % 2 === 0).every(({ status }) => status === 'fulfilled')).toBe(true);
        for (const outcome of outcomes.filter((_, i) => i % 2 === 1)) {
          expect(outcome).toMatchObject({
            status: 'rejected',
            reason: { code: 'CONNECTION_LOSS', maybeApplied: true },
          });
        }
        expect((await zk.get(ctx.at('node'))).stat.version).toBe(0);
      },
    },
    {
      name: 'a read that is repeated keeps its place before the calls made after it',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        await zk.create(ctx.at('node'), 'before');
        const held = proxy.once({ opcode: 'getData', direction: 'request', action: 'hold' });
        const read = later(zk.get(ctx.at('node')));
        await held;
        const made: Promise<unknown>[] = [];
        zk.once('suspended', () => {
          made.push(zk.set(ctx.at('node'), 'after'), zk.get(ctx.at('node')));
        });
        await proxy.cut();
        expect((await read).data).toEqual(Buffer.from('before'));
        expect(await made[0]).toMatchObject({ version: 1 });
        expect(await made[1]).toMatchObject({ data: Buffer.from('after') });
      },
    },
    {
      name: 'a read that waits to be repeated can be given up, and ends with close()',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        const comingBack = proxy.once({ opcode: 'connect', direction: 'request', action: 'hold' });
        const held = proxy.once({ opcode: 'getData', direction: 'request', action: 'hold' });
        const [giveUp, reason] = [new AbortController(), new Error('enough')];
        const aborted = later(zk.get(ctx.base, { signal: giveUp.signal }));
        const late = later(zk.get(ctx.base, { timeout: 30 }));
        const closed = later(zk.get(ctx.base));
        await held;
        await proxy.cut();
        await comingBack;
        giveUp.abort(reason);
        await expect(aborted).rejects.toBe(reason);
        await expectError(late, TimeoutError, { operation: 'get', path: ctx.base });
        await zk.close();
        await expectError(closed, ClosedError, { operation: 'get', path: ctx.base });
      },
    },
    {
      name: 'a write made while there is no connection waits for it, and is applied once',
      waits: true,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        await proxy.cut({ stay: true });
        await ctx.until('the client knows', () => zk.state === 'suspended');
        const writing = later([zk.create(ctx.at('node'), '0'), zk.set(ctx.at('node'), '1')]);
        await proxy.restore();
        await Promise.all(writing);
        const { data, stat } = await zk.get(ctx.at('node'));
        expect(data).toEqual(Buffer.from('1'));
        expect(stat.version).toBe(1);
      },
    },
    {
      name: 'a reply that is torn apart on its way is a lost reply',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        await zk.create(ctx.at('large'), Buffer.alloc(900_000, 1));
        await proxy.delay(20);
        const reading = later(zk.get(ctx.at('large')));
        await proxy.cut();
        await proxy.restore();
        expect((await reading).data).toHaveLength(900_000);
      },
    },
    {
      name: 'a server that answers late answers all the same',
      waits: true,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        await proxy.delay(150);
        const calls = later([zk.create(ctx.at('a'), 'x'), zk.get(ctx.at('a')), zk.children(ctx.base)] as const);
        const [, { data }, { children }] = await Promise.all(calls);
        expect(data).toEqual(Buffer.from('x'));
        expect(children).toEqual(['a']);
      },
    },
  ],
};
