import { afterEach, describe, expect, it } from '@jest/globals';
import { Cursor, event, frame, int, long, reply, stat } from './support/bytes.ts';
import { closeClients, connectedClient } from './support/clients.ts';
import { turn } from './support/manual-clock.ts';
import type { ClientRequest, Peer, Reaction, ScriptedServer } from './support/scripted-server.ts';
import { Simulation } from './support/simulation.ts';
import { outcome, until } from './support/until.ts';

afterEach(closeClients);

const T = 6_000;

function network(granted = {}): { net: Simulation; server: ScriptedServer } {
  const net = new Simulation();
  return { net, server: net.serve('a', {}, { timeout: T, ...granted }) };
}

function watchesOf({ body }: ClientRequest): { zxid: bigint; data: string[]; exist: string[]; child: string[] } {
  const cursor = new Cursor(body);
  const read = { zxid: cursor.long(), data: cursor.texts(), exist: cursor.texts(), child: cursor.texts() };
  expect(cursor.left).toBe(0);
  return read;
}

function authOf({ xid, body }: ClientRequest): unknown[] {
  const cursor = new Cursor(body);
  const read = [xid, cursor.int(), cursor.text(), cursor.text()];
  expect(cursor.left).toBe(0);
  return read;
}

async function cut(net: Simulation, server: ScriptedServer): Promise<void> {
  const { length } = server.handshakes;
  server.last.destroy();
  expect(await net.clock.advanceUntil(() => server.handshakes.length > length, T)).toBe(true);
  await turn();
}

describe('a new connection', () => {
  it('carries credentials first, then watches, then calls, on each reconnect', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a', { auth: [{ scheme: 'digest', auth: 'ü:p' }] });
    await turn();
    expect(server.last.of(100).map(authOf)).toEqual([[-4, 0, 'digest', 'ü:p']]);
    await zk.addAuth('x', new Uint8Array([0x61]));
    await zk.get('/data', { watch: () => {} });
    await zk.children('/child', { watch: () => {} });
    server.script = { onRequest: (request) => (request.type === 3 ? server.error(request, -101) : undefined) };
    await zk.exists('/exist', { watch: () => {} });
    server.script = {};
    const { zxid } = server;
    for (let round = 0; round < 3; round += 1) {
      let calls: Promise<unknown>[] = [];
      zk.once('suspended', () => {
        calls = [zk.get('/1'), zk.set('/2', ''), zk.get('/3'), zk.sync('/4')];
      });
      await cut(net, server);
      await Promise.all(calls);
      expect(server.last.calls.map(({ type, path }) => [type, path])).toEqual([
        [100, null],
        [100, null],
        [101, null],
        [4, '/1'],
        [5, '/2'],
        [4, '/3'],
        [9, '/4'],
      ]);
      expect(server.last.of(100).map(authOf)).toEqual([
        [-4, 0, 'digest', 'ü:p'],
        [-4, 0, 'x', 'a'],
      ]);
      const [rearm] = server.last.of(101) as [ClientRequest];
      expect(rearm.xid).toBe(-8);
      expect(watchesOf(rearm)).toMatchObject({ data: ['/data'], exist: ['/exist'], child: ['/child'] });
      if (round === 0) expect(watchesOf(rearm).zxid).toBe(zxid);
    }
  });

  it('carries credentials that were added while there was none', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    let adding: Promise<unknown> | null = null;
    let call: Promise<unknown> | null = null;
    zk.once('suspended', () => {
      adding = outcome(zk.addAuth('digest', 'a:b'));
      call = outcome(zk.get('/guarded'));
    });
    await cut(net, server);
    expect(await adding).toBeUndefined();
    expect(await call).toMatchObject({ data: Buffer.from('data of /guarded') });
    expect(server.last.calls.map(({ type }) => type)).toEqual([100, 4]);
  });

  it('carries the watches in pieces of at most 128 KiB of paths, all with the same zxid', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a', { maxInFlight: 100_000 });
    // 124 bytes and a length of 4 make 1,024 to a piece exactly; a character of three bytes counts as three.
    const name = (i: number): string => `/${'漢'.repeat(39)}${String(i).padStart(6, '0')}`;
    expect(Buffer.byteLength(name(1))).toBe(124);
    const paths = Array.from({ length: 3_000 }, (_, i) => name(i));
    let told = 0;
    const listener = (): void => {
      told += 1;
    };
    await Promise.all(
      paths.map((path, i) =>
        i % 2 === 0 ? zk.get(path, { watch: listener }) : zk.children(path, { watch: listener }),
      ),
    );
    const { zxid } = server;
    // A server that answers in between has a newer zxid by then.
    await cut(net, server);
    const pieces = server.last.of(101).map(watchesOf);
    expect(pieces.length).toBeGreaterThanOrEqual(3);
    expect(pieces.length).toBeLessThanOrEqual(4);
    for (const piece of pieces) {
      expect(piece.zxid).toBe(zxid);
      const size = [...piece.data, ...piece.exist, ...piece.child].reduce(
        (sum, path) => sum + 4 + Buffer.byteLength(path),
        0,
      );
      expect(size).toBeLessThanOrEqual(128 * 1024);
    }
    expect(pieces.flatMap(({ data }) => data).sort()).toEqual(paths.filter((_, i) => i % 2 === 0).sort());
    expect(pieces.flatMap(({ child }) => child).sort()).toEqual(paths.filter((_, i) => i % 2 === 1).sort());
    for (const path of paths) server.last.send(event(2, path));
    await turn();
    expect(told).toBe(3_000);
    await cut(net, server);
    expect(server.last.of(101)).toEqual([]);
  });

  it('carries one watch for many listeners of one path, and each is told once', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    const log: string[] = [];
    for (const name of ['a', 'b', 'c']) await zk.get('/x', { watch: ({ type }) => log.push(`${name} ${type}`) });
    await cut(net, server);
    await cut(net, server);
    expect(server.last.of(101).map(watchesOf)).toMatchObject([{ data: ['/x'], exist: [], child: [] }]);
    server.last.send(event(3, '/x'), event(3, '/x'));
    await turn();
    expect(log.sort()).toEqual(['a changed', 'b changed', 'c changed']);
    await cut(net, server);
    expect(server.last.of(101)).toEqual([]);
  });

  it('on which the server says what was missed before it answers setWatches brings each event once', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    const log: string[] = [];
    await zk.get('/x', { watch: ({ type, path }) => log.push(`${type} ${path}`) });
    server.script = {
      onRequest: ({ type, xid }) => (type === 101 ? Buffer.concat([event(3, '/x'), reply(xid, 5n, 0)]) : undefined),
    };
    await cut(net, server);
    expect(log).toEqual(['changed /x']);
    server.last.send(event(3, '/x'));
    await cut(net, server);
    expect(log).toEqual(['changed /x']);
  });

  it('that refuses the watches is told of by an error event, and serves the calls', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    const errors: unknown[] = [];
    zk.on('error', (error) => errors.push(error));
    await zk.get('/x', { watch: () => {} });
    server.script = { onRequest: (request) => (request.type === 101 ? server.error(request, -5) : undefined) };
    await cut(net, server);
    expect(await zk.exists('/y')).not.toBeNull();
    expect(errors).toEqual([expect.objectContaining({ code: 'MARSHALLING_ERROR' })]);
    expect(zk.state).toBe('connected');
  });
});

describe('credentials that the server refuses', () => {
  it.each([
    ['with -115 and the end', -115, true],
    ['with -115 alone', -115, false],
    ['with another number', -100, false],
  ])('%s: one auth-failed, and everything is over', async (_name, errno, closes) => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a', { auth: [{ scheme: 'digest', auth: 'a:b' }] });
    await zk.get('/w', { watch: () => {} });
    let failed = 0;
    zk.on('auth-failed', () => {
      failed += 1;
    });
    const refusal: ScriptedServer['script'] = {
      onRequest: ({ type, xid }, peer) => {
        if (type !== 100) return 'mute';
        peer.send(reply(xid, 0n, errno));
        return closes ? 'close' : 'mute';
      },
    };
    let calls: Promise<unknown>[] = [];
    zk.once('suspended', () => {
      calls = [outcome(zk.get('/r')), outcome(zk.set('/w', '')), outcome(zk.sync())];
    });
    const signal = zk.session?.signal;
    server.script = refusal;
    await cut(net, server);
    expect(states).toEqual(['suspended', 'connected', 'auth-failed']);
    expect(failed).toBe(1);
    for (const error of await Promise.all(calls))
      expect(error).toMatchObject({ code: 'AUTH_FAILED', name: 'AuthFailedError' });
    expect(signal?.aborted).toBe(true);
    await expect(zk.get('/r')).rejects.toMatchObject({ code: 'AUTH_FAILED' });
    await expect(zk.addAuth('digest', 'c:d')).rejects.toMatchObject({ code: 'AUTH_FAILED' });
    await expect(zk.connect()).rejects.toMatchObject({ code: 'AUTH_FAILED' });
    await net.clock.advance(60_000);
    expect(server.handshakes).toHaveLength(2);
    expect(server.open).toBe(0);
    expect(net.clock.timers).toBe(0);
    await zk.close();
    expect(states).toEqual(['suspended', 'connected', 'auth-failed', 'closed']);
    expect(server.handshakes).toHaveLength(2);
  });

  it('when they are added: that call rejects, too', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    server.script = { onRequest: ({ type, xid }) => (type === 100 ? reply(xid, 0n, -115) : undefined) };
    const [added, call] = [outcome(zk.addAuth('digest', 'a:b')), outcome(zk.set('/a', ''))];
    await turn();
    expect(await added).toMatchObject({ code: 'AUTH_FAILED', operation: 'auth' });
    // It was answered in the same breath, or went down with the connection.
    expect([undefined, 'AUTH_FAILED']).toContain(((await call) as { code?: string }).code);
    expect(zk.state).toBe('auth-failed');
  });

  it('by -124 on a call: the server wants SASL', async () => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a');
    server.script = {
      onRequest: (request, peer) => {
        if (request.type === 11) return undefined;
        peer.send(server.error(request, -124));
        return 'close';
      },
    };
    const calls = [outcome(zk.get('/1')), outcome(zk.set('/2', '')), outcome(zk.get('/3'))];
    await turn();
    const [first, ...rest] = await Promise.all(calls);
    expect(first).toMatchObject({ code: 'SESSION_CLOSED_REQUIRE_SASL_AUTH', errno: -124, path: '/1' });
    for (const error of rest) expect(error).toMatchObject({ code: 'AUTH_FAILED' });
    expect(states).toEqual(['auth-failed']);
    await net.clock.advance(60_000);
    expect(server.handshakes).toHaveLength(1);
  });

  it('are not on the way back from a connection that just breaks', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    server.script = { onRequest: ({ type }) => (type === 100 ? 'close' : undefined) };
    const added = outcome(zk.addAuth('digest', 'a:b'));
    await turn();
    server.script = {};
    await net.clock.advanceUntil(() => zk.state === 'connected' && server.handshakes.length > 1, T);
    expect(await added).toBeUndefined();
    expect(server.last.of(100)).toHaveLength(1);
    expect(zk.state).toBe('connected');
  });
});

describe('an opcode that the server does not know', () => {
  const refuseCreate2 = (request: ClientRequest, peer: Peer): Reaction | undefined => {
    if (request.type !== 15) return undefined;
    peer.send(reply(request.xid, -1n, -6));
    return 'close';
  };

  it('costs that call and the connection, and nothing else', async () => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a');
    await zk.exists('/z');
    const { lastZxid } = zk;
    const id = zk.session?.id;
    server.script = {
      onRequest: (request, peer) => {
        if (request.type !== 21) return peer.of(21).length > 0 ? 'mute' : undefined;
        peer.send(reply(request.xid, -1n, -6));
        return 'close';
      },
    };
    const before = outcome(zk.get('/before'));
    const unknown = outcome(zk.create('/ttl', '', { mode: 'persistent-ttl', ttl: 1_000 }));
    const write = outcome(zk.set('/after', ''));
    const read = outcome(zk.get('/after'));
    let seen = 0n;
    zk.on('suspended', () => {
      seen = zk.lastZxid;
    });
    await turn();
    expect(await before).toMatchObject({ data: Buffer.from('data of /before') });
    expect(seen).toBe(lastZxid + 1n);
    expect(await unknown).toMatchObject({ code: 'UNIMPLEMENTED', errno: -6, path: '/ttl', operation: 'create' });
    expect(await write).toMatchObject({
      code: 'CONNECTION_LOSS',
      maybeApplied: true,
      path: '/after',
      operation: 'set',
    });
    await net.clock.advanceUntil(() => zk.state === 'connected', T);
    expect(await read).toMatchObject({ data: Buffer.from('data of /after') });
    expect(states).toEqual(['suspended', 'connected']);
    expect(server.last.handshake).toMatchObject({ id, lastZxid: seen });
    expect(server.handshakes).toHaveLength(2);
    // Nobody sends it again by himself.
    expect(server.peers.flatMap((peer) => peer.of(21))).toHaveLength(1);
  });

  it('is remembered of that server, and is gone around: create without create2', async () => {
    const { net, server } = network();
    server.script = { onRequest: refuseCreate2 };
    const { zk } = await connectedClient(net, 'a');
    for (const path of ['/1', '/2', '/3']) {
      const creating = outcome(zk.create(path, 'x'));
      await net.clock.advance(2_000);
      expect(await creating).toEqual({ path, stat: null });
    }
    expect(server.handshakes).toHaveLength(2);
    expect(server.peers.flatMap((peer) => peer.of(15))).toHaveLength(1);
    expect(server.peers.flatMap((peer) => peer.of(1)).map(({ path }) => path)).toEqual(['/1', '/2', '/3']);
  });

  it('is remembered of no other server', async () => {
    const net = new Simulation();
    const old = net.serve('a', {}, { timeout: T });
    old.script = { onRequest: refuseCreate2 };
    const modern = net.serve('b');
    const { zk } = await connectedClient(net, 'a,b');
    const first = outcome(zk.create('/1'));
    await net.clock.advance(2_000);
    expect(await first).toMatchObject({ path: '/1' });
    expect(zk.server?.host).toBe('b');
    expect(await zk.create('/2')).toMatchObject({ path: '/2', stat: { version: 0 } });
    expect(modern.last.of(15).map(({ path }) => path)).toContain('/2');
    // Back on the old one it is known at once.
    modern.last.destroy();
    await net.clock.advanceUntil(() => zk.server?.host === 'a', T);
    expect(await zk.create('/3')).toEqual({ path: '/3', stat: null });
    expect(old.peers.flatMap((peer) => peer.of(15))).toHaveLength(1);
  });

  it('and that keeps the connection open costs nothing but the call', async () => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a');
    server.script = { onRequest: (request) => (request.type === 21 ? server.error(request, -6) : undefined) };
    await expect(zk.create('/ttl', '', { mode: 'persistent-ttl', ttl: 5 })).rejects.toMatchObject({
      code: 'UNIMPLEMENTED',
    });
    expect(await zk.exists('/a')).not.toBeNull();
    expect(states).toEqual([]);
  });
});

describe('a call whose connection breaks', () => {
  it('is sent again if it only reads, in the order in which the calls were made', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    server.script = { onRequest: ({ type }) => (type === 11 ? undefined : 'mute') };
    const order: string[] = [];
    const reads = Array.from({ length: 20 }, (_, i) => zk.get(`/${i}`).then(() => order.push(`/${i}`)));
    let later: Promise<unknown>[] = [];
    zk.once('suspended', () => {
      later = [20, 21, 22].map((i) => zk.get(`/${i}`).then(() => order.push(`/${i}`)));
    });
    await turn();
    server.script = {};
    await cut(net, server);
    await Promise.all([...reads, ...later]);
    const expected = Array.from({ length: 23 }, (_, i) => `/${i}`);
    expect(server.last.of(4).map(({ path }) => path)).toEqual(expected);
    expect(order).toEqual(expected);
  });

  it('rejects if it writes, and says that it may have been applied', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    server.script = { onRequest: ({ type }) => (type === 11 ? undefined : 'mute') };
    const writes = [zk.create('/1'), zk.set('/2', ''), zk.delete('/3')].map(outcome);
    await turn();
    server.script = {};
    await cut(net, server);
    expect(await Promise.all(writes)).toMatchObject([
      {
        code: 'CONNECTION_LOSS',
        maybeApplied: true,
        path: '/1',
        operation: 'create',
        cause: { code: 'CONNECTION_LOSS' },
      },
      { code: 'CONNECTION_LOSS', maybeApplied: true, path: '/2', operation: 'set' },
      { code: 'CONNECTION_LOSS', maybeApplied: true, path: '/3', operation: 'delete' },
    ]);
    expect(server.last.calls).toEqual([]);
  });

  it('is not sent again where retry is false', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a', { retry: false });
    server.script = { onRequest: ({ type }) => (type === 11 ? undefined : 'mute') };
    const [read, sync] = [outcome(zk.get('/1')), outcome(zk.sync())];
    await turn();
    await cut(net, server);
    expect(await read).toMatchObject({ code: 'CONNECTION_LOSS', path: '/1', operation: 'get' });
    expect(((await read) as Error) && 'maybeApplied' in ((await read) as object)).toBe(false);
    expect(await sync).toMatchObject({ code: 'CONNECTION_LOSS', operation: 'sync' });
    expect(server.last.calls).toEqual([]);
    // What has not been sent yet waits as ever.
    let waiting: Promise<unknown> | null = null;
    server.script = {};
    zk.once('suspended', () => {
      waiting = outcome(zk.get('/2'));
    });
    await cut(net, server);
    expect(await waiting).toMatchObject({ data: Buffer.from('data of /2') });
  });

  it.each([0, 1, 3])('is sent again as often as retry says: %i times', async (retries) => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a', {
      retry: { retries, minTimeout: 1, maxTimeout: 1, randomize: false },
    });
    server.script = { onRequest: ({ type }) => (type === 4 ? 'close' : undefined) };
    let settled = false;
    const read = outcome(zk.get('/1')).finally(() => {
      settled = true;
    });
    // p-retry's own waits are in real time, and short here.
    while (!settled) {
      await net.clock.advance(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await read).toMatchObject({ code: 'CONNECTION_LOSS', path: '/1' });
    expect(server.peers.flatMap((peer) => peer.of(4))).toHaveLength(retries + 1);
  });

  it('is not sent again once its caller has given it up', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    server.script = { onRequest: ({ type }) => (type === 11 ? undefined : 'mute') };
    const giveUp = new AbortController();
    const aborted = outcome(zk.get('/1', { signal: giveUp.signal }));
    const timed = outcome(zk.get('/2', { timeout: 500 }));
    const kept = outcome(zk.get('/3'));
    await net.clock.advance(500);
    giveUp.abort('enough');
    server.script = {};
    await cut(net, server);
    expect(await aborted).toBe('enough');
    expect(await timed).toMatchObject({ code: 'TIMEOUT' });
    expect(await kept).toMatchObject({ data: Buffer.from('data of /3') });
    expect(server.last.of(4).map(({ path }) => path)).toEqual(['/3']);
  });

  it('sets its watch once, however often it is sent', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    const log: string[] = [];
    server.script = { onRequest: ({ type }) => (type === 11 ? undefined : 'mute') };
    const read = zk.get('/1', { watch: ({ type }) => log.push(type) });
    await turn();
    server.script = {};
    await cut(net, server);
    await read;
    server.last.send(event(3, '/1'), event(3, '/1'));
    await turn();
    expect(log).toEqual(['changed']);
  });
});

describe('requestTimeout', () => {
  it('gives a server up that leaves one request unanswered, though it answers pings', async () => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a', { requestTimeout: 700 });
    server.script = {
      onRequest: ({ path }) => (path === '/dropped' && server.peers.length === 1 ? 'mute' : undefined),
    };
    const write = outcome(zk.set('/dropped', ''));
    await net.clock.advance(100);
    expect(states).toEqual([]);
    const read = outcome(zk.get('/dropped'));
    await net.clock.advance(598);
    expect(states).toEqual([]);
    await net.clock.advance(10);
    expect(states[0]).toBe('suspended');
    expect(await write).toMatchObject({ code: 'CONNECTION_LOSS', maybeApplied: true, path: '/dropped' });
    expect(((await write) as { cause?: { cause?: unknown } }).cause?.cause).toMatchObject({
      code: 'REQUEST_TIMEOUT',
      errno: -122,
    });
    await net.clock.advanceUntil(() => zk.state === 'connected', T);
    expect(await read).toMatchObject({ data: Buffer.from('data of /dropped') });
  });

  it('is no limit for a call that waits for its turn, or for a connection', async () => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a', { requestTimeout: 700, maxInFlight: 1 });
    server.script = { onRequest: ({ type }) => (type === 11 ? undefined : 'mute') };
    const calls = [0, 1, 2, 3].map((i) => zk.get(`/${i}`));
    for (let i = 0; i < 4; i += 1) {
      await net.clock.advance(600);
      server.last.send(server.answer(server.last.of(4)[i] as ClientRequest));
      await turn();
    }
    await Promise.all(calls);
    expect(states).toEqual([]);
  });
});

describe('a call that the server answers with an error', () => {
  it('is made again when the server was too busy for it (-127), even if it writes', async () => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a');
    const seen = new Map<string, number>();
    server.script = {
      onRequest: (request) => {
        const count = (seen.get(request.path ?? '') ?? 0) + 1;
        seen.set(request.path ?? '', count);
        return request.type !== 11 && count === 1 ? server.error(request, -127) : undefined;
      },
    };
    const results = await Promise.all([zk.set('/1', ''), zk.get('/2'), zk.create('/3'), zk.delete('/4')]);
    expect(results).toMatchObject([{ version: 0 }, { data: Buffer.from('data of /2') }, { path: '/3' }, undefined]);
    expect([...seen.entries()].filter(([path]) => path !== '').map(([, count]) => count)).toEqual([2, 2, 2, 2]);
    expect(states).toEqual([]);
  });

  it('is not made again without end: after the retries it rejects, and was not applied', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a', {
      retry: { retries: 2, minTimeout: 1, maxTimeout: 1, randomize: false },
    });
    server.script = { onRequest: (request) => (request.type === 11 ? undefined : server.error(request, -127)) };
    await expect(zk.set('/1', '')).rejects.toMatchObject({
      code: 'THROTTLED_OP',
      errno: -127,
      maybeApplied: false,
      path: '/1',
    });
    expect(server.last.of(5)).toHaveLength(3);
  });

  it('is not made again in another session, if it writes', async () => {
    const { net, server } = network();
    const retry = { retries: 10, minTimeout: 20, maxTimeout: 20, randomize: false };
    const { zk } = await connectedClient(net, 'a', { retry });
    server.script = {
      onRequest: (request) => {
        if (request.type === 11) return undefined;
        return server.error(request, request.path === '/last' ? -112 : -127);
      },
    };
    const [write, read] = [outcome(zk.create('/e', '', { mode: 'ephemeral' })), outcome(zk.get('/r'))];
    await until(() => server.last.of(15).length >= 2, 'the write waits for its third try');
    await outcome(zk.set('/last', ''));
    server.script = {};
    await net.clock.advanceUntil(() => zk.state === 'connected', T);
    expect(await write).toMatchObject({
      code: 'SESSION_EXPIRED',
      maybeApplied: false,
      path: '/e',
      operation: 'create',
    });
    expect(await read).toMatchObject({ data: Buffer.from('data of /r') });
    expect(server.last.of(15)).toEqual([]);
  });

  it('rejects at once with -127 where retry is false', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a', { retry: false });
    server.script = { onRequest: (request) => (request.type === 11 ? undefined : server.error(request, -127)) };
    await expect(zk.set('/1', '')).rejects.toMatchObject({ code: 'THROTTLED_OP', path: '/1', operation: 'set' });
    expect(server.last.of(5)).toHaveLength(1);
  });

  it('rejects with SESSION_MOVED (-118), and the client goes on', async () => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a');
    server.script = { onRequest: (request) => (request.path === '/moved' ? server.error(request, -118) : undefined) };
    await expect(zk.set('/moved', '')).rejects.toMatchObject({ code: 'SESSION_MOVED', errno: -118, path: '/moved' });
    await net.clock.advance(2_000);
    expect(await zk.exists('/a')).not.toBeNull();
    expect(states.filter((state) => state === 'lost')).toEqual([]);
  });

  it.each([-101, -102, -103, -110, -111, -114, -119, -121, -122, -123, -125, -5, -8, -999])(
    'rejects with %i, and the connection stays',
    async (errno) => {
      const { net, server } = network();
      const { zk, states } = await connectedClient(net, 'a');
      server.script = { onRequest: (request) => (request.path === '/bad' ? server.error(request, errno) : undefined) };
      const error = (await outcome(zk.set('/bad', ''))) as Error;
      expect(error).toMatchObject({ errno, path: '/bad', operation: 'set' });
      expect(error.message).toContain('set "/bad"');
      expect(await zk.exists('/a')).not.toBeNull();
      expect(states).toEqual([]);
      expect(server.last.of(5)).toHaveLength(1);
    },
  );

  it('is null where the znode is missing and that is the question', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    server.script = { onRequest: (request) => (request.type === 11 ? undefined : server.error(request, -101)) };
    expect(await zk.exists('/a')).toBeNull();
    await expect(zk.get('/a')).rejects.toMatchObject({ code: 'NO_NODE' });
    await expect(zk.children('/a')).rejects.toMatchObject({ code: 'NO_NODE' });
  });
});

describe('odd bytes', () => {
  const good = (request: ClientRequest): Buffer => reply(request.xid, 5n, 0, stat());

  it.each<[string, (request: ClientRequest) => Buffer]>([
    ['a body that ends early', ({ xid }) => reply(xid, 5n, 0, long(1n))],
    ['a frame of 20 bytes', () => frame(Buffer.alloc(20, 0xee))],
    ['a frame of length 0', () => int(0)],
    ['a frame of a negative length', () => int(-9)],
    ['a frame of 3 bytes', () => frame(Buffer.alloc(3))],
    ['the wrong xid', ({ xid }) => reply(xid + 1, 5n, 0, stat())],
    ['a reply to nothing, and then the right one', (request) => Buffer.concat([reply(-8, 1n, 0), good(request)])],
    ['an event that ends early', (request) => Buffer.concat([reply(-1, -1n, 0, int(3)), good(request)])],
    ['half a reply and the end', (request) => good(request).subarray(0, 30)],
  ])('%s: the call is lost, the client comes back', async (_name, odd) => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a', { retry: false });
    const id = zk.session?.id;
    let times = 0;
    server.script = {
      onRequest: (request, peer) => {
        if (request.type === 11) return undefined;
        times += 1;
        if (times > 1) return undefined;
        peer.send(odd(request));
        if (_name === 'half a reply and the end') return 'close';
        return 'mute';
      },
    };
    const write = outcome(zk.set('/1', ''));
    await turn();
    expect(await write).toMatchObject({ code: 'CONNECTION_LOSS', maybeApplied: true, path: '/1', operation: 'set' });
    await net.clock.advanceUntil(() => zk.state === 'connected', T);
    expect(states).toEqual(['suspended', 'connected']);
    expect(zk.session?.id).toBe(id);
    // The next connection begins with a clean slate.
    expect(await zk.get('/2')).toMatchObject({ data: Buffer.from('data of /2') });
    expect(server.peers[0]?.closed).toBe(true);
  });

  it('more than maxResponseBytes of them: that call rejects and is not made again, the connection stays', async () => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a', { maxResponseBytes: 1_000 });
    server.script = {
      onRequest: ({ path, xid }) => (path === '/large' ? reply(xid, 7n, 0, Buffer.alloc(5_000_000)) : undefined),
    };
    const calls = [zk.get('/1'), zk.get('/large'), zk.set('/large', ''), zk.get('/2')].map(outcome);
    expect(await Promise.all(calls)).toMatchObject([
      { data: Buffer.from('data of /1') },
      { code: 'RESPONSE_TOO_LARGE', path: '/large', operation: 'get' },
      { code: 'RESPONSE_TOO_LARGE', path: '/large', operation: 'set', maybeApplied: true },
      { data: Buffer.from('data of /2') },
    ]);
    expect(states).toEqual([]);
    expect(server.last.of(4).filter(({ path }) => path === '/large')).toHaveLength(1);
  });

  it('in a request over maxRequestBytes are not sent', async () => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a', { maxRequestBytes: 1_000 });
    // Header 8, path 4 + 2, data 4, version 4.
    const [fits, over] = [Buffer.alloc(978), Buffer.alloc(979)];
    await zk.set('/a', fits);
    await expect(zk.set('/a', over)).rejects.toMatchObject({
      code: 'REQUEST_TOO_LARGE',
      maybeApplied: false,
      path: '/a',
      operation: 'set',
      message: expect.stringContaining('1000'),
    });
    expect(await zk.exists('/b')).not.toBeNull();
    expect(server.last.of(5)).toHaveLength(1);
    expect(states).toEqual([]);
  });
});
