import { afterEach, describe, expect, it } from '@jest/globals';
import { reply } from './support/bytes.ts';
import { client, closeClients } from './support/clients.ts';
import { turn } from './support/manual-clock.ts';
import { peak, Simulation } from './support/simulation.ts';

afterEach(closeClients);

describe('a first session', () => {
  it('is asked for with zeros, and is what the server grants', async () => {
    const net = new Simulation();
    const server = net.serve('a', {}, { id: 0xfffffffffffffffen, timeout: 4_000 });
    const { zk, states, connected } = client(net, 'a', { sessionTimeout: 9_000 });
    expect(await connected).toBeUndefined();
    expect(server.handshakes).toMatchObject([
      { lastZxid: 0n, timeout: 9_000, id: 0n, password: Buffer.alloc(16), readOnly: false },
    ]);
    expect(server.handshakes[0]?.raw).toHaveLength(45);
    expect(zk.session).toMatchObject({ id: -2n, timeout: 4_000 });
    expect(zk.server).toEqual({ host: 'a', address: 'a', port: 2181 });
    expect(states).toEqual(['connected']);
  });

  it('is the same for two calls of connect', async () => {
    const net = new Simulation();
    const server = net.serve('a');
    const { zk, connected } = client(net, 'a');
    await Promise.all([connected, zk.connect(), zk.connect()]);
    await zk.connect();
    expect(server.handshakes).toHaveLength(1);
  });

  it('is waited for through ten times the session timeout of refusals, and nothing is lost meanwhile', async () => {
    const net = new Simulation();
    const { zk, states } = client(net, 'a', { sessionTimeout: 4_000, connectTimeout: 0 });
    await net.clock.advance(40_000);
    expect(states).toEqual([]);
    expect(zk.state).toBe('connecting');
    expect(zk.session).toBeNull();
    const server = net.serve('a');
    await net.clock.advanceUntil(() => zk.state === 'connected', 10_000);
    expect(states).toEqual(['connected']);
    expect(server.handshakes.map(({ id }) => id)).toEqual([0n]);
  });

  it('is waited for through a server that closes every handshake, too', async () => {
    const net = new Simulation();
    const server = net.serve('a', { onHandshake: () => 'close' });
    const { zk, states } = client(net, 'a', { sessionTimeout: 4_000, connectTimeout: 0 });
    await net.clock.advance(40_000);
    expect(states).toEqual([]);
    expect(server.handshakes.every(({ id }) => id === 0n)).toBe(true);
    server.script = {};
    await net.clock.advanceUntil(() => zk.state === 'connected', 10_000);
    expect(states).toEqual(['connected']);
  });

  it('that a server refuses as expired is asked for again, and is no loss', async () => {
    const net = new Simulation();
    const server = net.serve('a', { onHandshake: () => server.expired() });
    const { zk, states } = client(net, 'a', { connectTimeout: 0 });
    await net.clock.advance(30_000);
    expect(states).toEqual([]);
    expect(peak(net.attempts.map(({ at }) => at).slice(1), 1_000)).toBe(1);
    server.script = {};
    await net.clock.advanceUntil(() => zk.state === 'connected', 10_000);
    expect(states).toEqual(['connected']);
  });
});

describe('connectTimeout', () => {
  it('ends the client with the last thing that went wrong, and leaves no timer', async () => {
    const net = new Simulation();
    const { zk, states, connected } = client(net, 'a:2181,b:2181', { connectTimeout: 2_000 });
    await net.clock.advance(1_999);
    expect(zk.state).toBe('connecting');
    await net.clock.advance(1);
    const error = (await connected) as Error & { cause: Error };
    expect(error).toMatchObject({ code: 'TIMEOUT', operation: 'connect', message: expect.stringContaining('2000 ms') });
    expect(error.cause).toMatchObject({ code: 'CONNECTION_LOSS', cause: { code: 'ECONNREFUSED' } });
    expect(zk.state).toBe('closed');
    expect(states).toEqual(['closed']);
    await expect(zk.get('/a')).rejects.toMatchObject({ code: 'CLOSED' });
    expect(net.clock.timers).toBe(0);
    const { length } = net.attempts;
    await net.clock.advance(60_000);
    expect(net.attempts).toHaveLength(length);
  });

  it.each([
    ['vanishes', (net: Simulation) => net.vanished.add('a:2181')],
    ['is mute', (net: Simulation) => net.serve('a', { onHandshake: () => 'mute' })],
    ['closes', (net: Simulation) => net.serve('a', { onHandshake: () => 'close' })],
    ['has no address', (net: Simulation) => net.names.set('a', [])],
    [
      'cannot be resolved',
      (net: Simulation) =>
        net.names.set('a', Object.assign(new Error('getaddrinfo ENOTFOUND a'), { code: 'ENOTFOUND' })),
    ],
  ])('ends a client whose only server %s', async (_name, arrange) => {
    const net = new Simulation();
    arrange(net);
    const { connected } = client(net, 'a', { connectTimeout: 20_000, sessionTimeout: 6_000 });
    await net.clock.advance(20_000);
    const error = (await connected) as Error & { cause?: { code: string } };
    expect(error).toMatchObject({ code: 'TIMEOUT' });
    expect(['CONNECTION_LOSS', 'TIMEOUT']).toContain(error.cause?.code);
    await turn();
    expect(net.clock.timers).toBe(0);
  });

  it('of a client that has its session means nothing any more', async () => {
    const net = new Simulation();
    const server = net.serve('a', {}, { timeout: 4_000 });
    const { zk, connected } = client(net, 'a', { connectTimeout: 1_000 });
    await connected;
    net.servers.clear();
    server.last.destroy();
    await net.clock.advance(2_000);
    expect(zk.state).toBe('suspended');
  });
});

describe('a server that takes connections and closes them', () => {
  it.each(['at once', 'after the ConnectRequest'])(
    '%s is tried at most once a second after the first round',
    async (when) => {
      const net = new Simulation();
      const script =
        when === 'at once' ? { onConnect: () => 'close' as const } : { onHandshake: () => 'close' as const };
      for (const name of ['a', 'b', 'c']) net.serve(name, script);
      client(net, 'a,b,c', { connectTimeout: 0 });
      await net.clock.advance(60_000);
      const times = net.attempts.map(({ at }) => at);
      expect(times.length).toBeGreaterThan(8);
      expect(times.length).toBeLessThan(60);
      expect(peak(times.slice(3), 999)).toBe(1);
      expect([...new Set(net.attempts.map(({ target }) => target.host))].sort()).toEqual(['a', 'b', 'c']);
    },
  );

  it('right behind its grant is tried at a bounded rate, too', async () => {
    const net = new Simulation();
    const server = net.serve('a', {
      onHandshake: (handshake, peer) => {
        peer.send(server.grant(handshake));
        return 'close';
      },
    });
    const { zk } = client(net, 'a', { sessionTimeout: 30_000, connectTimeout: 0 });
    for (let i = 0; i < 10_000 && server.peers.length < 500; i += 1) await turn();
    await net.clock.advance(20_000);
    // A handshake in 20 s of simulated time costs nothing: without any wait there would be hundreds.
    expect(server.handshakes.length).toBeLessThan(60);
    expect(zk.state).not.toBe('closed');
  });

  it('with the first call is tried at a bounded rate, too', async () => {
    const net = new Simulation();
    const server = net.serve('a', { onRequest: ({ type }) => (type === 11 ? undefined : 'close') });
    const auth = [{ scheme: 'digest', auth: 'a:b' }];
    const { zk } = client(net, 'a', { sessionTimeout: 30_000, connectTimeout: 0, auth });
    for (let i = 0; i < 10_000 && server.peers.length < 500; i += 1) await turn();
    await net.clock.advance(20_000);
    expect(server.handshakes.length).toBeLessThan(60);
    expect(zk.state).not.toBe('closed');
  });
});

describe('a server that hangs up on the watches of its client', () => {
  it.each([
    ['and answers nothing before', false],
    ['after it has answered the credentials', true],
  ])('%s, is tried at a bounded rate', async (_name, withAuth) => {
    const net = new Simulation();
    const server = net.serve('a', {}, { timeout: 30_000 });
    const { zk, connected } = client(net, 'a', withAuth ? { auth: [{ scheme: 'digest', auth: 'a:b' }] } : {});
    await connected;
    await zk.get('/a', { watch: () => {} });
    server.script = { onRequest: ({ type }) => (type === 101 ? 'close' : undefined) };
    server.last.destroy();
    for (let i = 0; i < 10_000 && server.peers.length < 300; i += 1) await turn();
    await net.clock.advance(20_000);
    expect(server.handshakes.length).toBeLessThan(30);
  });
});

describe('the servers of an ensemble', () => {
  it('are passed over when mute: the next one is asked within its share of the session', async () => {
    const net = new Simulation();
    const mute = net.serve('a', { onHandshake: () => 'mute' });
    const good = net.serve('b');
    const { zk, connected } = client(net, 'a,b', { sessionTimeout: 9_000 });
    await net.clock.advance(3_100);
    expect(await connected).toBeUndefined();
    expect(zk.server?.host).toBe('b');
    expect((good.last.at - mute.last.at) / 9_000).toBeCloseTo(1 / 3, 1);
    expect(mute.open).toBe(0);
  });

  it('share what is left of a session that is to be resumed', async () => {
    const net = new Simulation();
    const [a, b] = [net.serve('a', {}, { timeout: 9_000 }), net.serve('b', {}, { timeout: 9_000 })];
    const c = net.serve('c', { onHandshake: () => 'mute' });
    const { zk, states, connected } = client(net, 'a,b,c', { sessionTimeout: 9_000 });
    await connected;
    b.script = { onHandshake: () => 'mute' };
    net.servers.delete('a:2181');
    a.last.destroy();
    await turn();
    // b and c are mute; a is back before the session is over, and there is time enough to ask it.
    net.servers.set('a:2181', a);
    expect(await net.clock.advanceUntil(() => zk.state === 'connected', 9_000)).toBe(true);
    expect(states).toEqual(['connected', 'suspended', 'connected']);
    expect([b.handshakes.length, c.handshakes.length, a.handshakes.length]).toEqual([1, 1, 2]);
  });

  it.each([
    ['a refusal in 16 bytes', 16],
    ['protocol version 42', 42],
    ['bytes that are no ZooKeeper', 0],
  ])('are passed over that answer with %s', async (_name, kind) => {
    const net = new Simulation();
    const odd = net.serve('a', {
      onHandshake: (handshake) => {
        if (kind === 16) return reply(0, 7n, -119);
        return kind === 42
          ? odd.grant(handshake, { version: 42, timeout: 0 })
          : Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n');
      },
    });
    net.serve('b');
    const { zk, states, connected } = client(net, 'a,b');
    await net.clock.advance(100);
    expect(await connected).toBeUndefined();
    expect(states).toEqual(['connected']);
    expect(zk.server?.host).toBe('b');
  });

  it('have their names looked up at every attempt, and an address that has changed is used', async () => {
    const net = new Simulation();
    net.names.set('zk', ['192.0.2.1']);
    const old = net.serve('192.0.2.1', {}, { timeout: 6_000 });
    const { zk, connected } = client(net, 'zk');
    await connected;
    expect(zk.server).toEqual({ host: 'zk', address: '192.0.2.1', port: 2181 });
    net.servers.clear();
    old.last.destroy();
    await net.clock.advance(1_600);
    const { length } = net.lookups;
    expect(length).toBe(net.attempts.length);
    net.names.set('zk', ['192.0.2.2']);
    net.serve('192.0.2.2');
    expect(await net.clock.advanceUntil(() => zk.state === 'connected', 4_000)).toBe(true);
    expect(net.lookups.length).toBeGreaterThan(length);
    expect(zk.server).toEqual({ host: 'zk', address: '192.0.2.2', port: 2181 });
  });

  it('that cannot be resolved do no harm', async () => {
    const net = new Simulation();
    net.names.set('nosuch.invalid', new Error('getaddrinfo ENOTFOUND nosuch.invalid'));
    net.serve('b');
    const { zk, connected } = client(net, 'nosuch.invalid,b');
    await net.clock.advance(100);
    expect(await connected).toBeUndefined();
    expect(zk.server?.host).toBe('b');
  });

  it('may not resolve for a while', async () => {
    const net = new Simulation();
    net.names.set('zk', new Error('EAI_AGAIN'));
    const { zk } = client(net, 'zk', { connectTimeout: 0 });
    await net.clock.advance(30_000);
    expect(net.attempts).toEqual([]);
    expect(peak(net.lookups.map(({ at }) => at).slice(1), 999)).toBe(1);
    net.names.set('zk', ['192.0.2.1']);
    net.serve('192.0.2.1');
    expect(await net.clock.advanceUntil(() => zk.state === 'connected', 10_000)).toBe(true);
  });

  it('with several addresses are tried at each of them in turn', async () => {
    const net = new Simulation();
    net.names.set('zk', ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4']);
    net.vanished.add('192.0.2.1:2181');
    const mute = net.serve('192.0.2.2', { onHandshake: () => 'mute' });
    const good = net.serve('192.0.2.4');
    const { zk, connected } = client(net, 'zk', { sessionTimeout: 12_000 });
    await net.clock.advance(6_000);
    expect(await connected).toBeUndefined();
    expect(net.attempts.map(({ target }) => target.address)).toEqual([
      '192.0.2.1',
      '192.0.2.2',
      '192.0.2.3',
      '192.0.2.4',
    ]);
    expect(net.lookups).toHaveLength(1);
    expect(zk.server?.address).toBe('192.0.2.4');
    expect([mute.open, good.open]).toEqual([0, 1]);
  });

  it('may take too long to be resolved: the next one is asked', async () => {
    const net = new Simulation();
    net.serve('b');
    const { lookup } = net.environment as { lookup(host: string): Promise<readonly string[]> };
    const environment = {
      ...net.environment,
      lookup: (host: string) => (host === 'slow' ? new Promise<never>(() => {}) : lookup(host)),
    };
    const { zk, connected } = client(net, 'slow,b', { environment, sessionTimeout: 6_000 });
    await net.clock.advance(2_100);
    expect(await connected).toBeUndefined();
    expect(zk.server?.host).toBe('b');
  });

  it('may have a resolver that throws', async () => {
    const net = new Simulation();
    net.serve('b');
    const { lookup } = net.environment as { lookup(host: string): Promise<readonly string[]> };
    const environment = {
      ...net.environment,
      lookup: (host: string) => {
        if (host === 'a') throw new Error('no resolver');
        return lookup(host);
      },
    };
    const { zk, connected } = client(net, 'a,b', { environment });
    await net.clock.advance(100);
    expect(await connected).toBeUndefined();
    await zk.close({ timeout: 0 });
    expect(net.clock.timers).toBe(0);
  });
});

describe('taking a session over', () => {
  const session = { id: -2n, password: Buffer.from('fedcba9876543210') };

  it('asks for it bit by bit', async () => {
    const net = new Simulation();
    const server = net.serve('a', {}, { password: session.password });
    const { zk, states, connected } = client(net, 'a', { session });
    expect(await connected).toBeUndefined();
    expect(server.handshakes).toMatchObject([{ lastZxid: 0n, id: -2n, password: session.password }]);
    expect(server.handshakes[0]?.raw.subarray(16, 24).toString('hex')).toBe('fffffffffffffffe');
    expect(zk.session?.id).toBe(-2n);
    expect(states).toEqual(['connected']);
  });

  it.each(['gone', 'replaced'])('that is %s is a loss, and a new one follows', async (how) => {
    const net = new Simulation();
    const server = net.serve('a', {
      onHandshake: (handshake) => {
        if (handshake.id === 0n) return undefined;
        return how === 'gone' ? server.expired() : server.grant(handshake, { id: 77n });
      },
    });
    const { zk, states, connected } = client(net, 'a', { session });
    const events: string[] = [];
    for (const name of ['connected', 'renewed', 'lost'] as const) zk.on(name, () => events.push(name));
    await net.clock.advance(2_000);
    expect(await connected).toBeUndefined();
    expect(states).toEqual(['lost', 'connecting', 'connected']);
    expect(events).toEqual(['lost', 'renewed']);
    expect(zk.session?.id).not.toBe(-2n);
    expect(server.open).toBe(1);
  });

  it.each(['gone', 'replaced'])('that is %s rejects connect() where none shall follow', async (how) => {
    const net = new Simulation();
    const server = net.serve('a', {
      onHandshake: (handshake) => (how === 'gone' ? server.expired() : server.grant(handshake, { id: 77n })),
    });
    const { zk, states, connected } = client(net, 'a', { session, renewSession: false });
    await net.clock.advance(2_000);
    expect(await connected).toMatchObject({ code: 'SESSION_EXPIRED' });
    expect(states).toEqual(['lost']);
    await expect(zk.get('/a')).rejects.toMatchObject({ code: 'SESSION_EXPIRED' });
    await turn();
    expect(server.open).toBe(0);
    expect(net.clock.timers).toBe(0);
    await net.clock.advance(30_000);
    expect(server.handshakes).toHaveLength(1);
  });
});
