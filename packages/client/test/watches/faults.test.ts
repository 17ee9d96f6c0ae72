import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Watch } from '../../src/index.ts';
import { Cursor, event, int, reply, stat } from '../support/bytes.ts';
import { closeClients, connectedClient } from '../support/clients.ts';
import { turn } from '../support/manual-clock.ts';
import type { ClientRequest, Peer, Reaction, ScriptedServer } from '../support/scripted-server.ts';
import { Simulation } from '../support/simulation.ts';
import { outcome } from '../support/until.ts';
import { record } from './record.ts';

jest.setTimeout(60_000);

afterEach(closeClients);

const T = 60_000;
const [EXISTS, CHILDREN, REMOVE_WATCHES, SET_WATCHES, SET_WATCHES_2, ADD_WATCH] = [3, 12, 18, 101, 105, 106];

function network(): { net: Simulation; server: ScriptedServer } {
  const net = new Simulation();
  return { net, server: net.serve('a', {}, { timeout: T }) };
}

interface SetWatches {
  zxid: bigint;
  lists: string[][];
}

function listsOf({ body, type }: ClientRequest): SetWatches {
  const cursor = new Cursor(body);
  const zxid = cursor.long();
  const lists = Array.from({ length: type === SET_WATCHES_2 ? 5 : 3 }, () => cursor.texts());
  expect(cursor.left).toBe(0);
  return { zxid, lists };
}

/** What a server says that doesn't know a request, before it hangs up. */
function unknown({ xid }: ClientRequest): Buffer {
  return reply(xid, -1n, -6);
}

/** All requests of some types that a server has had, on any connection. */
function all(server: ScriptedServer, ...types: number[]): ClientRequest[] {
  return server.peers.flatMap((peer) => peer.of(...types));
}

/** Lets time pass until the client has come back from a broken connection, and all is quiet. */
async function passes(net: Simulation, condition: () => boolean, ms = 30_000): Promise<void> {
  expect(await net.clock.advanceUntil(condition, ms)).toBe(true);
  for (let i = 0; i < 10; i += 1) await turn();
}

async function cut(net: Simulation, server: ScriptedServer): Promise<void> {
  const { length } = server.handshakes;
  server.last.destroy();
  await passes(net, () => server.handshakes.length > length);
}

/** How a watch ended: what its reader was told, and the listeners of `close`. */
function ending(watch: Watch): { read: Promise<unknown>; reasons: unknown[] } {
  const reasons: unknown[] = [];
  watch.on('close', (reason) => reasons.push(reason));
  const read = outcome(
    (async () => {
      for await (const _ of watch);
      return 'ended';
    })(),
  );
  return { read, reasons };
}

describe('addWatch', () => {
  it.each([
    ['four bytes', [int(0)]],
    ['nothing, as from ClickHouse Keeper 26.1', []],
  ])('may be answered with %s', async (_name, body) => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    server.script = {
      onRequest: ({ type, xid }) => (type === ADD_WATCH ? reply(xid, 9n, 0, ...body) : undefined),
    };
    const told = record(await zk.watch('/a', { recursive: true }));
    server.last.send(event(1, '/a/b'));
    await turn();
    expect(told).toEqual(['created /a/b']);
    const cursor = new Cursor((server.last.of(ADD_WATCH)[0] as ClientRequest).body);
    expect([cursor.text(), cursor.int(), cursor.left]).toEqual(['/a', 1, 0]);
  });

  it('that ends the connection without a word is sent three times, and never again', async () => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a');
    const id = zk.session?.id;
    server.script = { onRequest: ({ type }) => (type === ADD_WATCH ? 'close' : undefined) };
    const watching = outcome(zk.watch('/a', { recursive: true }));
    await passes(net, () => all(server, ADD_WATCH).length === 3 && zk.state === 'connected');
    expect(await watching).toMatchObject({ code: 'UNIMPLEMENTED', operation: 'watch', path: '/a' });
    await expect(zk.watch('/b', { recursive: true })).rejects.toMatchObject({ code: 'UNIMPLEMENTED', path: '/b' });
    expect(await zk.get('/c')).toMatchObject({ data: Buffer.from('data of /c') });
    await net.clock.advance(20_000);
    expect(all(server, ADD_WATCH)).toHaveLength(3);
    expect(all(server, SET_WATCHES_2)).toEqual([]);
    expect(server.peers).toHaveLength(4);
    expect(zk.session?.id).toBe(id);
    expect(states.filter((state) => state === 'lost')).toEqual([]);
    expect(zk.health().watches).toBe(0);
  });

  it('that the server doesn’t know costs the connection once, and nothing else', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    const id = zk.session?.id;
    await zk.get('/x');
    const before = zk.lastZxid;
    server.script = {
      onRequest: (request, peer) => {
        if (request.type !== ADD_WATCH) return undefined;
        peer.send(unknown(request));
        return 'close';
      },
    };
    const watching = outcome(zk.watch('/a', { recursive: true }));
    expect(await watching).toMatchObject({ code: 'UNIMPLEMENTED', path: '/a' });
    expect(zk.lastZxid).toBe(before);
    await passes(net, () => server.handshakes.length === 2);
    expect(server.handshakes[1]).toMatchObject({ id, lastZxid: before });
    await expect(zk.watch('/a', { recursive: true })).rejects.toMatchObject({ code: 'UNIMPLEMENTED' });
    expect(all(server, ADD_WATCH)).toHaveLength(1);
  });

  it.each([
    ['is too busy for it (-127)', -127],
    ['has a connection to lose', 'close'],
  ] as const)('is sent again when the server %s', async (_name, fault) => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    let faults = 2;
    server.script = {
      onRequest: (request): Reaction | undefined => {
        if (request.type !== ADD_WATCH || faults === 0) return undefined;
        faults -= 1;
        return fault === 'close' ? 'close' : server.error(request, fault);
      },
    };
    const watching = zk.watch('/a');
    await passes(net, () => all(server, ADD_WATCH).length === 3);
    const told = record(await watching);
    server.last.send(event(3, '/a'));
    await turn();
    expect(told).toEqual(['changed /a']);
  });

  it('that is refused makes the call reject, and one-shot watches that relied on it are set', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    server.script = { onRequest: (request) => (request.type === ADD_WATCH ? server.error(request, -102) : undefined) };
    const watching = outcome(zk.watch('/a'));
    const log: string[] = [];
    await zk.get('/a', { watch: ({ type }) => log.push(type) });
    expect(await watching).toMatchObject({ code: 'NO_AUTH', operation: 'watch', path: '/a' });
    await turn();
    expect(server.last.of(4)[0]?.body.at(-1)).toBe(0);
    expect(all(server, SET_WATCHES).map((request) => listsOf(request).lists)).toEqual([[['/a'], [], []]]);
    server.last.send(event(3, '/a'));
    await turn();
    expect(log).toEqual(['changed']);
    expect(zk.health().watches).toBe(0);
  });
});

describe('watches that are set again', () => {
  it('go in setWatches where none is persistent, and in setWatches2 where one is', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    await zk.get('/data', { watch: () => {} });
    await cut(net, server);
    expect(all(server, SET_WATCHES).map((request) => listsOf(request).lists)).toEqual([[['/data'], [], []]]);
    await zk.watch('/p');
    await zk.watch('/r', { recursive: true });
    await zk.children('/r', { watch: () => {} });
    await zk.children('/c', { watch: () => {} });
    const zxid = zk.lastZxid;
    await cut(net, server);
    const sent = server.last.of(SET_WATCHES, SET_WATCHES_2);
    expect(sent.map(({ type, xid }) => [type, xid])).toEqual([
      [SET_WATCHES_2, -8],
      [SET_WATCHES, -8],
    ]);
    expect(sent.map(listsOf)).toEqual([
      { zxid, lists: [['/data'], [], ['/c'], ['/p'], ['/r']] },
      // Before 3.9 the recursive watch takes the place of one that is there already.
      { zxid, lists: [[], [], ['/r']] },
    ]);
  });

  it('go in pieces of 128 KiB, with one zxid; the persistent ones come last', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    const path = (kind: string, i: number): string => `/${kind}-${i}-${'ü'.repeat(200)}`;
    await Promise.all(Array.from({ length: 500 }, (_, i) => zk.get(path('data', i), { watch: () => {} })));
    await Promise.all(Array.from({ length: 500 }, (_, i) => zk.watch(path('plain', i))));
    await Promise.all(Array.from({ length: 500 }, (_, i) => zk.watch(path('all', i), { recursive: true })));
    const zxid = zk.lastZxid;
    await cut(net, server);
    const sent = server.last.of(SET_WATCHES, SET_WATCHES_2);
    for (const { body } of sent) expect(body.length).toBeLessThanOrEqual(128 * 1024 + 32);
    const lists = sent.map(listsOf);
    expect(new Set(lists.map((each) => each.zxid))).toEqual(new Set([zxid]));
    const flat = [0, 1, 2, 3, 4].map((index) => lists.flatMap((each) => each.lists[index] ?? []));
    expect(flat.map(({ length }) => length)).toEqual([500, 0, 0, 500, 500]);
    const kinds = lists.flatMap((each) => each.lists.flatMap((list, index) => (list.length > 0 ? [index] : [])));
    expect(kinds).toEqual([...kinds].sort());
    expect(sent.length).toBeLessThan(7);
  });

  it('tell resync when the last piece has been confirmed, and what comes before it to one-shot watches alone', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    const log: string[] = [];
    const watch = await zk.watch('/a');
    watch.on('event', ({ type }) => log.push(type));
    await zk.get('/a', { watch: ({ type }) => log.push(`one-shot ${type}`) });
    let confirm = (): void => {};
    server.script = {
      onRequest: (request, peer) => {
        if (request.type !== SET_WATCHES_2) return undefined;
        peer.send(event(3, '/a'));
        confirm = () => peer.send(reply(request.xid, server.zxid, 0));
        return 'mute';
      },
    };
    await cut(net, server);
    expect(log).toEqual(['one-shot changed']);
    confirm();
    server.last.send(event(3, '/a', 77n));
    await turn();
    expect(log).toEqual(['one-shot changed', 'resync', 'changed']);
  });

  it('are sent again, with the same zxid, when the server was too busy for them (-127)', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    await zk.get('/one', { watch: () => {} });
    const told = record(await zk.watch('/p'));
    const zxid = zk.lastZxid;
    let busy = 2;
    server.script = {
      onRequest: (request) => {
        if (request.type !== SET_WATCHES_2 || busy === 0) return undefined;
        busy -= 1;
        return server.error(request, -127);
      },
    };
    await cut(net, server);
    await passes(net, () => told.length > 0);
    expect(told).toEqual(['resync /p']);
    expect(all(server, SET_WATCHES_2).map(listsOf)).toEqual(
      Array.from({ length: 3 }, () => ({ zxid, lists: [['/one'], [], [], ['/p'], []] })),
    );
    expect(server.peers).toHaveLength(2);
  });

  it.each([-5, -100, -6])('are asked for one by one when they are refused together (%i)', async (errno) => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    const errors: unknown[] = [];
    zk.on('error', (error) => errors.push(error));
    const log: string[] = [];
    await zk.get('/a', { watch: ({ type }) => log.push(type) });
    const told = record(await zk.watch('/p'));
    server.script = {
      onRequest: (request) => (request.type === SET_WATCHES_2 ? server.error(request, errno) : undefined),
    };
    await cut(net, server);
    expect(log).toEqual(['session-lost']);
    expect(errors).toMatchObject(errno === -5 ? [{ errno, operation: 'setWatches' }] : []);
    // Servers that don't know one of the two don't know the other.
    if (errno === -5) expect(server.last.of(ADD_WATCH)).toHaveLength(1);
    else expect(server.last.calls.map(({ type }) => type)).toEqual([SET_WATCHES_2, EXISTS, CHILDREN]);
    expect(told).toEqual(['resync /p']);
    server.last.send(event(4, '/p'));
    await turn();
    expect(told.slice(0, 2)).toEqual(['resync /p', 'children /p']);
  });

  it('may be answered with the end of the session', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    const told = record(await zk.watch('/p'));
    const id = zk.session?.id;
    server.script = {
      onRequest: (request) =>
        request.type === SET_WATCHES_2 && zk.session?.id === id ? server.error(request, -112) : undefined,
    };
    server.last.destroy();
    await passes(net, () => told.length > 0);
    expect(zk.session?.id).not.toBe(id);
    expect(told).toEqual(['resync /p']);
  });

  it('fit into requests of maxRequestBytes; one that is too long for any is given up, and told', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a', { maxRequestBytes: 200 });
    const errors: unknown[] = [];
    zk.on('error', (error) => errors.push(error));
    const log: string[] = [];
    const long = `/${'x'.repeat(170)}`;
    await zk.get(long, { watch: ({ type }) => log.push(type) });
    for (let i = 0; i < 20; i += 1) await zk.get(`/short-${i}`, { watch: () => {} });
    await cut(net, server);
    expect(log).toEqual(['session-lost']);
    expect(errors).toMatchObject([{ code: 'REQUEST_TOO_LARGE' }]);
    const sent = server.last.of(SET_WATCHES);
    expect(sent.flatMap((request) => listsOf(request).lists[0])).toHaveLength(20);
    for (const { body } of sent) expect(body.length).toBeLessThanOrEqual(192);
    expect(zk.health().watches).toBe(20);
  });

  it('one by one on a server that ends connections over setWatches2, after five of them', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    const told = record(await zk.watch('/p'));
    const toldToo = record(await zk.watch('/r', { recursive: true }));
    server.script = { onRequest: ({ type }) => (type === SET_WATCHES_2 ? 'close' : undefined) };
    server.last.destroy();
    await passes(net, () => told.length > 0 && toldToo.length > 0);
    expect([told, toldToo]).toEqual([['resync /p'], ['resync /r']]);
    expect(all(server, SET_WATCHES_2)).toHaveLength(5);
    expect(server.last.of(ADD_WATCH)).toHaveLength(2);
    await cut(net, server);
    expect(all(server, SET_WATCHES_2)).toHaveLength(5);
    expect(server.last.of(ADD_WATCH)).toHaveLength(2);
    expect(told).toHaveLength(2);
  });

  it('on a server that knows no persistent ones: plain ones go on, recursive ones end with an error', async () => {
    const net = new Simulation();
    const young = net.serve('young', {}, { timeout: T });
    let version = 0;
    const onRequest = (request: ClientRequest, peer: Peer): Reaction | undefined => {
      if (request.type === EXISTS) return reply(request.xid, 50n, 0, stat(1n, version));
      if (request.type !== ADD_WATCH && request.type !== SET_WATCHES_2) return undefined;
      peer.send(unknown(request));
      return 'close';
    };
    const old = net.serve('old', { onRequest }, { timeout: T });
    const { zk } = await connectedClient(net, 'young,old');
    const told = record(await zk.watch('/p'));
    const { read, reasons } = ending(await zk.watch('/r', { recursive: true }));
    net.servers.delete('young:2181');
    young.last.destroy();
    await passes(net, () => told.length > 0);
    expect(await read).toMatchObject({ code: 'UNIMPLEMENTED', operation: 'watch', path: '/r' });
    expect(reasons).toMatchObject([{ code: 'UNIMPLEMENTED' }]);
    expect(told).toEqual(['resync /p']);
    expect(old.peers).toHaveLength(2);
    version = 1;
    old.last.send(event(3, '/p'));
    await turn();
    expect(told).toEqual(['resync /p', 'changed /p']);
    // Back to the other one, which has it as it was.
    net.servers.set('young:2181', young);
    net.servers.delete('old:2181');
    old.last.destroy();
    await passes(net, () => told.length > 2);
    expect(young.last.of(SET_WATCHES_2, SET_WATCHES).map((request) => listsOf(request).lists)).toEqual([
      [[], [], [], ['/p'], []],
    ]);
    young.last.send(event(4, '/p'));
    await turn();
    expect(told).toEqual(['resync /p', 'changed /p', 'resync /p', 'children /p']);
    expect(zk.health().watches).toBe(1);
  });

  it('are given up on a server that ends ten connections over them, and their listeners told', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    const log: string[] = [];
    const errors: unknown[] = [];
    zk.on('error', (error) => errors.push(error));
    await zk.get('/a', { watch: ({ type, path }) => log.push(`${type} ${path}`) });
    server.script = { onRequest: ({ type }) => (type === SET_WATCHES ? 'close' : undefined) };
    server.last.destroy();
    await passes(net, () => log.length > 0);
    expect(log).toEqual(['session-lost /a']);
    expect(errors).toMatchObject([{ code: 'UNIMPLEMENTED', operation: 'setWatches' }]);
    expect(all(server, SET_WATCHES)).toHaveLength(10);
    await net.clock.advance(30_000);
    expect(server.peers).toHaveLength(12);
    expect(await zk.exists('/')).not.toBeNull();
  });

  it('are not given up because connections end for another reason', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    const log: string[] = [];
    await zk.get('/a', { watch: ({ type }) => log.push(type) });
    const told = record(await zk.watch('/r', { recursive: true }));
    await cut(net, server);
    // It has answered them once.
    let times = 30;
    server.script = {
      onRequest: ({ type }) => {
        if (type !== SET_WATCHES_2 || times === 0) return undefined;
        times -= 1;
        return 'close';
      },
    };
    server.last.destroy();
    await passes(net, () => times === 0 && zk.state === 'connected' && told.length === 2, 50_000);
    expect(log).toEqual([]);
    expect(told).toEqual(['resync /r', 'resync /r']);
    server.last.send(event(3, '/a'), event(1, '/r/x'));
    await turn();
    expect(log).toEqual(['changed']);
    expect(told.at(-1)).toBe('created /r/x');
  });
});

describe('close()', () => {
  it('takes the watch back on the server, and is done when that has answered', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    const watch = await zk.watch('/a');
    let answer = (): void => {};
    server.script = {
      onRequest: (request, peer) => {
        if (request.type !== REMOVE_WATCHES) return undefined;
        answer = () => peer.send(server.answer(request));
        return 'mute';
      },
    };
    let closed = false;
    const closing = watch.close().then(() => {
      closed = true;
    });
    await turn();
    expect([watch.closed, closed]).toEqual([true, false]);
    answer();
    await closing;
    const cursor = new Cursor((server.last.of(REMOVE_WATCHES)[0] as ClientRequest).body);
    expect([cursor.text(), cursor.int()]).toEqual(['/a', 3]);
    await watch.close();
    await watch[Symbol.asyncDispose]();
    expect(server.last.of(REMOVE_WATCHES)).toHaveLength(1);
  });

  it.each([
    ['has fired and forgotten it (-121)', -121],
    ['is too busy (-127)', -127],
  ])('is done all the same when the server %s', async (_name, errno) => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a');
    const watch = await zk.watch('/a');
    let once = false;
    server.script = {
      onRequest: (request) => {
        if (request.type !== REMOVE_WATCHES || once) return undefined;
        once = true;
        return server.error(request, errno);
      },
    };
    const closing = watch.close();
    await net.clock.advance(1_000);
    await closing;
    expect(states).toEqual([]);
    expect(server.last.of(REMOVE_WATCHES)).toHaveLength(errno === -127 ? 2 : 1);
  });

  it('waits for its turn where too much is on the wire', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a', { maxInFlight: 1 });
    const watches = [await zk.watch('/a'), await zk.watch('/b'), await zk.watch('/c')];
    const done = watches.map((watch) => watch.close().then(() => server.last.of(REMOVE_WATCHES).length));
    expect(await Promise.all(done)).toEqual([1, 2, 3]);
  });

  it('is done when the connection breaks, and the watch is not set again', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    const [one, two] = [await zk.watch('/a'), await zk.watch('/b')];
    server.script = { onRequest: ({ type }) => (type === REMOVE_WATCHES ? 'close' : undefined) };
    await Promise.all([one.close(), passes(net, () => server.handshakes.length === 2)]);
    expect(server.last.of(SET_WATCHES_2).map((request) => listsOf(request).lists)).toEqual([[[], [], [], ['/b'], []]]);
    let closing: Promise<void> | null = null;
    zk.once('suspended', () => {
      closing = two.close();
    });
    await cut(net, server);
    await closing;
    expect(server.last.calls).toEqual([]);
  });

  it('gives up waiting at its own timeout or signal', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    server.script = { onRequest: ({ type }) => (type === REMOVE_WATCHES ? 'mute' : undefined) };
    const [one, two] = [await zk.watch('/a'), await zk.watch('/b')];
    const timed = outcome(one.close({ timeout: 50 }));
    const giveUp = new AbortController();
    const aborted = outcome(two.close({ signal: giveUp.signal }));
    giveUp.abort('enough');
    await net.clock.advance(60);
    expect(await timed).toMatchObject({ code: 'TIMEOUT' });
    expect(await aborted).toBe('enough');
    expect([one.closed, two.closed]).toEqual([true, true]);
  });
});
