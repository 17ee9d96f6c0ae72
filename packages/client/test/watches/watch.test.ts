import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { PersistentWatchEvent, ZooKeeper } from '../../src/index.ts';
import { bytes, event, reply, stat } from '../support/bytes.ts';
import { client, closeClients, connectedClient } from '../support/clients.ts';
import { turn } from '../support/manual-clock.ts';
import type { ScriptedServer } from '../support/scripted-server.ts';
import { Simulation } from '../support/simulation.ts';
import { outcome } from '../support/until.ts';
import { readAll, record } from './record.ts';

jest.setTimeout(60_000);

afterEach(closeClients);

const [CREATED, CHANGED] = [1, 3];
const [GET, REMOVE_WATCHES, ADD_WATCH] = [4, 18, 106];

async function watching(chroot = ''): Promise<{ net: Simulation; server: ScriptedServer; zk: ZooKeeper }> {
  const net = new Simulation();
  const server = net.serve('a', {}, { timeout: 6_000 });
  const { zk } = await connectedClient(net, `a${chroot}`);
  return { net, server, zk };
}

describe('zk.watch', () => {
  it.each([
    ['a path that won’t do', ['x/'], 'BAD_ARGUMENTS'],
    ['no path', [undefined], 'BAD_ARGUMENTS'],
    ['recursive that is no boolean', ['/a', { recursive: 'yes' }], 'BAD_ARGUMENTS'],
    ['a timeout that is no number', ['/a', { timeout: '1' }], 'BAD_ARGUMENTS'],
    ['a signal that is none', ['/a', { signal: {} }], 'BAD_ARGUMENTS'],
  ])('rejects with %s, and sends nothing', async (_name, args, code) => {
    const { server, zk } = await watching();
    const watch = zk.watch as (...args: unknown[]) => Promise<unknown>;
    await expect(watch.apply(zk, args)).rejects.toMatchObject({ code, operation: 'watch' });
    expect(server.last.calls).toEqual([]);
    expect(zk.health().watches).toBe(0);
  });

  it('waits for a connection', async () => {
    const net = new Simulation();
    const { zk, connected } = client(net, 'a');
    const opening = zk.watch('/a');
    await turn();
    const server = net.serve('a', {}, { timeout: 6_000 });
    expect(await net.clock.advanceUntil(() => zk.state === 'connected', 10_000)).toBe(true);
    await connected;
    const told = record(await opening);
    expect(server.last.calls.map(({ type }) => type)).toEqual([ADD_WATCH]);
    server.last.send(event(CHANGED, '/a'));
    await turn();
    expect(told).toEqual(['changed /a']);
  });

  it.each(['signal', 'timeout'])('is given up by its %s while it waits, and leaves nothing behind', async (how) => {
    const { net, server, zk } = await watching();
    server.script = { onRequest: ({ type }) => (type === ADD_WATCH ? 'mute' : undefined) };
    const giveUp = new AbortController();
    const { timers } = net.clock;
    const opening = outcome(zk.watch('/a', how === 'signal' ? { signal: giveUp.signal } : { timeout: 100 }));
    await turn();
    if (how === 'signal') giveUp.abort('enough');
    await net.clock.advance(100);
    if (how === 'signal') expect(await opening).toBe('enough');
    else expect(await opening).toMatchObject({ code: 'TIMEOUT', operation: 'watch', path: '/a' });
    expect(zk.health().watches).toBe(0);
    expect(net.clock.timers).toBe(timers);
    // It was set after all, and is taken back.
    server.script = {};
    const request = server.last.of(ADD_WATCH)[0];
    server.last.send(reply(request?.xid ?? 0, 9n, 0));
    await turn();
    expect(server.last.of(REMOVE_WATCHES)).toHaveLength(1);
  });

  it('rejects at once under a signal that has aborted', async () => {
    const { server, zk } = await watching();
    expect(await outcome(zk.watch('/a', { signal: AbortSignal.abort('before') }))).toBe('before');
    expect(server.last.calls).toEqual([]);
  });

  it('rejects, unsent, when it is given up before there is a connection', async () => {
    const { net, server, zk } = await watching();
    const giveUp = new AbortController();
    let opening: Promise<unknown> | null = null;
    zk.once('suspended', () => {
      opening = outcome(zk.watch('/a', { signal: giveUp.signal }));
    });
    net.servers.clear();
    server.last.destroy();
    await turn();
    giveUp.abort('enough');
    expect(await opening).toBe('enough');
    net.servers.set('a:2181', server);
    expect(await net.clock.advanceUntil(() => zk.state === 'connected', 6_000)).toBe(true);
    await turn();
    expect(server.last.calls).toEqual([]);
  });

  it('rejects with ClosedError when the client is closed while it waits', async () => {
    const { server, zk } = await watching();
    server.script = { onRequest: ({ type }) => (type === ADD_WATCH ? 'mute' : undefined) };
    const opening = outcome(zk.watch('/a'));
    await turn();
    await zk.close();
    expect(await opening).toMatchObject({ code: 'CLOSED', operation: 'watch', path: '/a' });
  });

  it('rejects with BusyError where calls would', async () => {
    const net = new Simulation();
    const server = net.serve('a', {}, { timeout: 6_000 });
    const { zk } = await connectedClient(net, 'a', { maxInFlight: 1, maxQueued: 1 });
    server.script = { onRequest: () => 'mute' };
    const reads = [outcome(zk.get('/1')), outcome(zk.get('/2'))];
    await expect(zk.watch('/a')).rejects.toMatchObject({ code: 'BUSY', operation: 'watch' });
    await zk.close({ timeout: 0 });
    await Promise.all(reads);
  });

  it('is taken in the order of the calls', async () => {
    const net = new Simulation();
    const server = net.serve('a', {}, { timeout: 6_000 });
    const { zk } = await connectedClient(net, 'a', { maxInFlight: 1 });
    await Promise.all([zk.create('/1'), zk.watch('/1'), zk.set('/1', ''), zk.watch('/2'), zk.get('/2')]);
    expect(server.last.calls.map(({ type }) => type)).toEqual([15, ADD_WATCH, 5, ADD_WATCH, GET]);
  });
});

describe('a watch', () => {
  it('is ended by its signal', async () => {
    const { server, zk } = await watching();
    const stop = new AbortController();
    const watch = await zk.watch('/a', { signal: stop.signal });
    const read = readAll(watch);
    const closed: unknown[] = [];
    watch.on('close', (...args) => closed.push(args));
    server.last.send(event(CHANGED, '/a'));
    await turn();
    stop.abort();
    expect(await read).toEqual([{ type: 'changed', path: '/a' }]);
    expect(closed).toEqual([[]]);
    await turn();
    expect(server.last.of(REMOVE_WATCHES)).toHaveLength(1);
    server.last.send(event(CHANGED, '/a'));
    await turn();
    expect(closed).toEqual([[]]);
  });

  it.each([
    ['a session that is lost for good', -112, { renewSession: false }, 'SESSION_EXPIRED'],
    ['credentials that are refused', -115, {}, 'AUTH_FAILED'],
  ] as const)('ends with %s, and so does one that waits', async (_name, errno, options, code) => {
    const net = new Simulation();
    const server = net.serve('a', {}, { timeout: 6_000 });
    const { zk } = await connectedClient(net, 'a', options);
    const watch = await zk.watch('/a');
    const read = readAll(watch);
    const reasons: unknown[] = [];
    watch.on('close', (reason) => reasons.push(reason));
    server.script = {
      onRequest: (request) =>
        request.type === GET ? server.error(request, errno) : request.type === ADD_WATCH ? 'mute' : undefined,
    };
    const waiting = outcome(zk.watch('/b'));
    await outcome(zk.get('/x'));
    expect(await read).toEqual([]);
    expect(reasons).toMatchObject([{ code }]);
    expect(await waiting).toMatchObject({ code, operation: 'watch', path: '/b' });
    await expect(zk.watch('/c')).rejects.toMatchObject({ code, operation: 'watch', path: '/c' });
    expect(watch.closed).toBe(true);
    await watch.close();
    expect(zk.health().watches).toBe(0);
  });

  it('gives what came before its reader did', async () => {
    const { server, zk } = await watching();
    const watch = await zk.watch('/a');
    server.last.send(event(CREATED, '/a', 7n), event(CHANGED, '/a', 8n));
    await turn();
    const read: PersistentWatchEvent[] = [];
    for await (const each of watch) {
      read.push(each);
      if (read.length === 2) break;
    }
    expect(read).toEqual([
      { type: 'created', path: '/a', zxid: 7n },
      { type: 'changed', path: '/a', zxid: 8n },
    ]);
    // Leaving the loop ends the reading, not the watch.
    server.last.send(event(CHANGED, '/a', 9n));
    await turn();
    expect(watch.closed).toBe(false);
    void watch.close();
    expect(await readAll(watch)).toEqual([{ type: 'changed', path: '/a', zxid: 9n }]);
  });

  it('keeps nothing for a reader that never comes, while there are listeners', async () => {
    const { server, zk } = await watching();
    const watch = await zk.watch('/a');
    const told = record(watch);
    for (let i = 0; i < 5; i += 1) server.last.send(event(CHANGED, '/a'));
    await turn();
    expect(told).toHaveLength(5);
    const reader = watch[Symbol.asyncIterator]();
    // It comes late, and is told so.
    expect(await reader.next()).toEqual({ done: false, value: { type: 'resync', path: '/a' } });
    server.last.send(event(CHANGED, '/a'));
    expect(await reader.next()).toEqual({ done: false, value: { type: 'changed', path: '/a' } });
    expect(told).toHaveLength(6);
  });

  it('may be listened to and read at once, and by many listeners without a warning', async () => {
    const { server, zk } = await watching();
    const warnings: string[] = [];
    const onWarning = ({ name }: Error): number => warnings.push(name);
    process.on('warning', onWarning);
    const watch = await zk.watch('/a');
    const read = readAll(watch);
    const told = Array.from({ length: 100 }, () => record(watch));
    let once = 0;
    watch.once('event', () => {
      once += 1;
    });
    const removed = (): void => {
      throw new Error('was taken back');
    };
    watch.on('event', removed).off('event', removed);
    server.last.send(event(CHANGED, '/a'), event(CHANGED, '/a'));
    await turn();
    await watch.close();
    expect(told.map(({ length }) => length)).toEqual(Array.from({ length: 100 }, () => 2));
    expect([once, (await read).length]).toEqual([1, 2]);
    await turn();
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  it('whose listener throws, or rejects, goes on for everybody, and it is reported', async () => {
    const { server, zk } = await watching();
    const errors: unknown[] = [];
    zk.on('error', (error) => errors.push(error));
    const watch = await zk.watch('/a');
    const [thrown, rejected] = [new Error('thrown'), new Error('rejected')];
    watch.on('event', () => {
      throw thrown;
    });
    watch.on('event', (() => Promise.reject(rejected)) as never);
    watch.on('close', () => {
      throw thrown;
    });
    const told = record(watch);
    const read = readAll(watch);
    const log: string[] = [];
    await zk.get('/a', { watch: ({ type }) => log.push(type) });
    server.last.send(event(CHANGED, '/a'));
    await turn();
    expect([told, log, errors]).toEqual([['changed /a'], ['changed'], [thrown, rejected]]);
    await watch.close();
    expect(await read).toHaveLength(1);
    expect(errors).toEqual([thrown, rejected, thrown]);
    expect(zk.state).toBe('connected');
  });

  it('that a listener closes, or opens, does no harm to the others', async () => {
    const { server, zk } = await watching();
    const [one, two] = [await zk.watch('/a'), await zk.watch('/a')];
    const told = [record(one), record(two)];
    let three: Promise<unknown> | null = null;
    one.once('event', () => {
      void two.close();
      three = zk.watch('/a').then((watch) => record(watch));
    });
    server.last.send(event(CHANGED, '/a'));
    await turn();
    expect(told).toEqual([['changed /a'], []]);
    server.last.send(event(CHANGED, '/a'));
    await turn();
    expect([told, await three]).toEqual([[['changed /a', 'changed /a'], []], ['changed /a']]);
  });

  it('of a view tells its paths in the view’s terms; the configuration’s path stays whole', async () => {
    const { server, zk } = await watching('/zoo');
    const inside = zk.namespace('/app');
    const told = [
      record(await zk.watch('/', { recursive: true })),
      record(await inside.watch('/', { recursive: true })),
      record(await inside.watch('/a')),
    ];
    server.last.send(
      event(CHANGED, '/zoo'),
      event(CREATED, '/zoo/app'),
      event(CREATED, '/zoo/app/a'),
      event(CREATED, '/zoo/appendix'),
      event(CREATED, '/zookeeper/config'),
    );
    await turn();
    expect(told).toEqual([
      ['changed /', 'created /app', 'created /app/a', 'created /appendix'],
      ['created /', 'created /a'],
      ['created /a'],
    ]);
    expect(zk.state).toBe('connected');
    const config: string[] = [];
    await zk.getConfig({ watch: ({ type, path }) => config.push(`${type} ${path}`) });
    server.last.send(event(CHANGED, '/zookeeper/config'));
    await turn();
    expect(config).toEqual(['changed /zookeeper/config']);
  });

  it('without a chroot may be on the root, and on the configuration', async () => {
    const { server, zk } = await watching();
    const told = [record(await zk.watch('/', { recursive: true })), record(await zk.watch('/zookeeper/config'))];
    server.last.send(event(CHANGED, '/zookeeper/config'), event(CREATED, '/a/b'), event(CHANGED, '/'));
    await turn();
    expect(told).toEqual([['changed /zookeeper/config', 'created /a/b', 'changed /'], ['changed /zookeeper/config']]);
  });
});

describe('the order of events', () => {
  /** What a client that watches and reads goes through, whatever the pieces in which the bytes come. */
  async function scene(pieces: (all: Buffer) => Buffer[]): Promise<string[]> {
    const { server, zk } = await watching();
    const log: string[] = [];
    server.script = { onRequest: ({ type }) => (type === ADD_WATCH || type === GET ? 'mute' : undefined) };
    const opening = (async () => {
      const watch = await zk.watch('/a');
      log.push('watch is set');
      watch.on('event', ({ type }) => log.push(`listener ${type}`));
      void (async () => {
        for await (const { type } of watch) log.push(`reader ${type}`);
      })();
    })();
    const reads = ['old', 'new'].map(async () => {
      const { data } = await zk.get('/a', { watch: ({ type }) => log.push(`one-shot ${type}`) });
      log.push(`read ${data}`);
    });
    await turn();
    const [add, first, second] = server.last.requests.filter(({ type }) => type === ADD_WATCH || type === GET);
    const data = (xid: number, text: string): Buffer => reply(xid, 9n, 0, bytes(text), stat());
    const all = Buffer.concat([
      reply(add?.xid ?? 0, 9n, 0),
      event(CREATED, '/a'),
      data(first?.xid ?? 0, 'old'),
      event(CHANGED, '/a'),
      data(second?.xid ?? 0, 'new'),
    ]);
    for (const piece of pieces(all)) {
      server.last.send(piece);
      await turn();
    }
    await Promise.all([opening, ...reads]);
    await zk.close({ timeout: 0 });
    return log;
  }

  const expected = [
    'watch is set',
    'listener created',
    'reader created',
    'read old',
    'one-shot changed',
    'listener changed',
    'reader changed',
    'read new',
    'one-shot closed',
  ];

  it('is that of the wire when all comes in one piece', async () => {
    expect(await scene((all) => [all])).toEqual(expected);
  });

  it('is the same wherever the bytes are split', async () => {
    let length = 0;
    await scene((all) => {
      length = all.length;
      return [all];
    });
    expect(length).toBeGreaterThan(100);
    for (let at = 1; at < length; at += 1) {
      expect([at, await scene((all) => [all.subarray(0, at), all.subarray(at)])]).toEqual([at, expected]);
    }
  });

  it('is the same byte by byte', async () => {
    expect(await scene((all) => Array.from(all, (byte) => Buffer.from([byte])))).toEqual(expected);
  });
});
