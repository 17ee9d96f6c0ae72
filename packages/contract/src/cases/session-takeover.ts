import { expect } from '@jest/globals';
import { BadArgumentsError, SessionExpiredError, type ZooKeeper } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import { expectError } from '../expect-error.ts';
import { nextEvent, StateLog } from '../state-log.ts';

function keyOf(zk: ZooKeeper): { id: bigint; password: Buffer } {
  const { id, password } = zk.session!;
  return { id, password };
}

export const sessionTakeover: CaseGroup = {
  name: 'taking a session over',
  cases: [
    {
      name: 'close({ detach: true }) leaves session and ephemerals alive, for another client to go on with',
      run: async (ctx) => {
        const first = await ctx.connect({ sessionTimeout: 4_000 });
        const { path } = await first.create(ctx.at('e'), null, { mode: 'ephemeral' });
        const session = keyOf(first);
        await first.close({ detach: true });
        const second = await ctx.connect({ session: { ...session, timeout: 6_000 } });
        const log = new StateLog(second);
        expect(second.session).toMatchObject({ ...session, timeout: 6_000 });
        expect((await second.exists(path))?.ephemeralOwner).toBe(session.id);
        await second.set(path, 'from the second');
        await second.close();
        expect(log.events).toEqual(['closed']);
        const witness = await ctx.connect();
        expect(await witness.exists(path)).toBeNull();
      },
    },
    {
      name: 'the first owner’s connection is closed, and it takes the session back',
      run: async (ctx) => {
        const owner = await ctx.connect();
        const log = new StateLog(owner);
        const session = keyOf(owner);
        await owner.create(ctx.at('e'), null, { mode: 'ephemeral' });
        const suspended = nextEvent(owner, 'suspended');
        const reconnected = nextEvent(owner, 'reconnected');
        const thief = await ctx.connect({ session });
        await suspended;
        await thief.close({ detach: true });
        await reconnected;
        expect(owner.session?.id).toBe(session.id);
        expect((await owner.exists(ctx.at('e')))?.ephemeralOwner).toBe(session.id);
        expect(log.events).not.toContain('lost');
      },
    },
    {
      name: 'a wrong password, without renewSession: connect() rejects with SessionExpiredError',
      run: async (ctx) => {
        const owner = await ctx.connect();
        const session = { id: owner.session!.id, password: Buffer.alloc(16, 1) };
        const thief = ctx.client({ session, renewSession: false });
        const log = new StateLog(thief);
        await expectError(thief.connect(), SessionExpiredError, { code: 'SESSION_EXPIRED' });
        expect(log.events).toEqual(['lost']);
        expect(thief.session).toBeNull();
        await expectError(thief.get(ctx.base), SessionExpiredError);
      },
    },
    {
      name: 'a wrong password, with renewSession: lost, then a new session',
      run: async (ctx) => {
        const owner = await ctx.connect();
        const session = { id: owner.session!.id, password: Buffer.alloc(16, 1) };
        const thief = ctx.client({ session });
        const log = new StateLog(thief);
        await thief.connect();
        expect(log.events).toEqual(['lost', 'renewed']);
        expect(thief.session?.id).not.toBe(session.id);
        expect(await thief.exists(ctx.base)).not.toBeNull();
      },
    },
    {
      name: 'a wrong password leaves the owner its session and its ephemerals',
      run: async (ctx) => {
        const owner = await ctx.connect();
        const { id } = owner.session!;
        const log = new StateLog(owner);
        await owner.create(ctx.at('e'), null, { mode: 'ephemeral' });
        const thief = ctx.client({ session: { id, password: Buffer.alloc(16, 1) }, renewSession: false });
        await expectError(thief.connect(), SessionExpiredError);
        await owner.sync();
        expect(owner.session?.id).toBe(id);
        expect((await owner.exists(ctx.at('e')))?.ephemeralOwner).toBe(id);
        expect(log.events).not.toContain('lost');
      },
    },
    {
      name: 'a session that is gone: lost at once',
      run: async (ctx) => {
        const first = await ctx.connect();
        const session = keyOf(first);
        await first.close();
        const late = ctx.client({ session, renewSession: false });
        await expectError(late.connect(), SessionExpiredError);
        const renewing = ctx.client({ session });
        const log = new StateLog(renewing);
        await renewing.connect();
        expect(log.events).toEqual(['lost', 'renewed']);
      },
    },
    {
      name: 'an id that never was: lost at once',
      run: async (ctx) => {
        const session = { id: 0x7777n, password: Buffer.alloc(16, 7) };
        const zk = ctx.client({ session, renewSession: false });
        await expectError(zk.connect(), SessionExpiredError);
      },
    },
    {
      name: 'an id or a password that can’t be one is refused at once',
      run: async (ctx) => {
        const password = Buffer.alloc(16);
        for (const session of [
          { id: 1, password },
          { id: 0n, password },
          { id: 1n, password: 'secret' },
          { id: 1n, password: Buffer.alloc(3) },
        ] as unknown as { id: bigint; password: Buffer }[]) {
          expect(() => ctx.client({ session })).toThrow(BadArgumentsError);
        }
      },
    },
  ],
};
