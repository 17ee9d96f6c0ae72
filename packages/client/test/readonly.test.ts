import { afterEach, describe, expect, it } from '@jest/globals';
import { client, closeClients, connectedClient } from './support/clients.ts';
import { turn } from './support/manual-clock.ts';
import { Simulation } from './support/simulation.ts';
import { outcome } from './support/until.ts';

afterEach(closeClients);

const T = 6_000;
const readOnlyServer = { onWord: () => 'ro' };

describe('a client that accepts read-only servers', () => {
  it('asks for it, is in its own state, and finds a writable server by asking', async () => {
    const net = new Simulation();
    const ro = net.serve('a', readOnlyServer, { timeout: T, readOnly: true });
    const { zk, states, connected } = client(net, 'a,b', { readOnly: true, sessionTimeout: T });
    const events: string[] = [];
    for (const name of ['connected', 'readonly', 'suspended', 'lost', 'renewed', 'reconnected'] as const)
      zk.on(name, () => events.push(name));
    expect(await connected).toBeUndefined();
    expect(ro.handshakes).toMatchObject([{ readOnly: true, id: 0n }]);
    expect(zk.state).toBe('readonly');
    const fake = zk.session;
    expect(await zk.get('/a')).toMatchObject({ data: Buffer.from('data of /a') });
    ro.script = {
      ...readOnlyServer,
      onRequest: (request) => (request.type === 5 ? ro.error(request, -119) : undefined),
    };
    await expect(zk.set('/a', '')).rejects.toMatchObject({ code: 'NOT_READ_ONLY', path: '/a' });
    await net.clock.advance(3 * T);
    expect(zk.state).toBe('readonly');
    const rw = net.serve('b', { onWord: (word) => (word === 'isro' ? 'rw' : '') }, { timeout: T });
    expect(await net.clock.advanceUntil(() => zk.state === 'connected', 70_000)).toBe(true);
    // What the read-only server called a session is not known here, and its end is no loss.
    expect(rw.handshakes).toMatchObject([{ id: 0n, lastZxid: expect.anything() }]);
    expect(fake?.signal.aborted).toBe(true);
    expect(states).toEqual(['readonly', 'suspended', 'connected']);
    expect(events).toEqual(['readonly', 'suspended', 'connected']);
    expect(zk.server?.host).toBe('b');
    await zk.set('/a', '');
    await turn();
    expect(ro.open).toBe(0);
  });

  it('does not ask any server for ever at once: the questions come further and further apart', async () => {
    const net = new Simulation();
    const ro = net.serve('a', readOnlyServer, { timeout: T, readOnly: true });
    const { zk } = await connectedClient(net, 'a', { readOnly: true });
    await net.clock.advance(600_000);
    expect(zk.state).toBe('readonly');
    const asked = ro.peers.filter(({ word }) => word === 'isro').map(({ at }) => at);
    expect(asked.length).toBeGreaterThan(10);
    expect(asked.length).toBeLessThan(40);
    expect(ro.open).toBe(1);
    await zk.close();
    await turn();
    expect([ro.open, net.clock.timers]).toEqual([0, 0]);
  });

  it('carries a real session on, but its lease runs on: such a server can keep nothing alive', async () => {
    const net = new Simulation();
    const a = net.serve('a', {}, { timeout: T });
    const { zk, states } = await connectedClient(net, 'a', { readOnly: true, sessionTimeout: T });
    const { id, deadline } = zk.session as { id: bigint; deadline: number };
    a.granted = { timeout: T, readOnly: true };
    a.script = readOnlyServer;
    a.last.destroy();
    await net.clock.advanceUntil(() => zk.state === 'readonly', T);
    expect(a.last.handshake?.id).toBe(id);
    expect(zk.session?.deadline).toBe(deadline);
    await net.clock.advanceUntil(() => states.includes('lost'), 2 * T);
    expect(net.clock.now()).toBeLessThanOrEqual(deadline);
    expect(states.slice(0, 3)).toEqual(['suspended', 'readonly', 'lost']);
  });
});

describe('a client that does not', () => {
  it('asks for no read-only server, and passes over one that hangs up', async () => {
    const net = new Simulation();
    const a = net.serve('a', { onHandshake: ({ readOnly }) => (readOnly ? undefined : 'close') });
    net.serve('b');
    const { zk, connected } = client(net, 'a,b');
    await net.clock.advance(100);
    expect(await connected).toBeUndefined();
    expect(a.handshakes.map(({ readOnly }) => readOnly)).toEqual([false]);
    expect(zk.server?.host).toBe('b');
    expect(await outcome(zk.set('/a', ''))).toMatchObject({ version: 0 });
  });
});
