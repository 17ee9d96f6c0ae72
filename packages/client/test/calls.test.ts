import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ZooKeeper } from '../src/index.ts';
import { bytes, Cursor, event, int, long, reply, stat } from './support/bytes.ts';
import { client, closeClients, connectedClient } from './support/clients.ts';
import { turn } from './support/manual-clock.ts';
import type { ScriptedServer } from './support/scripted-server.ts';
import { Simulation } from './support/simulation.ts';
import { outcome } from './support/until.ts';

afterEach(async () => {
  jest.restoreAllMocks();
  await closeClients();
});

const T = 6_000;

function network(granted = {}): { net: Simulation; server: ScriptedServer } {
  const net = new Simulation();
  return { net, server: net.serve('a', {}, { timeout: T, ...granted }) };
}

/** Answers nothing but pings. */
const mute = { onRequest: ({ type }: { type: number }) => (type === 11 ? undefined : ('mute' as const)) };

describe('the bytes of a call', () => {
  it.each<[string, (zk: ZooKeeper) => Promise<unknown>, number, Buffer]>([
    ['get', (zk) => zk.get('/é'), 4, Buffer.concat([bytes('/r/é'), Buffer.from([0])])],
    [
      'get with a watch',
      (zk) => zk.get('/a', { watch: () => {} }),
      4,
      Buffer.concat([bytes('/r/a'), Buffer.from([1])]),
    ],
    ['exists', (zk) => zk.exists('/'), 3, Buffer.concat([bytes('/r'), Buffer.from([0])])],
    ['children', (zk) => zk.children('/a'), 12, Buffer.concat([bytes('/r/a'), Buffer.from([0])])],
    ['set', (zk) => zk.set('/a', 'x'), 5, Buffer.concat([bytes('/r/a'), bytes('x'), int(-1)])],
    ['set nothing', (zk) => zk.set('/a', null), 5, Buffer.concat([bytes('/r/a'), int(-1), int(-1)])],
    ['set emptiness', (zk) => zk.set('/a', ''), 5, Buffer.concat([bytes('/r/a'), int(0), int(-1)])],
    [
      'set at a version',
      (zk) => zk.set('/a', new Uint8Array([0, 255]), { version: 2 ** 31 - 1 }),
      5,
      Buffer.concat([bytes('/r/a'), bytes(Buffer.from([0, 255])), int(2 ** 31 - 1)]),
    ],
    [
      'set at version 0',
      (zk) => zk.set('/a', 'x', { version: 0 }),
      5,
      Buffer.concat([bytes('/r/a'), bytes('x'), int(0)]),
    ],
    ['delete', (zk) => zk.delete('/a'), 2, Buffer.concat([bytes('/r/a'), int(-1)])],
    ['delete at version 0', (zk) => zk.delete('/a', { version: 0 }), 2, Buffer.concat([bytes('/r/a'), int(0)])],
    ['sync', (zk) => zk.sync('/a'), 9, bytes('/r/a')],
    [
      'create',
      (zk) => zk.create('/a', 'x'),
      15,
      Buffer.concat([bytes('/r/a'), bytes('x'), int(1), int(31), bytes('world'), bytes('anyone'), int(0)]),
    ],
    [
      'create of an ephemeral sequential one with an ACL of its own',
      (zk) =>
        zk.create('/q/', undefined, { mode: 'ephemeral-sequential', acl: { perms: 5, scheme: 'digest', id: 'u:h' } }),
      15,
      Buffer.concat([bytes('/r/q/'), int(-1), int(1), int(5), bytes('digest'), bytes('u:h'), int(3)]),
    ],
    [
      'create of a container',
      (zk) => zk.create('/a', null, { mode: 'container' }),
      19,
      Buffer.concat([bytes('/r/a'), int(-1), int(1), int(31), bytes('world'), bytes('anyone'), int(4)]),
    ],
    [
      'create with a ttl',
      (zk) => zk.create('/a', null, { mode: 'persistent-sequential-ttl', ttl: 2 ** 40 - 1 }),
      21,
      Buffer.concat([
        bytes('/r/a'),
        int(-1),
        int(1),
        int(31),
        bytes('world'),
        bytes('anyone'),
        int(6),
        long(2n ** 40n - 1n),
      ]),
    ],
  ])('%s', async (_name, call, type, body) => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a/r');
    await call(zk);
    const [sent] = server.last.calls;
    expect(sent?.type).toBe(type);
    expect(sent?.xid).toBe(1);
    expect(sent?.body).toEqual(body);
  });

  it('have xids that begin anew on each connection, at firstXid', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a', { environment: { ...net.environment, firstXid: 2 ** 31 - 2 } });
    const results = await Promise.all(Array.from({ length: 5 }, (_, i) => zk.get(`/${i}`)));
    expect(server.last.calls.map(({ xid }) => xid)).toEqual([2147483646, 2147483647, 1, 2, 3]);
    expect(results.map(({ data }) => String(data))).toEqual([0, 1, 2, 3, 4].map((i) => `data of /${i}`));
    server.last.destroy();
    await net.clock.advanceUntil(() => server.handshakes.length === 2 && zk.state === 'connected', T);
    await zk.get('/5');
    expect(server.last.calls.map(({ xid }) => xid)).toEqual([2147483646]);
  });

  it('come back without the chroot', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a/zoo');
    server.script = {
      onRequest: ({ type, xid }) => (type === 15 ? reply(xid, 5n, 0, bytes('/zoo/q/n0000000001'), stat()) : undefined),
    };
    const created = await zk.create('/q/n', '', { mode: 'persistent-sequential' });
    expect(created.path).toBe('/q/n0000000001');
  });

  it('that are null stay null, and emptiness stays empty', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    server.script = {
      onRequest: ({ path, xid, type }) =>
        type === 4 ? reply(xid, 5n, 0, path === '/null' ? int(-1) : int(0), stat()) : undefined,
    };
    expect((await zk.get('/null')).data).toBeNull();
    expect((await zk.get('/empty')).data).toEqual(Buffer.alloc(0));
  });
});

describe('a call that is made while there is no connection', () => {
  it('waits for one', async () => {
    const net = new Simulation();
    const { zk } = client(net, 'a', { connectTimeout: 0 });
    const calls = [zk.get('/1'), zk.set('/2', ''), zk.exists('/3')];
    await net.clock.advance(20_000);
    const server = net.serve('a');
    expect(await net.clock.advanceUntil(() => zk.state === 'connected', 10_000)).toBe(true);
    await Promise.all(calls);
    expect(server.last.calls.map(({ path }) => path)).toEqual(['/1', '/2', '/3']);
  });

  it('waits even for connect() to be called', async () => {
    const { net, server } = network();
    const zk = new ZooKeeper('a', { environment: net.environment });
    const call = zk.get('/1');
    await net.clock.advance(1_000);
    expect(server.peers).toEqual([]);
    await zk.connect();
    expect(await call).toMatchObject({ data: Buffer.from('data of /1') });
    await zk.close();
  });

  it('rejects when its time is up, and was not applied', async () => {
    const net = new Simulation();
    const { zk } = client(net, 'a', { connectTimeout: 0 });
    const log: string[] = [];
    const [write, read] = [outcome(zk.set('/1', '', { timeout: 500 })), outcome(zk.get('/2', { timeout: 600 }))];
    for (const [name, call] of Object.entries({ write, read })) void call.then(() => log.push(name));
    await net.clock.advance(499);
    expect(log).toEqual([]);
    await net.clock.advance(1);
    expect(log).toEqual(['write']);
    expect(await write).toMatchObject({
      code: 'TIMEOUT',
      maybeApplied: false,
      path: '/1',
      operation: 'set',
      message: expect.stringContaining('500 ms'),
    });
    await net.clock.advance(100);
    const error = await read;
    expect(error).toMatchObject({ code: 'TIMEOUT', path: '/2', operation: 'get' });
    expect('maybeApplied' in (error as object)).toBe(false);
    const server = net.serve('a');
    await net.clock.advanceUntil(() => zk.state === 'connected', 10_000);
    expect(server.last.calls).toEqual([]);
  });

  it('rejects at the abort of its signal with the reason, whatever that is', async () => {
    const net = new Simulation();
    const { zk } = client(net, 'a', { connectTimeout: 0 });
    const giveUp = new AbortController();
    const calls = [
      zk.get('/1', { signal: giveUp.signal }),
      zk.set('/2', '', { signal: giveUp.signal }),
      zk.create('/3', '', { signal: giveUp.signal }),
      zk.sync('/', { signal: giveUp.signal }),
    ];
    const outcomes = Promise.all(calls.map(outcome));
    await turn();
    const reason = { my: 'reason' };
    giveUp.abort(reason);
    for (const each of await outcomes) expect(each).toBe(reason);
    expect(await outcome(zk.get('/1', { signal: giveUp.signal }))).toBe(reason);
    expect(await outcome(zk.create('/1', '', { signal: giveUp.signal }))).toBe(reason);
    const server = net.serve('a');
    await net.clock.advanceUntil(() => zk.state === 'connected', 10_000);
    expect(server.last.calls).toEqual([]);
  });

  it('keeps its place when others before it are given up', async () => {
    const net = new Simulation();
    const { zk } = client(net, 'a', { connectTimeout: 0 });
    const giveUp = new AbortController();
    const kept = [0, 1, 2, 3, 4, 5].map((i) => outcome(zk.get(`/${i}`, i % 2 === 0 ? {} : { signal: giveUp.signal })));
    giveUp.abort('no');
    const server = net.serve('a');
    await net.clock.advanceUntil(() => zk.state === 'connected', 10_000);
    await Promise.all(kept);
    expect(server.last.of(4).map(({ path }) => path)).toEqual(['/0', '/2', '/4']);
  });

  it('is refused with BUSY when maxQueued others wait already', async () => {
    const net = new Simulation();
    const { zk } = client(net, 'a', { connectTimeout: 0, maxQueued: 3 });
    const giveUp = new AbortController();
    const waiting = [zk.get('/1'), zk.get('/2', { signal: giveUp.signal }), zk.set('/3', '')].map(outcome);
    const [read, write] = [await outcome(zk.get('/4')), await outcome(zk.set('/4', ''))];
    expect(read).toMatchObject({ code: 'BUSY', path: '/4', operation: 'get', name: 'BusyError' });
    expect(write).toMatchObject({ code: 'BUSY', maybeApplied: false });
    giveUp.abort('room');
    const last = outcome(zk.get('/5'));
    expect(await outcome(zk.get('/6'))).toMatchObject({ code: 'BUSY' });
    const server = net.serve('a');
    await net.clock.advanceUntil(() => zk.state === 'connected', 10_000);
    await Promise.all([...waiting, last]);
    expect(server.last.calls.map(({ path }) => path)).toEqual(['/1', '/3', '/5']);
  });

  it('is refused at once where nothing may wait', async () => {
    const { net, server } = network();
    const { zk } = client(net, 'a', { maxQueued: 0 });
    expect(await outcome(zk.get('/1'))).toMatchObject({ code: 'BUSY' });
    await net.clock.advanceUntil(() => zk.state === 'connected', T);
    expect(await zk.get('/2')).toMatchObject({ data: Buffer.from('data of /2') });
    expect(server.last.calls.map(({ path }) => path)).toEqual(['/2']);
  });
});

describe('calls in flight', () => {
  it('are at most maxInFlight, and the rest go out in order as replies come', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a', { maxInFlight: 3 });
    server.script = mute;
    const calls = Array.from({ length: 10 }, (_, i) => zk.get(`/${i}`));
    await turn();
    const sent = (): (string | null)[] => server.last.of(4).map(({ path }) => path);
    expect(sent()).toEqual(['/0', '/1', '/2']);
    for (let i = 0; i < 10; i += 1) {
      server.last.send(server.answer(server.last.of(4)[i] as never));
      await turn();
      expect(sent()).toHaveLength(Math.min(10, i + 4));
    }
    expect(sent()).toEqual(Array.from({ length: 10 }, (_, i) => `/${i}`));
    await Promise.all(calls);
  });

  it('that were given up keep their slot until the reply has come, and then drop it', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a', { maxInFlight: 1 });
    server.script = mute;
    const giveUp = new AbortController();
    const aborted = outcome(zk.set('/1', '', { signal: giveUp.signal }));
    const next = zk.get('/2');
    await turn();
    giveUp.abort('enough');
    expect(await aborted).toBe('enough');
    await turn();
    expect(server.last.calls.map(({ path }) => path)).toEqual(['/1']);
    server.last.send(server.answer(server.last.of(5)[0] as never));
    await turn();
    expect(server.last.calls.map(({ path }) => path)).toEqual(['/1', '/2']);
    server.last.send(server.answer(server.last.of(4)[0] as never));
    expect(await next).toMatchObject({ data: Buffer.from('data of /2') });
  });

  it('time out one by one: a write then may have been applied, and the connection stays', async () => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a');
    server.script = mute;
    const write = outcome(zk.set('/1', '', { timeout: 300 }));
    const read = outcome(zk.get('/2', { timeout: 200 }));
    const kept = outcome(zk.get('/3'));
    await net.clock.advance(300);
    expect(await write).toMatchObject({ code: 'TIMEOUT', maybeApplied: true, path: '/1', operation: 'set' });
    expect(await read).toMatchObject({ code: 'TIMEOUT', path: '/2' });
    for (const request of server.last.calls) server.last.send(server.answer(request));
    expect(await kept).toMatchObject({ data: Buffer.from('data of /3') });
    expect(states).toEqual([]);
  });

  it('come in the order of their replies, a thousand of them', async () => {
    const { net } = network();
    const { zk } = await connectedClient(net, 'a');
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 3_000 }, (_, i) =>
        (i % 3 === 0 ? zk.set(`/${i}`, '') : zk.get(`/${i}`)).then(() => order.push(i)),
      ),
    );
    expect(order).toEqual(Array.from({ length: 3_000 }, (_, i) => i));
  });

  it('under one signal bring no warning, a thousand of them, with as many watches', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    const { signal } = new AbortController();
    const listeners = Array.from({ length: 1_000 }, () => () => {});
    await Promise.all(
      listeners.map((watch, i) => zk.get(`/${i}`, { signal, watch, watchSignal: signal, timeout: 5_000 })),
    );
    server.script = mute;
    const giveUp = new AbortController();
    const aborted = listeners.map((watch) =>
      outcome(zk.get('/x', { signal: giveUp.signal, watch, watchSignal: giveUp.signal })),
    );
    await turn();
    // More than ten listeners on one signal are what Node warns of.
    expect(getEventListeners(giveUp.signal, 'abort')).toHaveLength(1);
    expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1);
    giveUp.abort('all');
    expect(new Set(await Promise.all(aborted))).toEqual(new Set(['all']));
    const session = zk.session?.signal as AbortSignal;
    // A warning would be seen by the check that follows each test file.
    for (let i = 0; i < 1_000; i += 1) session.addEventListener('abort', () => {});
    await turn();
    // All timers of the calls are gone: what is left are those of the connection and the lease.
    expect(net.clock.timers).toBe(2);
  });
});

describe('a watch', () => {
  async function watching() {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a/zoo');
    const log: string[] = [];
    const listener = (name: string) => (told: { type: string; path: string; zxid?: bigint }) => {
      log.push(`${name} ${told.type} ${told.path} ${told.zxid ?? '-'}`);
    };
    return { net, server, zk, log, listener };
  }

  it.each([
    [1, ['exists created /a 7']],
    [2, ['exists deleted /a 7', 'get deleted /a 7', 'children deleted /a 7']],
    [3, ['exists changed /a 7', 'get changed /a 7']],
    [4, ['children children /a 7']],
  ])('of each kind hears what concerns it: event type %i', async (type, expected) => {
    const { server, zk, log, listener } = await watching();
    await zk.exists('/a', { watch: listener('exists') });
    if (type !== 1) await zk.get('/a', { watch: listener('get') });
    await zk.children('/a', { watch: listener('children') });
    server.last.send(event(type, '/zoo/a', 7n));
    await turn();
    expect(log.sort()).toEqual([...expected].sort());
    server.last.send(event(type, '/zoo/a', 8n));
    await turn();
    expect(log).toHaveLength(expected.length);
  });

  it('hears nothing of other paths, or of an event type that does not exist', async () => {
    const { server, zk, log, listener } = await watching();
    await zk.get('/a', { watch: listener('get') });
    for (const [type, path] of [
      [3, '/zoo/b'],
      [3, '/a'],
      [3, '/zoo'],
      [99, '/zoo/a'],
      [-1, '/zoo/a'],
      [0, '/zoo/a'],
    ] as const)
      server.last.send(event(type, path));
    await turn();
    expect(log).toEqual([]);
    expect(zk.state).toBe('connected');
  });

  it('is told no zxid by servers that send none', async () => {
    const { server, zk } = await watching();
    const told: unknown[] = [];
    await zk.get('/a', { watch: (heard) => told.push(heard) });
    server.last.send(event(3, '/zoo/a'));
    await turn();
    expect(told).toEqual([{ type: 'changed', path: '/a' }]);
  });

  it('on a missing znode is set by exists alone', async () => {
    const { net, server, zk, log, listener } = await watching();
    server.script = {
      onRequest: (request) => (request.type === 11 || request.type > 100 ? undefined : server.error(request, -101)),
    };
    expect(await zk.exists('/a', { watch: listener('exists') })).toBeNull();
    await expect(zk.get('/b', { watch: listener('get') })).rejects.toMatchObject({ code: 'NO_NODE' });
    await expect(zk.children('/c', { watch: listener('children') })).rejects.toMatchObject({ code: 'NO_NODE' });
    server.last.destroy();
    await net.clock.advanceUntil(() => server.last.of(101).length > 0, T);
    const cursor = new Cursor(server.last.of(101)[0]?.body as Buffer);
    cursor.long();
    expect([cursor.texts(), cursor.texts(), cursor.texts()]).toEqual([[], ['/zoo/a'], []]);
    server.last.send(event(1, '/zoo/a'), event(1, '/zoo/b'), event(4, '/zoo/c'));
    await turn();
    expect(log).toEqual(['exists created /a -']);
  });

  it('of one function on one path and kind is one watch', async () => {
    const { server, zk, log, listener } = await watching();
    const watch = listener('one');
    await Promise.all([zk.get('/a', { watch }), zk.get('/a', { watch }), zk.exists('/a', { watch })]);
    server.last.send(event(3, '/zoo/a'));
    await turn();
    expect(log).toEqual(['one changed /a -']);
  });

  it('is heard before the continuation of a later read, and after that of the read that set it', async () => {
    const { server, zk, log, listener } = await watching();
    server.script = {
      onRequest: ({ path, xid }) => {
        const answer = reply(xid, 9n, 0, bytes('x'), stat());
        if (path === '/zoo/a') return Buffer.concat([answer, event(3, '/zoo/a')]);
        return path === '/zoo/b' ? Buffer.concat([event(3, '/zoo/c'), answer]) : undefined;
      },
    };
    await zk.get('/c', { watch: listener('c') });
    log.length = 0;
    const first = (async () => {
      await zk.get('/a', { watch: listener('a') });
      log.push('read a');
      await null;
      log.push('read a, still');
    })();
    await first;
    await turn();
    await zk.get('/b').then(() => log.push('read b'));
    expect(log).toEqual(['read a', 'read a, still', 'a changed /a -', 'c changed /c -', 'read b']);
  });

  it('is taken back by its signal, also before it is set', async () => {
    const { server, zk, log, listener } = await watching();
    const [late, early] = [new AbortController(), new AbortController()];
    await zk.get('/a', { watch: listener('a'), watchSignal: late.signal });
    const reading = zk.get('/b', { watch: listener('b'), watchSignal: early.signal });
    early.abort();
    expect(await reading).toMatchObject({ data: Buffer.from('data of /zoo/b') });
    late.abort();
    await turn();
    server.last.send(event(3, '/zoo/a'), event(3, '/zoo/b'));
    await turn();
    expect(log).toEqual([]);
    // The server's watches are taken back, too: 2 is that of data.
    const removed = server.last.of(18).map(({ body }) => {
      const cursor = new Cursor(body);
      return [cursor.text(), cursor.int()];
    });
    expect(removed).toEqual([
      ['/zoo/b', 2],
      ['/zoo/a', 2],
    ]);
  });

  it('that is taken back leaves the others of its path alone', async () => {
    const { server, zk, log, listener } = await watching();
    const back = new AbortController();
    await zk.get('/a', { watch: listener('back'), watchSignal: back.signal });
    await zk.get('/a', { watch: listener('kept') });
    back.abort();
    await turn();
    expect(server.last.of(18)).toEqual([]);
    server.last.send(event(3, '/zoo/a'));
    await turn();
    expect(log).toEqual(['kept changed /a -']);
  });

  it('that the server no longer has (-121), or knows no way to take back (-6), is no error', async () => {
    const { net, server, zk } = await watching();
    const errors: unknown[] = [];
    zk.on('error', (error) => errors.push(error));
    for (const errno of [-121, -6, -8]) {
      server.script = { onRequest: (request) => (request.type === 18 ? server.error(request, errno) : undefined) };
      const back = new AbortController();
      await zk.get('/a', { watch: () => {}, watchSignal: back.signal });
      back.abort();
      await net.clock.advance(10);
      expect(zk.state).toBe('connected');
    }
    expect(errors).toEqual([]);
  });

  it('is refused when it is no function', async () => {
    const { zk } = await watching();
    for (const watch of [true, {}, 'x', null]) {
      await expect(zk.get('/a', { watch } as never)).rejects.toMatchObject({ code: 'BAD_ARGUMENTS', path: '/a' });
    }
  });
});

describe('a listener that throws', () => {
  const failure = new Error('from a listener');
  const broken = (): never => {
    throw failure;
  };

  it('of states stops nobody: the others hear, the client connects, and the error event tells', async () => {
    const { net } = network();
    const zk = new ZooKeeper('a', { environment: net.environment });
    const [errors, log]: [unknown[], string[]] = [[], []];
    zk.on('error', (error) => errors.push(error));
    zk.on('state', broken);
    zk.on('connected', broken);
    zk.on('connected', (async () => broken()) as never);
    zk.on('connected', () => log.push('connected'));
    zk.on('closed', broken);
    await zk.connect();
    expect(await zk.get('/a')).toMatchObject({ data: Buffer.from('data of /a') });
    await zk.close();
    expect(log).toEqual(['connected']);
    expect(errors).toEqual(Array.from({ length: 5 }, () => failure));
  });

  it('of a watch stops nobody: the other watches hear, the calls go on', async () => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a');
    const errors: unknown[] = [];
    const log: string[] = [];
    zk.on('error', (error) => errors.push(error));
    await zk.get('/a', { watch: broken });
    await zk.get('/a', { watch: ({ type }) => log.push(type) });
    await zk.get('/b', { watch: (async () => broken()) as never });
    const call = zk.get('/c');
    server.last.send(event(3, '/a'), event(3, '/b'));
    await call;
    await turn();
    expect(log).toEqual(['changed']);
    expect(errors).toEqual([failure, failure]);
    expect(states).toEqual([]);
    expect(server.open).toBe(1);
  });

  it('of errors itself, or where nobody listens for errors, brings a warning of the process', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    const warned: unknown[] = [];
    jest.spyOn(process, 'emitWarning').mockImplementation((warning: unknown) => {
      if (typeof warning !== 'string') throw new TypeError('The "warning" argument must be of type string');
      warned.push(warning);
    });
    await zk.get('/a', { watch: broken });
    server.last.send(event(3, '/a'));
    await turn();
    expect(warned).toEqual([expect.stringContaining('from a listener')]);
    zk.on('error', () => {
      throw new Error('from the error listener');
    });
    await zk.get('/a', { watch: broken });
    server.last.send(event(3, '/a'));
    await turn();
    expect(warned.slice(1)).toEqual([expect.stringContaining('from the error listener')]);
    expect(await zk.exists('/b')).not.toBeNull();
    expect(server.handshakes).toHaveLength(1);
  });

  it('of a session signal stops nobody', async () => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a');
    // Node gives what an event listener throws to the process; a test can only look at what goes on.
    const log: string[] = [];
    zk.session?.signal.addEventListener('abort', () => log.push('signal'));
    server.script = { onRequest: (request) => (request.type === 5 ? server.error(request, -112) : undefined) };
    await outcome(zk.set('/a', ''));
    expect(log).toEqual(['signal']);
    await net.clock.advanceUntil(() => zk.state === 'connected', T);
    expect(states).toEqual(['lost', 'connecting', 'connected']);
  });
});
