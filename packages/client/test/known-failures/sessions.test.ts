import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { SocketTarget } from '../../src/index.ts';
import { event, reply } from '../support/bytes.ts';
import { closeClients, connectedClient } from '../support/clients.ts';
import { turn } from '../support/manual-clock.ts';
import type { ScriptedServer } from '../support/scripted-server.ts';
import { peak, Simulation } from '../support/simulation.ts';
import { outcome } from '../support/until.ts';

afterEach(closeClients);

const T = 6_000;
const NIGHT = 8 * 3_600_000;

function network(): { net: Simulation; server: ScriptedServer } {
  const net = new Simulation();
  return { net, server: net.serve('a', {}, { timeout: T }) };
}

describe('a machine that slept for a night', () => {
  /** What a client told, from the moment at which its machine woke. */
  async function asleep() {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a');
    await zk.exists('/');
    const told: string[] = [];
    zk.on('suspect', () => told.push('suspect'));
    zk.on('state', (state) => told.push(state));
    const old = zk.session;
    const wake = (): void => {
      // The monotonic clock has stood still.
      net.clock.wallOffset += NIGHT;
    };
    return { net, server, zk, told, old, wake };
  }

  it('is in doubt until a ping is answered, and goes on, where the session has lived through it', async () => {
    const { net, server, zk, told, old, wake } = await asleep();
    const pings = server.last.of(11).length;
    wake();
    await net.clock.advance(2 * T);
    expect(told).toEqual(['suspect']);
    expect(server.last.of(11).length).toBeGreaterThan(pings);
    expect(zk.session).toBe(old);
    expect(await zk.exists('/')).not.toBeNull();
  });

  it('finds its session gone: one doubt, one loss, one new session', async () => {
    const { net, server, zk, told, old, wake } = await asleep();
    net.hold('a:2181');
    server.script = { onHandshake: ({ id }) => (id === old?.id ? server.expired() : undefined) };
    // The server's end of the connection has waited in the kernel.
    server.last.destroy();
    wake();
    net.letGo('a:2181');
    expect(await net.clock.advanceUntil(() => zk.session !== null && zk.session !== old, 2 * T)).toBe(true);
    expect(told).toEqual(['suspect', 'suspended', 'lost', 'connecting', 'connected']);
    expect(old?.signal.aborted).toBe(true);
    expect(await zk.exists('/')).not.toBeNull();
  });

  it('finds its link dead: nothing hangs, and all is over when the lease is', async () => {
    const { net, server, zk, told, old, wake } = await asleep();
    server.script = { onRequest: () => 'mute' };
    net.vanished.add('a:2181');
    wake();
    const call = outcome(zk.set('/a', 'x'));
    const woken = net.clock.now();
    await net.clock.advanceUntil(() => told.includes('lost'), 2 * T);
    expect(net.clock.now() - woken).toBeLessThan(T);
    expect(told).toEqual(['suspect', 'suspended', 'lost', 'connecting']);
    expect(old?.signal.reason).toMatchObject({ code: 'SESSION_EXPIRED' });
    expect(await call).toMatchObject({ code: 'CONNECTION_LOSS', maybeApplied: true });
  });
});

describe('a session that moves to another server', () => {
  it('has left every older socket before the next one is opened, and nothing that comes late on those counts', async () => {
    const net = new Simulation();
    const servers = ['a', 'b', 'c'].map((name) => net.serve(name, {}, { timeout: T }));
    const connect = net.environment.connect as (target: SocketTarget) => Duplex;
    const sockets: Duplex[] = [];
    const stillOpen: number[] = [];
    const environment = {
      ...net.environment,
      connect: (target: SocketTarget) => {
        stillOpen.push(sockets.filter((socket) => !socket.destroyed).length);
        const socket = connect(target);
        sockets.push(socket);
        return socket;
      },
    };
    const { zk, states } = await connectedClient(net, 'a,b,c', { environment });
    const heard: string[] = [];
    await zk.get('/w', { watch: ({ type }) => heard.push(type) });
    for (const [index, name] of ['a', 'b', 'c'].entries()) {
      const { zxid } = servers[index] as ScriptedServer;
      const last = zk.lastZxid;
      // Packets vanish on the way to this one: its answers, and an event, wait on the link.
      net.hold(`${name}:2181`);
      const write = outcome(zk.set(`/${index}`, ''));
      const count = sockets.length;
      expect(await net.clock.advanceUntil(() => zk.state === 'connected' && sockets.length > count, T)).toBe(true);
      servers[index]?.last.send(event(3, '/w'), reply(-2, zxid + 1_000n, 0));
      net.letGo(`${name}:2181`);
      await net.clock.advance(1_000);
      expect(await write).toMatchObject({ code: 'CONNECTION_LOSS', maybeApplied: true });
      expect(heard).toEqual([]);
      expect(zk.lastZxid).toBeLessThan(last + 1_000n);
      expect(servers[index]?.open).toBe(0);
    }
    expect(states).not.toContain('lost');
    expect(stillOpen).toEqual(stillOpen.map(() => 0));
    expect(sockets.length).toBeGreaterThanOrEqual(4);
  });
});

describe('a server that hangs up over and over on a client with credentials and a watch', () => {
  it('as soon as it has accepted: nothing grows, and the first good connection carries what it must', async () => {
    const { net, server } = network();
    const { zk } = await connectedClient(net, 'a', { auth: [{ scheme: 'digest', auth: 'u:p' }], connectTimeout: 0 });
    await zk.get('/w', { watch: () => {} });
    server.script = { onConnect: () => 'close' };
    server.last.destroy();
    await turn();
    const read = outcome(zk.get('/waiting'));
    const before = net.attempts.length;
    await net.clock.advance(60_000);
    expect(net.attempts.length - before).toBeGreaterThan(5);
    expect(
      peak(
        net.attempts.slice(before + 1).map(({ at }) => at),
        999,
      ),
    ).toBe(1);
    expect(zk.health()).toMatchObject({ queued: 1, inFlight: 0 });
    expect(net.clock.timers).toBeLessThanOrEqual(2);
    server.script = {};
    expect(await net.clock.advanceUntil(() => zk.state === 'connected', 20_000)).toBe(true);
    expect(await read).toMatchObject({ data: Buffer.from('data of /waiting') });
    // The session was lost meanwhile, and its watch with it.
    expect(server.last.calls.map(({ type }) => type)).toEqual([100, 4]);
  });

  it('at the first request: nothing grows, and the first good connection carries each of them once', async () => {
    const { net, server } = network();
    server.granted = { timeout: 60_000 };
    const { zk } = await connectedClient(net, 'a', { auth: [{ scheme: 'digest', auth: 'u:p' }] });
    await zk.get('/w', { watch: () => {} });
    // Hangs up at the first thing that it is sent.
    server.script = { onRequest: () => 'close' };
    server.last.destroy();
    // Without a wait between the attempts there would be hundreds by the end of this, and no time would have passed.
    for (let i = 0; i < 1_000 && server.peers.length < 300; i += 1) await turn();
    await net.clock.advance(40_000);
    const tries = server.peers.length;
    expect(tries).toBeGreaterThan(5);
    expect(tries).toBeLessThan(45);
    for (const peer of server.peers.slice(1)) {
      expect(peer.calls.map(({ type }) => type).slice(0, 2)).toEqual([100, 101].slice(0, peer.calls.length));
    }
    expect(zk.health()).toMatchObject({ queued: 0, watches: 1 });
    server.script = {};
    expect(await net.clock.advanceUntil(() => server.peers.length > tries && zk.state === 'connected', 20_000)).toBe(
      true,
    );
    await turn();
    expect(server.last.calls.map(({ type }) => type)).toEqual([100, 101]);
  });
});
