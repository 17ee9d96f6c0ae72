import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ZooKeeper, type ZooKeeperOptions } from '../src/index.ts';
import { client, closeClients, connectedClient } from './support/clients.ts';
import { turn } from './support/manual-clock.ts';
import { type Script, ScriptedServer } from './support/scripted-server.ts';
import { Simulation } from './support/simulation.ts';
import { outcome, until } from './support/until.ts';

const servers: ScriptedServer[] = [];

afterEach(async () => {
  await closeClients();
  for (const server of servers.splice(0)) await server.stop();
});

async function listening(script: Script = {}, granted = {}): Promise<ScriptedServer> {
  const server = await ScriptedServer.listen(script, { timeout: 1_500, ...granted });
  servers.push(server);
  return server;
}

function make(connectString: string, options: ZooKeeperOptions = {}) {
  const zk = new ZooKeeper(connectString, { sessionTimeout: 1_500, ...options });
  const states: string[] = [];
  zk.on('state', (state) => states.push(state));
  return { zk, states };
}

/** Closes, and says how long that took. */
async function closed(zk: ZooKeeper): Promise<number> {
  const start = performance.now();
  await zk.close();
  expect(zk.state).toBe('closed');
  return performance.now() - start;
}

/** Nothing connects any more, though it could for longer than a client would wait. */
async function staysAway(server: ScriptedServer): Promise<void> {
  const { length } = server.peers;
  await until(() => server.open === 0, 'all connections are closed');
  const end = performance.now() + 120;
  await until(() => performance.now() > end, 'a while has passed');
  expect(server.peers).toHaveLength(length);
}

describe('close() over real sockets settles within two seconds, leaves nothing, and nothing connects afterwards', () => {
  it('before connect()', async () => {
    const server = await listening();
    const { zk, states } = make(server.connectString);
    expect(await closed(zk)).toBeLessThan(100);
    expect(states).toEqual(['closed']);
    await expect(zk.connect()).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(zk.get('/a')).rejects.toMatchObject({ code: 'CLOSED', path: '/a' });
    expect(server.peers).toEqual([]);
  });

  it('in the same tick as connect()', async () => {
    const server = await listening();
    const { zk, states } = make(server.connectString);
    const connecting = outcome(zk.connect());
    expect(await closed(zk)).toBeLessThan(100);
    expect(await connecting).toMatchObject({ code: 'CLOSED' });
    expect(states).toEqual(['closed']);
    await staysAway(server);
  });

  it('while the socket opens', async () => {
    const server = await listening({ onHandshake: () => 'mute' });
    const { zk } = make(server.connectString);
    const connecting = outcome(zk.connect());
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await closed(zk)).toBeLessThan(100);
    expect(await connecting).toMatchObject({ code: 'CLOSED' });
    await staysAway(server);
  });

  it('while the ConnectRequest is out', async () => {
    const server = await listening({ onHandshake: () => 'mute' });
    const { zk, states } = make(server.connectString);
    const connecting = outcome(zk.connect());
    await until(() => server.handshakes.length === 1, 'the handshake is out');
    expect(await closed(zk)).toBeLessThan(100);
    expect(await connecting).toMatchObject({ code: 'CLOSED' });
    expect(states).toEqual(['closed']);
    await staysAway(server);
  });

  it('when the grant arrives at the same moment', async () => {
    const server = await listening();
    for (let i = 0; i < 20; i += 1) {
      const { zk } = make(server.connectString);
      const connecting = outcome(zk.connect());
      const { length } = server.handshakes;
      await until(() => server.handshakes.length > length, 'the handshake is out');
      // A different number of turns each time, so that the grant is seen before, at and after the close.
      for (let n = 0; n < i % 5; n += 1) await new Promise((resolve) => setImmediate(resolve));
      expect(await closed(zk)).toBeLessThan(500);
      expect([undefined, 'CLOSED']).toContain(((await connecting) as { code?: string } | undefined)?.code);
    }
    await staysAway(server);
  });

  it('while nobody listens, though somebody does later', async () => {
    const server = await listening();
    const { port } = server;
    await server.stop();
    const { zk } = make(`127.0.0.1:${port}`);
    const connecting = outcome(zk.connect());
    const end = performance.now() + 60;
    await until(() => performance.now() > end, 'some attempts have failed');
    expect(await closed(zk)).toBeLessThan(100);
    expect(await connecting).toMatchObject({ code: 'CLOSED' });
    await server.listen(port);
    await staysAway(server);
  });

  it('with a session: it is ended on the server', async () => {
    const server = await listening();
    const { zk, states } = make(server.connectString);
    await zk.connect();
    const signal = zk.session?.signal;
    const call = outcome(zk.get('/a'));
    expect(await closed(zk)).toBeLessThan(500);
    expect(await call).toMatchObject({ data: Buffer.from('data of /a') });
    expect(server.last.calls.map(({ type }) => type)).toEqual([4, -11]);
    expect(signal?.reason).toMatchObject({ code: 'CLOSED' });
    expect(zk.session).toBeNull();
    expect(states).toEqual(['connected', 'closed']);
    await staysAway(server);
  });

  it('with a session, and detach: it lives on', async () => {
    const server = await listening();
    const { zk } = make(server.connectString);
    await zk.connect();
    const signal = zk.session?.signal;
    await zk.close({ detach: true });
    expect(server.last.calls).toEqual([]);
    expect(signal?.aborted).toBe(true);
    await staysAway(server);
  });

  it('twice, and more often: the same end', async () => {
    const server = await listening();
    const { zk, states } = make(server.connectString);
    await zk.connect();
    await Promise.all([zk.close(), zk.close(), zk.close({ detach: true }), zk[Symbol.asyncDispose]()]);
    await zk.close();
    expect(server.last.of(-11)).toHaveLength(1);
    expect(states).toEqual(['connected', 'closed']);
    await staysAway(server);
  });

  it('with a server that is mute', async () => {
    const server = await listening();
    const { zk } = make(server.connectString);
    await zk.connect();
    server.script = { onRequest: () => 'mute' };
    const calls = [outcome(zk.get('/1')), outcome(zk.set('/2', ''))];
    expect(await closed(zk)).toBeLessThan(2_000);
    expect(await Promise.all(calls)).toMatchObject([
      { code: expect.stringMatching(/^(CLOSED|CONNECTION_LOSS)$/), path: '/1' },
      { code: expect.stringMatching(/^(CLOSED|CONNECTION_LOSS)$/), path: '/2', maybeApplied: true },
    ]);
    await staysAway(server);
  });

  it('while suspended, with no server: within what is left of the session', async () => {
    const server = await listening();
    const { zk, states } = make(server.connectString);
    await zk.connect();
    const { port } = server;
    await server.stop();
    await until(() => zk.state === 'suspended', 'the loss is noticed');
    const waiting = [outcome(zk.get('/1')), outcome(zk.set('/2', ''))];
    expect(await closed(zk)).toBeLessThan(2_000);
    expect(await Promise.all(waiting)).toMatchObject([
      { code: 'CLOSED', path: '/1' },
      { code: 'CLOSED', path: '/2', maybeApplied: false },
    ]);
    expect(states).toEqual(['connected', 'suspended', 'closed']);
    await server.listen(port);
    await staysAway(server);
  });

  it('while suspended, with a server: the session is ended there', async () => {
    const server = await listening();
    const { zk } = make(server.connectString);
    await zk.connect();
    const id = zk.session?.id;
    const suspended = new Promise<void>((resolve) => zk.on('suspended', resolve));
    server.last.destroy();
    await suspended;
    expect(await closed(zk)).toBeLessThan(2_000);
    expect(server.last.handshake?.id).toBe(id);
    expect(server.last.calls.map(({ type }) => type)).toEqual([-11]);
    await staysAway(server);
  });

  it('after the session is lost for good', async () => {
    const server = await listening();
    const { zk, states } = make(server.connectString, { renewSession: false });
    await zk.connect();
    server.script = { onHandshake: () => server.expired() };
    server.last.destroy();
    await until(() => zk.state === 'lost', 'the loss');
    expect(await closed(zk)).toBeLessThan(100);
    expect(states).toEqual(['connected', 'suspended', 'lost', 'closed']);
    await staysAway(server);
  });

  it('after connect() has given up', async () => {
    const server = await listening({ onHandshake: () => 'mute' });
    const { zk } = make(server.connectString, { connectTimeout: 60 });
    await expect(zk.connect()).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(await closed(zk)).toBeLessThan(100);
    await staysAway(server);
  });

  it('by ZooKeeper.connect itself, when there is no session in time or its signal aborts', async () => {
    const server = await listening({ onHandshake: () => 'mute' });
    const start = performance.now();
    await expect(ZooKeeper.connect(server.connectString, { connectTimeout: 100 })).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('100 ms'),
    });
    expect(performance.now() - start).toBeLessThan(1_000);
    const giveUp = new AbortController();
    const connecting = outcome(ZooKeeper.connect(server.connectString, { signal: giveUp.signal }));
    await until(() => server.handshakes.length === 2, 'the handshake is out');
    giveUp.abort('enough');
    expect(await connecting).toBe('enough');
    await expect(ZooKeeper.connect(server.connectString, { timeout: 50 })).rejects.toMatchObject({ code: 'TIMEOUT' });
    await expect(ZooKeeper.connect(server.connectString, { signal: giveUp.signal })).rejects.toBe('enough');
    await staysAway(server);
  });
});

describe('close() in simulated time', () => {
  const T = 6_000;

  it('ends at its own timeout at the latest', async () => {
    for (const phase of ['connected', 'suspended']) {
      const net = new Simulation();
      const server = net.serve('a', {}, { timeout: T });
      const { zk } = await connectedClient(net, 'a');
      server.script = { onRequest: () => 'mute' };
      if (phase === 'suspended') {
        net.servers.clear();
        server.last.destroy();
        await turn();
        expect(zk.state).toBe('suspended');
      }
      const start = net.clock.now();
      let done = 0;
      const closing = zk.close({ timeout: 700 }).then(() => {
        done = net.clock.now();
      });
      await net.clock.advance(3_000);
      await closing;
      expect([phase, done - start]).toEqual([phase, 700]);
      expect(net.clock.timers).toBe(0);
      expect(server.open).toBe(0);
    }
  });

  it('with a timeout of 0 says no goodbye', async () => {
    const net = new Simulation();
    const server = net.serve('a', {}, { timeout: T });
    const { zk } = await connectedClient(net, 'a');
    await zk.close({ timeout: 0 });
    await turn();
    expect(server.last.calls).toEqual([]);
    expect(server.open).toBe(0);
  });

  it.each(['before', 'meanwhile', 'by a second call'])('ends when its signal aborts, %s', async (when) => {
    const net = new Simulation();
    const server = net.serve('a', {}, { timeout: T });
    const { zk } = await connectedClient(net, 'a');
    server.script = { onRequest: () => 'mute' };
    const enough = new AbortController();
    if (when === 'before') enough.abort();
    let done = false;
    const first = zk.close(when === 'by a second call' ? {} : { signal: enough.signal }).then(() => {
      done = true;
    });
    await turn();
    expect(done).toBe(when === 'before');
    if (when === 'by a second call') void zk.close({ signal: enough.signal });
    enough.abort();
    await first;
    await turn();
    expect([zk.state, server.open, net.clock.timers]).toEqual(['closed', 0, 0]);
    expect(getEventListeners(enough.signal, 'abort')).toEqual([]);
  });

  it('ends when its signal aborts while a server is looked for', async () => {
    const net = new Simulation();
    const server = net.serve('a', {}, { timeout: T });
    const { zk } = await connectedClient(net, 'a');
    server.script = { onHandshake: () => 'mute' };
    server.last.destroy();
    expect(await net.clock.advanceUntil(() => zk.state === 'suspended', T)).toBe(true);
    const enough = new AbortController();
    const closing = zk.close({ signal: enough.signal });
    await turn();
    enough.abort();
    await closing;
    await turn();
    expect([zk.state, server.open, net.clock.timers]).toEqual(['closed', 0, 0]);
  });

  it.each([null, 5, { signal: 5 }, { signal: null }, { timeout: 'x' }])(
    'resolves whatever it is given: %p',
    async (given) => {
      const net = new Simulation();
      net.serve('a', {}, { timeout: T });
      const { zk } = await connectedClient(net, 'a');
      expect(await zk.close(given as never)).toBeUndefined();
      expect(net.clock.timers).toBe(0);
    },
  );

  it('ends at the end of the session without one', async () => {
    const net = new Simulation();
    const server = net.serve('a', {}, { timeout: T });
    const { zk } = await connectedClient(net, 'a', { sessionTimeout: 40_000 });
    server.script = { onRequest: () => 'mute' };
    const { deadline } = zk.session as { deadline: number };
    await net.clock.advance(1_000);
    let done = 0;
    const closing = zk.close().then(() => {
      done = net.clock.now();
    });
    await net.clock.advance(10_000);
    await closing;
    expect(done).toBeLessThanOrEqual(deadline);
    expect(net.clock.timers).toBe(0);
  });

  it('in a state listener works like anywhere else', async () => {
    for (const event of ['connected', 'suspended', 'lost', 'renewed', 'reconnected'] as const) {
      const net = new Simulation();
      const server = net.serve('a', {}, { timeout: T });
      // Nor does it need a server that hangs up by itself.
      server.script = {
        onRequest: (request, peer) => {
          if (request.type !== -11) return undefined;
          peer.send(server.answer(request));
          return 'mute';
        },
      };
      const { zk, states } = client(net, 'a');
      let closing: Promise<void> | null = null;
      zk.on(event, () => {
        closing = zk.close();
      });
      await turn();
      if (event === 'suspended' || event === 'reconnected') server.last.destroy();
      if (event === 'lost' || event === 'renewed') {
        const old = zk.session?.id;
        server.script = { ...server.script, onHandshake: ({ id }) => (id === old ? server.expired() : undefined) };
        server.last.destroy();
      }
      expect(await net.clock.advanceUntil(() => closing !== null, 2 * T)).toBe(true);
      const start = net.clock.now();
      let done = false;
      void (closing as unknown as Promise<void>).then(() => {
        done = true;
      });
      expect([event, await net.clock.advanceUntil(() => done, 2 * T)]).toEqual([event, true]);
      expect(net.clock.now() - start).toBeLessThan(1_000);
      expect(states.at(-1)).toBe('closed');
      expect(zk.state).toBe('closed');
      await turn();
      expect([event, server.open, net.clock.timers]).toEqual([event, 0, 0]);
      const { length } = server.peers;
      await net.clock.advance(60_000);
      expect(server.peers).toHaveLength(length);
    }
  });

  it('in a watch listener, or in the continuation of a call, works like anywhere else', async () => {
    const net = new Simulation();
    const server = net.serve('a', {}, { timeout: T });
    const { zk } = await connectedClient(net, 'a');
    await zk.get('/a').then(() => zk.close());
    expect(zk.state).toBe('closed');
    const { zk: other } = await connectedClient(net, 'a');
    const heard: string[] = [];
    await other.get('/a', {
      watch: ({ type }) => {
        heard.push(type);
        void other.close();
      },
    });
    await other.close();
    expect(heard).toEqual(['closed']);
    expect(server.open).toBe(0);
  });

  it('tells each watch, once', async () => {
    const net = new Simulation();
    net.serve('a', {}, { timeout: T });
    const { zk } = await connectedClient(net, 'a');
    const heard: string[] = [];
    const listen = (name: string) => (told: { type: string; path: string }) =>
      heard.push(`${name} ${told.type} ${told.path}`);
    await zk.get('/a', { watch: listen('1') });
    await zk.exists('/a', { watch: listen('2') });
    await zk.children('/b', { watch: listen('3') });
    await zk.close();
    await zk.close();
    expect(heard.sort()).toEqual(['1 closed /a', '2 closed /a', '3 closed /b']);
  });

  it('tells a watch that is set while it says goodbye', async () => {
    const net = new Simulation();
    net.serve('a', {}, { timeout: T });
    const { zk } = await connectedClient(net, 'a');
    const heard: string[] = [];
    const reading = zk.get('/a', { watch: ({ type, path }) => heard.push(`${type} ${path}`) });
    const closing = zk.close();
    expect(await reading).toMatchObject({ data: Buffer.from('data of /a') });
    await closing;
    expect(heard).toEqual(['closed /a']);
  });

  it('settles what is being tried again, too', async () => {
    const net = new Simulation();
    const server = net.serve('a', {}, { timeout: T });
    const { zk } = await connectedClient(net, 'a');
    server.script = {
      onRequest: (request) =>
        request.type === 11 ? undefined : request.type === -11 ? undefined : server.error(request, -127),
    };
    const calls = [outcome(zk.get('/1')), outcome(zk.set('/2', '')), outcome(zk.delete('/3', { guaranteed: true }))];
    // By then they wait for their next try, which is a hundred milliseconds of real time away or more.
    await until(() => server.last.of(4).length >= 2, 'the read was tried twice');
    await zk.close();
    expect(await Promise.all(calls)).toMatchObject([
      { code: 'CLOSED', path: '/1' },
      { code: 'CLOSED', path: '/2', maybeApplied: false },
      { code: 'CLOSED', path: '/3' },
    ]);
    expect(net.clock.timers).toBe(0);
  });

  it('rejects everything that is made afterwards, at once', async () => {
    const net = new Simulation();
    net.serve('a', {}, { timeout: T });
    const { zk } = await connectedClient(net, 'a/app');
    await zk.close();
    const calls = {
      create: zk.create('/a'),
      get: zk.get('/a'),
      set: zk.set('/a', ''),
      delete: zk.delete('/a'),
      exists: zk.exists('/a'),
      children: zk.children('/a'),
      sync: zk.sync('/a'),
    };
    for (const [operation, call] of Object.entries(calls)) {
      expect(await outcome(call)).toMatchObject({ code: 'CLOSED', name: 'ClosedError', operation, path: '/a' });
    }
    expect(await outcome(zk.set('/a', ''))).toMatchObject({ maybeApplied: false });
    expect(await outcome(zk.addAuth('digest', 'a:b'))).toMatchObject({ code: 'CLOSED' });
    expect(await outcome(zk.namespace('/x').get('/a'))).toMatchObject({ code: 'CLOSED' });
    expect(await outcome(zk.connect())).toMatchObject({ code: 'CLOSED' });
  });
});
