import { expect } from '@jest/globals';
import {
  BadArgumentsError,
  ConnectionLossError,
  ConnectStringError,
  ProtocolError,
  TimeoutError,
  ZooKeeper,
  type ZooKeeperOptions,
} from '@zookit/client';
import type { CaseGroup, ContractCase } from '../case.ts';
import type { Context } from '../context.ts';
import { expectError } from '../expect-error.ts';
import { later } from '../later.ts';
import { StateLog } from '../state-log.ts';
import { greeting, http, mute, nobody, slamming } from '../wrong-servers.ts';

const BAD_CONNECT_STRINGS: readonly string[] = [
  '',
  ' ',
  ',',
  'a:1,,b:1',
  'a:1,',
  ':2181',
  'a:0',
  'a:65536',
  'a:-1',
  'a:x',
  'a:',
  'a:1:2',
  '::1',
  '::1:2181',
  '[::1',
  '[]:2181',
  'a b:1',
  '/only/a/chroot',
  'a:1/x,b:2/x',
  'a:1/x//y',
  'a:1/x/../y',
  'a:1/x\u0000',
];

const BAD_OPTIONS: readonly ZooKeeperOptions[] = [
  { sessionTimeout: 0 },
  { sessionTimeout: -1 },
  { sessionTimeout: Number.NaN },
  { sessionTimeout: 2 ** 31 },
  { sessionTimeout: '5' as unknown as number },
  { connectTimeout: -1 },
  { leaseMargin: -1 },
  { sessionTimeout: 1_000, leaseMargin: 1_000 },
  { maxRequestBytes: 0 },
  { maxResponseBytes: -5 },
  { maxInFlight: 0 },
  { maxQueued: -1 },
  { sessionEnds: 'never' as 'auto' },
];

type WrongServer = { name: string; listen(ctx: Context): Promise<string>; cause: new (code: string) => Error };

const wrongServers: readonly WrongServer[] = [
  { name: 'nobody listens', listen: nobody, cause: ConnectionLossError },
  { name: 'it hangs up at once', listen: slamming, cause: ConnectionLossError },
  { name: 'it is mute', listen: mute, cause: TimeoutError },
  { name: 'it is an HTTP server', listen: http, cause: ProtocolError },
  { name: 'it is an SSH server', listen: (ctx) => greeting(ctx, 'SSH-2.0-OpenSSH_9.6\r\n'), cause: ProtocolError },
  { name: 'it says something short', listen: (ctx) => greeting(ctx, '\0\0\0\u0004nope'), cause: ProtocolError },
];

const notAServer = wrongServers.map(
  ({ name, listen, cause }): ContractCase => ({
    name: `${name}: connect() is a TimeoutError at its time, with the reason as its cause, and the client is closed`,
    waits: true,
    run: async (ctx) => {
      const zk = ctx.client({ connectTimeout: 600, sessionTimeout: 1_000 }, await listen(ctx));
      const log = new StateLog(zk);
      const call = later(zk.get('/'));
      const began = performance.now();
      const error = await expectError(zk.connect(), TimeoutError, { code: 'TIMEOUT', operation: 'connect' });
      const took = performance.now() - began;
      expect(took).toBeGreaterThanOrEqual(599);
      expect(took).toBeLessThan(1_100);
      expect(error.cause).toBeInstanceOf(cause);
      expect(log.events).toEqual(['closed']);
      await expect(call).rejects.toMatchObject({ code: 'CLOSED' });
    },
  }),
);

export const connect: CaseGroup = {
  name: 'connect',
  cases: [
    {
      name: 'a connect string that can’t be read: ConnectStringError at once, with the string in its message',
      run: async () => {
        for (const text of BAD_CONNECT_STRINGS) {
          expect(() => new ZooKeeper(text)).toThrow(ConnectStringError);
          const error = await expectError(ZooKeeper.connect(text), ConnectStringError, { code: 'BAD_ARGUMENTS' });
          expect(error.message).toContain(JSON.stringify(text));
        }
        for (const odd of [undefined, null, 1, ['a:1']] as unknown as string[]) {
          expect(() => new ZooKeeper(odd)).toThrow(ConnectStringError);
        }
      },
    },
    {
      name: 'an option that can’t be meant: BadArgumentsError at once, with its name in the message',
      run: async (ctx) => {
        for (const options of BAD_OPTIONS) {
          expect(() => ctx.client(options)).toThrow(BadArgumentsError);
          await expectError(ZooKeeper.connect('a:1', options), BadArgumentsError);
          expect(() => ctx.client(options)).toThrow(Object.keys(options).at(-1));
        }
      },
    },
    ...notAServer,
    {
      name: 'spaces around the hosts, and a slash alone as chroot, are taken',
      run: async (ctx) => {
        const { connectString } = ctx.server;
        const zk = await ctx.connect({}, ` ${connectString} , ${connectString} /`);
        expect(zk.chroot).toBe('/');
        expect(await zk.exists(ctx.base)).not.toBeNull();
      },
    },
    {
      name: 'connect() twice is one wait, and one session',
      run: async (ctx) => {
        const zk = ctx.client();
        await Promise.all([zk.connect(), zk.connect()]);
        await zk.connect();
        expect(zk.state).toBe('connected');
      },
    },
    {
      name: 'of several servers those that don’t work are passed over',
      waits: true,
      run: async (ctx) => {
        const unresolvable = 'no-such-host.invalid:2181';
        const wrong = [unresolvable, await nobody(), await slamming(ctx), await http(ctx), await mute(ctx)];
        const hosts = [...wrong, ctx.server.connectString].join(',');
        const zk = await ctx.connect({ shuffle: false, sessionTimeout: 5_000 }, hosts);
        expect(zk.server?.port).toBe(ctx.server.port);
        expect(await zk.exists(ctx.base)).not.toBeNull();
      },
    },
    {
      name: 'a host without an address: a TimeoutError whose cause names it',
      waits: true,
      run: async (ctx) => {
        const zk = ctx.client({ connectTimeout: 600 }, 'no-such-host.invalid:2181');
        const error = await expectError(zk.connect(), TimeoutError);
        expect(error.cause).toBeInstanceOf(ConnectionLossError);
        expect((error.cause as Error).message).toContain('no-such-host.invalid');
      },
    },
    {
      name: 'TLS to a port without it: a TimeoutError with a typed cause',
      waits: true,
      run: async (ctx) => {
        const zk = ctx.client({ tls: true, connectTimeout: 600, sessionTimeout: 1_000 });
        const error = await expectError(zk.connect(), TimeoutError);
        expect(error.cause).toMatchObject({ code: expect.stringMatching(/^(CONNECTION_LOSS|TIMEOUT)$/) });
      },
    },
    {
      name: 'a server that comes up later is found, and calls that waited are performed',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        await proxy.refuse();
        const zk = ctx.client({ connectTimeout: 0 }, proxy.connectString);
        const connecting = later(zk.connect());
        const creating = later(zk.create(ctx.at('node'), 'x'));
        await proxy.restore();
        await connecting;
        await creating;
        expect((await zk.get(ctx.at('node'))).data).toEqual(Buffer.from('x'));
      },
    },
    {
      name: 'a handshake that is answered too late is given up, and the next one works',
      waits: true,
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const held = proxy.once({ opcode: 'connect', direction: 'request', action: 'hold' });
        const zk = ctx.client({ sessionTimeout: 1_000 }, proxy.connectString);
        await zk.connect();
        await held;
        expect(await zk.exists(ctx.base)).not.toBeNull();
      },
    },
    {
      name: 'ZooKeeper.connect closes the client when it rejects',
      run: async (ctx) => {
        const giveUp = new AbortController();
        const connecting = ZooKeeper.connect(await mute(ctx), { signal: giveUp.signal });
        giveUp.abort(new Error('enough'));
        await expect(connecting).rejects.toThrow('enough');
        await expectError(ZooKeeper.connect(await nobody(), { timeout: 50 }), TimeoutError);
      },
    },
  ],
};
