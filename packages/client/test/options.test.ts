import { createSecureContext } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import { BadArgumentsError, ZooKeeper, type ZooKeeperOptions } from '../src/index.ts';
import { settingsOf } from '../src/options.ts';

const make = (options: unknown) => () => new ZooKeeper('zk1', options as ZooKeeperOptions);

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
  ])('refuse a bad %s: %p', (name, value) => {
    expect(make({ [name]: value })).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENTS' }));
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
