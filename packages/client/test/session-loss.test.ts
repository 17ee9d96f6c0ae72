import { afterEach, describe, expect, it } from '@jest/globals';
import { bytes, Cursor, event, int, long, PASSWORD, reply, stat } from './support/bytes.ts';
import { client, closeClients, connectedClient } from './support/clients.ts';
import { turn } from './support/manual-clock.ts';
import type { ScriptedServer } from './support/scripted-server.ts';
import { peak, Simulation } from './support/simulation.ts';
import { outcome } from './support/until.ts';

afterEach(closeClients);

const T = 6_000;
/** Half a standard tick and some: the default for a timeout of 6 s. */
const MARGIN = 1_100;

function network(granted = {}): { net: Simulation; server: ScriptedServer } {
  const net = new Simulation();
  return { net, server: net.serve('a', {}, { timeout: T, ...granted }) };
}

describe('a session that is resumed', () => {
  it.each([
    [0xfffffffffffffffen, -2n],
    [0x8000000000000000n, -(2n ** 63n)],
    [2n ** 63n - 1n, 2n ** 63n - 1n],
    [2n ** 53n + 1n, 2n ** 53n + 1n],
  ])('is asked for by its id, 0x%s, and its last zxid, bit by bit', async (onWire, id) => {
    const { net, server } = network({ id: onWire });
    const { zk, states } = await connectedClient(net, 'a');
    expect(zk.session?.id).toBe(id);
    server.zxid = 2n ** 63n - 2n;
    await zk.exists('/a');
    expect(zk.lastZxid).toBe(2n ** 63n - 1n);
    server.last.destroy();
    await net.clock.advanceUntil(() => zk.state === 'connected' && states.length > 1, T);
    const body = [int(0), long(2n ** 63n - 1n), int(30_000), long(onWire), bytes(PASSWORD), Buffer.from([0])];
    expect(server.last.handshake?.raw).toEqual(Buffer.concat(body));
    expect(states).toEqual(['suspended', 'connected']);
    expect(zk.session?.id).toBe(id);
  });

  it('has a last zxid that comes from replies to calls alone', async () => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a', { auth: [{ scheme: 'digest', auth: 'a:b' }] });
    const zxids = [41n, 0n, -1n, 42n, -5n];
    server.script = {
      onRequest: ({ type, xid }) => {
        if (type === 100) return reply(-4, 2n ** 62n, 0);
        if (type === 11) return reply(-2, 2n ** 62n, 0);
        if (type !== 3) return undefined;
        return Buffer.concat([
          event(3, '/b', 2n ** 62n),
          reply(xid, zxids.shift() ?? 0n, 0, stat()),
          event(3, '/c', 2n ** 61n),
          event(3, '/d', -1n),
        ]);
      },
    };
    await zk.addAuth('digest', 'c:d');
    for (let i = 0; i < 5; i += 1) await zk.exists('/a');
    await net.clock.advance(T / 2);
    expect(zk.lastZxid).toBe(42n);
    for (let round = 2; round < 5; round += 1) {
      server.last.destroy();
      await net.clock.advanceUntil(() => server.handshakes.length === round && zk.state === 'connected', T);
      expect(server.last.handshake?.lastZxid).toBe(42n);
    }
    expect(states).not.toContain('lost');
  });

  it('carries its timeout and deadline on with what the next server negotiates', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    expect(zk.session?.timeout).toBe(T);
    server.granted = { timeout: 9_000 };
    server.last.destroy();
    await net.clock.advanceUntil(() => zk.state === 'connected', T);
    expect(zk.session?.timeout).toBe(9_000);
    expect(zk.session?.deadline).toBe(server.last.at + 9_000);
  });
});

describe('a session that the server has replaced by another', () => {
  it('is lost, then renewed, on the connection that is there', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    const log: string[] = [];
    for (const name of ['suspended', 'reconnected', 'lost', 'renewed', 'connected'] as const)
      zk.on(name, () => log.push(name));
    const first = zk.session;
    first?.signal.addEventListener('abort', () => log.push('signal'));
    await zk.get('/a', { watch: ({ type, path }) => log.push(`${type} ${path}`) });
    await zk.children('/b', { watch: ({ type, path }) => log.push(`${type} ${path}`) });
    server.script = { onHandshake: (handshake) => server.grant(handshake, { id: 99n }) };
    // Made while nothing is connected, for the old session.
    let calls: Promise<unknown>[] = [];
    zk.on('suspended', () => {
      calls = [outcome(zk.set('/a', 'x')), outcome(zk.get('/a'))];
    });
    server.last.destroy();
    await net.clock.advanceUntil(() => zk.session?.id === 99n, T);
    expect(log.filter((line) => !line.startsWith('session-lost'))).toEqual(['suspended', 'signal', 'lost', 'renewed']);
    expect(log.filter((line) => line.startsWith('session-lost'))).toEqual(['session-lost /a', 'session-lost /b']);
    expect(first?.signal.reason).toMatchObject({ code: 'SESSION_EXPIRED' });
    expect(await Promise.all(calls)).toMatchObject([
      { code: 'SESSION_EXPIRED', maybeApplied: false, path: '/a', operation: 'set' },
      { data: Buffer.from('data of /a') },
    ]);
    expect(server.handshakes).toHaveLength(2);
    expect(server.open).toBe(1);
    // The watches are not set again, and the old session's zxid means nothing to the new one.
    expect(server.last.of(101, 105)).toEqual([]);
    server.last.destroy();
    server.script = {};
    await net.clock.advanceUntil(() => server.handshakes.length === 3, T);
    expect(server.last.handshake).toMatchObject({ id: 99n });
  });

  it('takes its zxids along: the next session begins at 0', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    await zk.exists('/a');
    expect(zk.lastZxid).toBeGreaterThan(0n);
    server.script = { onHandshake: (handshake) => server.grant(handshake, { id: 99n }) };
    server.last.destroy();
    await net.clock.advanceUntil(() => zk.session?.id === 99n, T);
    expect(zk.lastZxid).toBe(0n);
  });

  it('leaves no connection when the client is closed at the news', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    let closing: Promise<void> | null = null;
    zk.on('lost', () => {
      closing = zk.close();
    });
    server.script = { onHandshake: (handshake) => server.grant(handshake, { id: 99n }) };
    server.last.destroy();
    await net.clock.advanceUntil(() => closing !== null, T);
    await closing;
    await turn();
    expect(zk.state).toBe('closed');
    expect(server.open).toBe(0);
    expect(net.clock.timers).toBe(0);
  });
});

describe('a session that the server does not know any more', () => {
  it('is lost at once, and a new one is asked for without a word about the old one', async () => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a');
    const old = zk.session?.id;
    server.script = { onHandshake: ({ id }) => (id === old ? server.expired() : undefined) };
    server.last.destroy();
    await net.clock.advanceUntil(() => zk.state === 'connected' && zk.session?.id !== old, T);
    expect(states).toEqual(['suspended', 'lost', 'connecting', 'connected']);
    expect(server.handshakes.map(({ id }) => id)).toEqual([0n, old, 0n]);
    expect(server.handshakes[2]).toMatchObject({ lastZxid: 0n, password: Buffer.alloc(16) });
  });

  it('is lost on a live connection when a reply says so', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a', { retry: { retries: 1, minTimeout: 0 } });
    const log: string[] = [];
    zk.on('state', (state) => log.push(state));
    const old = zk.session;
    await zk.exists('/w', { watch: ({ type }) => log.push(type) });
    server.script = {
      onRequest: (request) =>
        request.type === 5 && request.path === '/1'
          ? server.error(request, -112)
          : request.type === 11 || server.handshakes.length > 1
            ? undefined
            : 'mute',
    };
    const told = (name: string) => (result: unknown) => {
      log.push(name);
      return result;
    };
    const calls = [
      outcome(zk.set('/1', '')).then(told('write 1')),
      outcome(zk.set('/2', '')).then(told('write 2')),
      outcome(zk.get('/3')).then(told('read 3')),
      outcome(zk.get('/4')).then(told('read 4')),
    ];
    await net.clock.advanceUntil(() => log.includes('read 4'), T);
    expect(await Promise.all(calls)).toMatchObject([
      { code: 'SESSION_EXPIRED', errno: -112, path: '/1' },
      { code: 'SESSION_EXPIRED', maybeApplied: true, path: '/2' },
      { data: Buffer.from('data of /3') },
      { data: Buffer.from('data of /4') },
    ]);
    expect(log.indexOf('lost')).toBeLessThan(log.indexOf('write 1'));
    expect(log.indexOf('session-lost')).toBeLessThan(log.indexOf('write 1'));
    expect(log.indexOf('read 3')).toBeLessThan(log.indexOf('read 4'));
    expect(old?.signal.reason).toMatchObject({ code: 'SESSION_EXPIRED' });
    // Nothing is left to be ended there.
    expect(server.handshakes.map(({ id }) => id)).toEqual([0n, 0n]);
    expect(server.open).toBe(1);
  });

  it('says of each write whether it may have been applied: one that was never sent was not', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a', { maxInFlight: 2 });
    server.script = {
      onRequest: (request) =>
        request.path === '/1'
          ? server.error(request, -112)
          : request.type === 11 || server.handshakes.length > 1
            ? undefined
            : 'mute',
    };
    const writes = ['/1', '/2', '/3', '/4'].map((path) => outcome(zk.set(path, '')));
    await turn();
    await turn();
    expect(await Promise.all(writes)).toMatchObject([
      { code: 'SESSION_EXPIRED', path: '/1' },
      { code: 'SESSION_EXPIRED', path: '/2', maybeApplied: true },
      { code: 'SESSION_EXPIRED', path: '/3', maybeApplied: false },
      { code: 'SESSION_EXPIRED', path: '/4', maybeApplied: false },
    ]);
    expect(server.peers.flatMap((peer) => peer.of(5)).map(({ path }) => path)).toEqual(['/1', '/2']);
  });

  it('ends the client where no new one shall follow', async () => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a', { renewSession: false });
    server.script = { onHandshake: () => server.expired() };
    server.last.destroy();
    await turn();
    const waiting = [outcome(zk.get('/a')), outcome(zk.set('/b', ''))];
    await net.clock.advanceUntil(() => zk.state === 'lost', T);
    expect(await Promise.all(waiting)).toMatchObject([
      { code: 'SESSION_EXPIRED', path: '/a' },
      { code: 'SESSION_EXPIRED', path: '/b', maybeApplied: false },
    ]);
    await expect(zk.get('/a')).rejects.toMatchObject({ code: 'SESSION_EXPIRED', path: '/a', operation: 'get' });
    await expect(zk.set('/a', '')).rejects.toMatchObject({ code: 'SESSION_EXPIRED', maybeApplied: false });
    await net.clock.advance(60_000);
    expect(states).toEqual(['suspended', 'lost']);
    expect(server.handshakes).toHaveLength(2);
    expect(net.clock.timers).toBe(0);
    await zk.close();
    expect(states).toEqual(['suspended', 'lost', 'closed']);
  });
});

describe('the lease', () => {
  it('runs out at the deadline less the margin, counted from the sending of what was last answered', async () => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a');
    await net.clock.advance(10_000);
    expect(states).toEqual([]);
    const answered = net.clock.now();
    await zk.exists('/a');
    const deadline = answered + T;
    expect(zk.session).toMatchObject({ deadline, timeout: T });
    expect(zk.session?.remaining()).toBe(T);
    // From now on nothing comes through in either direction.
    server.script = { onRequest: () => 'mute' };
    net.vanished.add('a:2181');
    const signal = zk.session?.signal;
    await net.clock.advance((T * 2) / 3 + 2);
    expect(states).toEqual(['suspended']);
    await net.clock.advance(deadline - MARGIN - net.clock.now() - 1);
    expect(states).toEqual(['suspended']);
    expect(signal?.aborted).toBe(false);
    await net.clock.advance(2);
    expect(states).toEqual(['suspended', 'lost', 'connecting']);
    expect(signal?.reason).toMatchObject({ code: 'SESSION_EXPIRED', message: expect.stringContaining('6000 ms') });
    expect(zk.session).toBeNull();
    await net.clock.advance(60_000);
    expect(states).toEqual(['suspended', 'lost', 'connecting']);
  });

  it('has the margin that was chosen', async () => {
    const { net, server } = network();
    const { states } = await connectedClient(net, 'a', { leaseMargin: 100 });
    server.script = { onRequest: () => 'mute' };
    net.vanished.add('a:2181');
    await net.clock.advance(T - 101);
    expect(states).toEqual(['suspended']);
    await net.clock.advance(2);
    expect(states).toEqual(['suspended', 'lost', 'connecting']);
  });

  it('ends a session whose servers close every handshake: they are behind it', async () => {
    const { net, server } = network();
    const other = net.serve('b', {}, { timeout: T });
    const { zk, states } = await connectedClient(net, 'a,b');
    await zk.exists('/a');
    const behind = {
      onHandshake: ({ lastZxid }: { lastZxid: bigint }) => (lastZxid > 0n ? ('close' as const) : undefined),
    };
    server.script = behind;
    other.script = behind;
    server.last.destroy();
    const cut = net.clock.now();
    await net.clock.advanceUntil(() => states.includes('lost'), 2 * T);
    expect(net.clock.now() - cut).toBeLessThanOrEqual(T - MARGIN + 1);
    const tries = [...server.peers, ...other.peers].map(({ at }) => at).filter((at) => at >= cut);
    expect(tries.length).toBeLessThanOrEqual(8);
    expect(other.handshakes.length).toBeGreaterThanOrEqual(2);
    expect(peak(tries.sort((x, y) => x - y).slice(2), 999)).toBe(1);
    expect(await net.clock.advanceUntil(() => zk.state === 'connected', T)).toBe(true);
  });

  it('of a session on a server that does not answer is judged by what was sent, not by what arrives', async () => {
    const { net, server } = network();
    const { zk, states } = await connectedClient(net, 'a');
    // Events keep coming, so the connection lives; but no answer does.
    server.script = { onRequest: () => 'mute' };
    net.vanished.add('a:2181');
    const start = server.last.at;
    for (let i = 0; i < 40 && !states.includes('lost'); i += 1) {
      server.last.send(event(1, '/a'));
      await net.clock.advance(250);
    }
    expect(net.clock.now() - start).toBeLessThanOrEqual(T - MARGIN + 250);
    expect(zk.session).toBeNull();
  });

  it('does not care for the wall clock', async () => {
    const { net } = network();
    const { zk, states } = await connectedClient(net, 'a');
    const suspect: number[] = [];
    zk.on('suspect', () => suspect.push(net.clock.now()));
    for (const jump of [3_600_000, -3_600_000, -3_600_000, 3_600_000]) {
      net.clock.wallOffset += jump;
      await net.clock.advance(2 * T);
      expect(await zk.exists('/a')).not.toBeNull();
    }
    expect(states).toEqual([]);
    // Forward it may have been a sleep: holds are in doubt until an answer has come, and no more than that.
    expect(suspect.length).toBeLessThanOrEqual(2);
  });

  it('survives an event loop that was blocked for nine tenths of it, right after an answered ping', async () => {
    const { net, server } = network();
    const { states } = await connectedClient(net, 'a', { leaseMargin: 100 });
    await net.clock.advance(T / 3);
    const pings = server.last.of(11).length;
    expect(pings).toBeGreaterThan(0);
    for (let i = 0; i < 5; i += 1) {
      await net.clock.jump(0.9 * T);
      await turn();
      await net.clock.advance(1);
    }
    expect(states).toEqual([]);
    expect(server.last.of(11).length).toBeGreaterThanOrEqual(pings + 5);
  });

  it('is over, before anything else is done, when the event loop was blocked for longer', async () => {
    const { net } = network();
    const { zk } = await connectedClient(net, 'a');
    const log: string[] = [];
    zk.session?.signal.addEventListener('abort', () => log.push('signal'));
    zk.on('state', (state) => log.push(state));
    await net.clock.jump(T);
    expect(log.slice(0, 3)).toEqual(['signal', 'lost', 'connecting']);
  });

  it('is over at the first call that is made after such a block', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    const old = zk.session;
    // Time has gone, and no timer has fired yet.
    net.clock.skip(T);
    const write = outcome(zk.set('/a', ''));
    expect(old?.signal.aborted).toBe(true);
    expect(old?.remaining()).toBe(0);
    await turn();
    expect(server.peers[0]?.of(5)).toEqual([]);
    await net.clock.advanceUntil(() => zk.session !== null, 2 * T);
    expect(await write).not.toMatchObject({ code: 'CONNECTION_LOSS' });
  });
});

describe('a session that was lost here, and lives on on the server', () => {
  async function lose(net: Simulation, server: ScriptedServer, options = {}) {
    const observed = await connectedClient(net, 'a', options);
    await observed.zk.exists('/a');
    const old = observed.zk.session?.id;
    server.script = { onRequest: () => 'mute' };
    net.vanished.add('a:2181');
    await net.clock.advanceUntil(() => observed.states.includes('lost'), 2 * T);
    net.vanished.clear();
    server.script = {};
    return { ...observed, old };
  }

  it('is ended there, by its id, before a new one is asked for', async () => {
    const { net, server } = network();
    const { zk, old } = await lose(net, server);
    expect(await net.clock.advanceUntil(() => zk.state === 'connected', 4 * T)).toBe(true);
    const [, burial, next] = server.peers;
    expect(server.peers).toHaveLength(3);
    expect(burial?.handshake).toMatchObject({ id: old, password: PASSWORD, lastZxid: 0n });
    expect(burial?.calls.map(({ type }) => type)).toEqual([-11]);
    expect(burial?.closed).toBe(true);
    expect(next?.handshake).toMatchObject({ id: 0n, lastZxid: 0n });
    expect(zk.session?.id).not.toBe(old);
  });

  it('needs no end when the server does not know it any more', async () => {
    const { net, server } = network();
    const { zk, old } = await lose(net, server);
    server.script = { onHandshake: ({ id }) => (id === old ? server.expired() : undefined) };
    const since = net.clock.now();
    expect(await net.clock.advanceUntil(() => zk.state === 'connected', 4 * T)).toBe(true);
    expect(server.handshakes.map(({ id }) => id)).toEqual([0n, old, 0n]);
    expect(net.clock.now() - since).toBeLessThan(6_000);
  });

  it('that the server has replaced by another, and ends by hanging up, takes one handshake and no more', async () => {
    const { net, server } = network();
    const { zk } = await lose(net, server);
    let made = 500n;
    server.script = {
      onHandshake: (handshake) => {
        made += 1n;
        return server.grant(handshake, { id: made });
      },
      onRequest: ({ type }) => (type === -11 ? 'close' : undefined),
    };
    for (let i = 0; i < 200 && zk.state !== 'connected'; i += 1) await turn();
    await net.clock.advanceUntil(() => zk.state === 'connected', 5_000);
    expect(zk.state).toBe('connected');
    expect(server.handshakes.length).toBeLessThanOrEqual(3);
  });

  it('is given up after a while when no server takes it, and a new one is asked for', async () => {
    const { net, server } = network();
    const { zk, old } = await lose(net, server);
    server.script = { onHandshake: ({ id }) => (id === old ? 'close' : undefined) };
    const since = net.clock.now();
    expect(await net.clock.advanceUntil(() => zk.state === 'connected', 10 * T)).toBe(true);
    expect(net.clock.now() - since).toBeLessThanOrEqual(2 * T + 7_500);
    expect(
      peak(
        server.peers.map(({ at }) => at).filter((at) => at > since + 1),
        999,
      ),
    ).toBe(1);
  });

  it('is ended even so when the client is closed meanwhile', async () => {
    const { net, server } = network();
    const { zk, old } = await lose(net, server);
    await zk.close();
    await turn();
    expect(zk.state).toBe('closed');
    expect(server.open).toBe(0);
    const { length } = server.peers;
    await net.clock.advance(60_000);
    expect(server.peers).toHaveLength(length);
    expect(server.handshakes.filter(({ id }) => id !== old && id !== 0n)).toEqual([]);
  });

  it('is given no burial when the client wants no new one', async () => {
    const { net, server } = network();
    const { zk } = await lose(net, server, { renewSession: false });
    await net.clock.advance(10 * T);
    expect(zk.state).toBe('lost');
    expect(net.clock.timers).toBe(0);
  });
});

describe('a server whose sessions end with their connection', () => {
  const zeros = { password: Buffer.alloc(16) };

  it.each([
    ['is known by its password of zeros', zeros, {}],
    ['is known by its user', {}, { sessionEnds: 'connection' as const }],
  ])('%s: a lost socket is a lost session', async (_name, granted, options) => {
    const { net, server } = network(granted);
    const { zk, states } = await connectedClient(net, 'a', options);
    const signal = zk.session?.signal;
    server.script = { onRequest: ({ type }) => (type === 11 ? undefined : 'mute') };
    const write = outcome(zk.set('/a', ''));
    const read = outcome(zk.get('/b'));
    await turn();
    server.script = {};
    const aborted: string[] = [];
    signal?.addEventListener('abort', () => aborted.push(zk.state));
    server.last.destroy();
    await net.clock.advanceUntil(() => states.includes('connected'), T);
    expect(states).toEqual(['lost', 'connecting', 'connected']);
    expect(aborted).toEqual(['lost']);
    expect(await write).toMatchObject({ code: 'SESSION_EXPIRED', maybeApplied: true });
    expect(await read).toMatchObject({ data: Buffer.from('data of /b') });
    // There is nothing to resume or to end.
    expect(server.handshakes.map(({ id }) => id)).toEqual([0n, 0n]);
  });

  it('says of a write that is on the wire, for the second time, that it may have been applied', async () => {
    const { net, server } = network(zeros);
    const { zk } = await connectedClient(net, 'a');
    let tries = 0;
    server.script = {
      onRequest: (request) => {
        if (request.type !== 5) return undefined;
        tries += 1;
        return tries === 1 ? server.error(request, -127) : 'close';
      },
    };
    expect(await outcome(zk.set('/a', ''))).toMatchObject({ code: 'SESSION_EXPIRED', maybeApplied: true, path: '/a' });
    expect(tries).toBe(2);
  });

  it.each([
    ['a password of its own', {}, {}],
    ['a password of zeros, where the user knows better', zeros, { sessionEnds: 'timeout' as const }],
  ])('is none that gives %s', async (_name, granted, options) => {
    const { net, server } = network(granted);
    const { zk, states } = await connectedClient(net, 'a', options);
    const id = zk.session?.id;
    server.last.destroy();
    await net.clock.advanceUntil(() => zk.state === 'connected' && states.length > 1, T);
    expect(states).toEqual(['suspended', 'connected']);
    expect(server.last.handshake?.id).toBe(id);
  });
});

describe('the news of a loss', () => {
  it('come in order: signal, state, watches, and then the rejections', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    const log: string[] = [];
    zk.session?.signal.addEventListener('abort', () => log.push(`signal in ${zk.state}`));
    zk.on('state', (state, previous) => log.push(`${previous} -> ${state}`));
    zk.on('lost', () => log.push('lost'));
    await zk.exists('/w', { watch: ({ type }) => log.push(type) });
    server.script = { onRequest: () => 'mute' };
    const write = outcome(zk.set('/a', '')).then(() => log.push('rejected'));
    net.vanished.add('a:2181');
    await net.clock.advance(T * 0.7);
    const late = outcome(zk.set('/b', '')).then(() => log.push('rejected late'));
    await net.clock.advance(T * 0.3);
    await Promise.all([write, late]);
    expect(log).toEqual([
      'connected -> suspended',
      'rejected',
      'signal in lost',
      'suspended -> lost',
      'lost',
      'session-lost',
      'lost -> connecting',
      'rejected late',
    ]);
  });

  it('are told once for a session, however often it could be', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    let lost = 0;
    zk.on('lost', () => {
      lost += 1;
    });
    server.script = { onRequest: (request) => (request.type === 11 ? undefined : server.error(request, -112)) };
    const calls = Array.from({ length: 10 }, (_, i) => outcome(zk.set(`/${i}`, '')));
    await turn();
    server.script = {};
    await Promise.all(calls);
    await net.clock.advanceUntil(() => zk.state === 'connected', T);
    expect(lost).toBe(1);
  });

  it('may end in a new client being made of the same session, elsewhere', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    const session = zk.session as { id: bigint; password: Buffer };
    await zk.close({ detach: true });
    expect(server.last.calls).toEqual([]);
    const { zk: heir, connected } = client(net, 'a', { session: { id: session.id, password: session.password } });
    expect(await connected).toBeUndefined();
    expect(heir.session?.id).toBe(session.id);
    expect(new Cursor(server.last.handshake?.raw as Buffer).int()).toBe(0);
  });
});
