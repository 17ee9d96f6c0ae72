import { createSecureContext } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import { BadArgumentsError, UnimplementedError, ZooKeeper, type ZooKeeperOptions } from '../src/index.ts';
import { settingsOf } from '../src/options.ts';
import { outcome } from './support/until.ts';

const make = (options: unknown) => () => new ZooKeeper('zk1', options as ZooKeeperOptions);

/** Every call that takes options, with the given ones. */
function callsWith(zk: ZooKeeper, options: never): [string, () => Promise<unknown>][] {
  return [
    ['connect', () => zk.connect(options)],
    ['get', () => zk.get('/a', options)],
    ['exists', () => zk.exists('/a', options)],
    ['children', () => zk.children('/a', options)],
    ['getConfig', () => zk.getConfig(options)],
    ['watch', () => zk.watch('/a', options)],
    ['set', () => zk.set('/a', 'x', options)],
    ['create', () => zk.create('/a', 'x', options)],
    ['delete', () => zk.delete('/a', options)],
    ['ensurePath', () => zk.ensurePath('/a', options)],
    ['getAcl', () => zk.getAcl('/a', options)],
    ['setAcl', () => zk.setAcl('/a', [], options)],
    ['multiRead', () => zk.multiRead([{ get: '/a' }], options)],
    ['walk', () => zk.walk('/a', options)[Symbol.asyncIterator]().next()],
    ['countDescendants', () => zk.countDescendants('/a', options)],
    ['ephemerals', () => zk.ephemerals('/', options)],
    ['whoAmI', () => zk.whoAmI(options)],
    ['sync', () => zk.sync('/a', options)],
    ['addAuth', () => zk.addAuth('digest', 'a:b', options)],
    ['commit', () => zk.transaction().check('/a').commit(options)],
  ];
}

describe('options', () => {
  it('have the documented defaults', () => {
    expect(settingsOf({})).toMatchObject({
      sessionTimeout: 30_000,
      connectTimeout: 15_000,
      readOnly: false,
      createChroot: false,
      trackConfig: false,
      auth: [],
      tls: null,
      renewSession: true,
      sessionEnds: 'auto',
      retry: { retries: 5, minTimeout: 100, maxTimeout: 2_000, randomize: true },
      maxRequestBytes: 1_048_575,
      maxResponseBytes: 64 * 1024 * 1024,
      maxInFlight: 1_000,
      maxQueued: 10_000,
      shuffle: true,
      unref: false,
    });
    expect(settingsOf({}).environment.firstXid).toBe(1);
    expect(settingsOf({}).leaseMargin).toBeUndefined();
    expect(settingsOf({}).requestTimeout).toBeUndefined();
  });

  it('that are undefined are as if they were not given', () => {
    const names = Object.keys(settingsOf({}));
    const nothing = Object.fromEntries(names.map((name) => [name, undefined]));
    expect(settingsOf(nothing as ZooKeeperOptions)).toEqual(settingsOf({}));
    const environment = { clock: undefined, random: undefined, lookup: undefined, connect: undefined };
    expect(settingsOf({ environment } as never).environment).toEqual(settingsOf({}).environment);
  });

  it('are completed, not replaced, where they have parts', () => {
    expect(settingsOf({ retry: { retries: 2 } }).retry).toEqual({
      retries: 2,
      minTimeout: 100,
      maxTimeout: 2_000,
      randomize: true,
    });
    expect(settingsOf({ retry: false }).retry).toBeNull();
    const secureContext = createSecureContext();
    expect(settingsOf({ tls: true }).tls).toEqual({ secureContext: expect.objectContaining({ context: {} }) });
    expect(settingsOf({ tls: { servername: 'x', secureContext } }).tls).toEqual({ servername: 'x', secureContext });
    const random = () => 0.25;
    expect(settingsOf({ environment: { random } }).environment).toMatchObject({ random, firstXid: 1 });
  });

  it('take credentials as text or bytes', () => {
    const auth = settingsOf({
      auth: [
        { scheme: 'digest', auth: 'ü:p' },
        { scheme: 'x', auth: new Uint8Array([1, 2]) },
      ],
    }).auth;
    expect(auth.map((each) => Buffer.from(each.auth))).toEqual([Buffer.from('ü:p'), Buffer.from([1, 2])]);
  });

  it('ask for the timeout of a session that is taken over', () => {
    const session = { id: 5n, password: Buffer.alloc(16), timeout: 7_000 };
    expect(settingsOf({ session }).sessionTimeout).toBe(7_000);
    expect(settingsOf({ session, sessionTimeout: 9_000 }).sessionTimeout).toBe(9_000);
  });

  it.each([
    ['sessionTimeout', [0, -1, Number.NaN, 2 ** 31, '30000', null]],
    ['connectTimeout', [-1, Number.NaN, '1', null]],
    ['requestTimeout', [0, -1, Number.NaN, '1', null]],
    ['leaseMargin', [-1, Number.NaN, 30_000, '1', null]],
    ['maxRequestBytes', [0, -1, Number.NaN, '1', null]],
    ['maxResponseBytes', [0, -1, Number.NaN, '1', null]],
    ['maxInFlight', [0, -1, Number.NaN, '1', null]],
    ['maxQueued', [-1, Number.NaN, '1', null]],
  ] as [string, unknown[]][])('refuse a bad %s, by name', (name, values) => {
    for (const value of values) {
      expect(make({ [name]: value })).toThrow(BadArgumentsError);
      expect(make({ [name]: value })).toThrow(
        expect.objectContaining({ code: 'BAD_ARGUMENTS', message: expect.stringContaining(name) }),
      );
    }
  });

  it.each([
    ['sessionEnds', 'later'],
    ['auth', [{ scheme: 'digest', auth: 5 }]],
    ['auth', [{ scheme: 5, auth: 'a' }]],
    ['auth', 'digest:a'],
    ['session', { id: 5, password: Buffer.alloc(16) }],
    ['session', { id: 5n, password: 'secret' }],
    ['session', { id: 5n }],
    ['retry', 5],
    ['retry', null],
    ['retry', { retries: -1 }],
    ['retry', { minTimeout: '100' }],
    ['acl', 'open'],
    ['acl', [{ perms: 99, scheme: 'world', id: 'anyone' }]],
    ['logger', 5],
    ['logger', null],
    ['logger', { debug() {}, info() {}, warn() {} }],
    ['tls', 5],
    ['tls', null],
    ['environment', null],
    ['environment', { clock: 5 }],
    ['environment', { clock: { now: 5 } }],
    ['environment', { lookup: 'zk1' }],
    ['environment', { firstXid: '1' }],
    ...['readOnly', 'createChroot', 'trackConfig', 'renewSession', 'shuffle', 'unref'].flatMap((name) => [
      [name, 'no'],
      [name, null],
    ]),
  ] as [string, unknown][])('refuse a bad %s: %p', (name, value) => {
    expect(make({ [name]: value })).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENTS' }));
  });

  it('say which part of one is wrong', () => {
    const logger = { debug() {}, info() {}, warn() {} };
    const refused = (message: string) => expect.objectContaining({ message: expect.stringContaining(message) });
    expect(make({ logger })).toThrow(refused('logger.error must be a function'));
    expect(make({ retry: { retries: -1 } })).toThrow(refused('retry.retries'));
    expect(make({ environment: { clock: { now: 5 } } })).toThrow(refused('environment.clock.now'));
  });

  it('refuse sasl, which would be missed where it is not heeded', async () => {
    const sasl = { mechanism: 'DIGEST-MD5', username: 'u', password: 'secret' };
    expect(make({ sasl })).toThrow(UnimplementedError);
    const connecting = ZooKeeper.connect('127.0.0.1:1', { sasl } as never);
    await expect(connecting).rejects.toMatchObject({ code: 'UNIMPLEMENTED', operation: 'connect' });
    await expect(connecting).rejects.not.toMatchObject({ message: expect.stringContaining('secret') });
  });

  it.each([5, 'ephemeral', [], true, () => {}])('that are no object, but %p, are refused', async (given) => {
    const options = given as never;
    expect(make(options)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENTS' }));
    await expect(ZooKeeper.connect('127.0.0.1:1', options)).rejects.toMatchObject({ code: 'BAD_ARGUMENTS' });
    const zk = new ZooKeeper('127.0.0.1:1');
    const calls = callsWith(zk, options);
    for (const [name, call] of calls) {
      expect([name, await outcome(call())]).toEqual([name, expect.objectContaining({ code: 'BAD_ARGUMENTS' })]);
    }
    await zk.close(options);
    expect(zk.state).toBe('closed');
  });

  it('that are no object are refused with what to write in their place', async () => {
    const zk = new ZooKeeper('127.0.0.1:1');
    const tx = () => zk.transaction();
    const refusals: [Promise<unknown>, string][] = [
      [zk.set('/a', 'x', 7 as never), 'version: 7'],
      [zk.delete('/a', 7 as never), 'version: 7'],
      [zk.create('/a', '', 'ephemeral' as never), "mode: 'ephemeral'"],
      [
        tx()
          .set('/a', 'y', 99 as never)
          .commit(),
        'version: 7',
      ],
      [
        tx()
          .delete('/a', 99 as never)
          .commit(),
        'version: 7',
      ],
      [
        tx()
          .create('/a', '', 'ephemeral' as never)
          .commit(),
        "mode: 'ephemeral'",
      ],
    ];
    for (const [refusal, message] of refusals) {
      await expect(refusal).rejects.toMatchObject({ code: 'BAD_ARGUMENTS', path: '/a' });
      await expect(refusal).rejects.toThrow(message);
    }
    await zk.close();
  });

  it.each([5, {}, null, 'x'])('refuse the signal %p, by rejecting', async (signal) => {
    const zk = new ZooKeeper('127.0.0.1:1');
    for (const [name, call] of callsWith(zk, { signal } as never)) {
      expect([name, await outcome(call())]).toEqual([name, expect.objectContaining({ code: 'BAD_ARGUMENTS' })]);
    }
    const watched = zk.get('/a', { watch: () => {}, watchSignal: signal as never });
    await expect(watched).rejects.toMatchObject({ code: 'BAD_ARGUMENTS' });
    await expect(zk.delete('/a', { guaranteed: true, signal } as never)).rejects.toBeInstanceOf(BadArgumentsError);
    await zk.close();
  });

  it('refuse a set without data, which would wipe what is there', async () => {
    const zk = new ZooKeeper('127.0.0.1:1');
    const set = zk.set as (path: string) => Promise<unknown>;
    await expect(set.call(zk, '/a')).rejects.toMatchObject({ code: 'BAD_ARGUMENTS', path: '/a' });
    const transaction = zk.transaction().set('/a', undefined as never);
    await expect(transaction.commit()).rejects.toMatchObject({ code: 'BAD_ARGUMENTS', path: '/a' });
    await zk.close();
  });

  it.each([
    ['sessionTimeout', 1],
    ['sessionTimeout', 2 ** 31 - 1],
    ['connectTimeout', 0],
    ['requestTimeout', 1],
    ['leaseMargin', 0],
    ['leaseMargin', 29_999],
    ['maxQueued', 0],
    ['maxInFlight', 1],
  ])('allow %s of %i', (name, value) => {
    expect(make({ [name]: value })).not.toThrow();
  });

  it.each([-1, Number.NaN, '5', null])('refuse a call timeout of %p, by rejecting', async (timeout) => {
    const zk = new ZooKeeper('127.0.0.1:1');
    const bad = { timeout } as never;
    for (const call of [zk.get('/a', bad), zk.set('/a', '', bad), zk.sync('/', bad), zk.create('/a', '', bad)]) {
      await expect(call).rejects.toMatchObject({ code: 'BAD_ARGUMENTS' });
    }
    await expect(zk.connect(bad)).rejects.toMatchObject({ code: 'BAD_ARGUMENTS' });
    await zk.close();
  });

  it.each([1.5, 2 ** 31, -(2 ** 31) - 1, Number.NaN, '1', null])(
    'refuse the version %p, by rejecting',
    async (version) => {
      const zk = new ZooKeeper('127.0.0.1:1');
      await expect(zk.set('/a', '', { version } as never)).rejects.toMatchObject({ code: 'BAD_ARGUMENTS', path: '/a' });
      await expect(zk.delete('/a', { version } as never)).rejects.toMatchObject({ code: 'BAD_ARGUMENTS', path: '/a' });
      await zk.close();
    },
  );

  it.each([5, {}, [], true, Symbol('x')])('refuse the data %p, which is neither bytes nor text', async (data) => {
    const zk = new ZooKeeper('127.0.0.1:1');
    await expect(zk.set('/a', data as never)).rejects.toMatchObject({ code: 'BAD_ARGUMENTS', path: '/a' });
    await expect(zk.create('/a', data as never)).rejects.toMatchObject({ code: 'BAD_ARGUMENTS', path: '/a' });
    await zk.close();
  });

  it.each([0, -1, 2 ** 40, 1.5, Number.NaN, '5'])('refuse the ttl %p', async (ttl) => {
    const zk = new ZooKeeper('127.0.0.1:1');
    await expect(zk.create('/a', '', { mode: 'persistent-ttl', ttl } as never)).rejects.toMatchObject({
      code: 'BAD_ARGUMENTS',
    });
    await expect(zk.create('/a', '', { mode: 'persistent-ttl' })).rejects.toMatchObject({ code: 'BAD_ARGUMENTS' });
    await expect(zk.create('/a', '', { mode: 'ephemeral', ttl: 5 })).rejects.toMatchObject({ code: 'BAD_ARGUMENTS' });
    await expect(zk.create('/a', '', { mode: 'eternal' } as never)).rejects.toMatchObject({ code: 'BAD_ARGUMENTS' });
    await zk.close();
  });
});
