import { afterEach, describe, expect, it } from '@jest/globals';
import { bytes, event, reply, stat } from '../support/bytes.ts';
import { closeClients, connectedClient } from '../support/clients.ts';
import { turn } from '../support/manual-clock.ts';
import type { ClientRequest, Reaction, ScriptedServer } from '../support/scripted-server.ts';
import { Simulation } from '../support/simulation.ts';

afterEach(closeClients);

const T = 6_000;

/** Two servers that answer to names, and tell whatever configuration the test wants. */
async function ensemble(options = {}) {
  const net = new Simulation();
  let config = '';
  const script = {
    onRequest: ({ type, path, xid }: ClientRequest): Reaction | undefined =>
      type === 4 && path === '/zookeeper/config' ? reply(xid, 9n, 0, bytes(config), stat()) : undefined,
  };
  const [one, two] = ['zk1', 'zk2'].map((name) => net.serve(name, script, { timeout: T })) as [
    ScriptedServer,
    ScriptedServer,
  ];
  const observed = await connectedClient(net, 'zk1,zk2', { trackConfig: true, ...options });
  await turn();
  /** The ensemble is reconfigured, and its clients are told. */
  const reconfigure = async (lines: string[]): Promise<void> => {
    config = [...lines, 'version=100000000'].join('\n');
    for (const server of [one, two]) for (const peer of server.peers) peer.send(event(3, '/zookeeper/config'));
    await net.clock.advance(1_000);
  };
  /** The present server goes away; resolves with the hosts that are asked until there is a session again, or for a while. */
  const hostsAfterLoss = async (within = T): Promise<string[]> => {
    const from = net.attempts.length;
    for (const server of [one, two]) for (const peer of server.peers) peer.destroy();
    await turn();
    await net.clock.advanceUntil(() => observed.zk.state === 'connected', within);
    return [...new Set(net.attempts.slice(from).map(({ target }) => `${target.host}:${target.port}`))].sort();
  };
  return { net, one, two, reconfigure, hostsAfterLoss, ...observed };
}

describe('a configuration that names addresses which are no use to anybody else', () => {
  it.each([
    ['no client port', ['server.1=zk1:2888:3888:participant', 'server.2=zk2:2888:3888:participant']],
    ['a wildcard for host and client', ['server.1=0.0.0.0:2888:3888:participant;0.0.0.0:2181']],
    ['a wildcard of IPv6', ['server.1=[::]:2888:3888:participant;[::]:2181']],
    ['a port that is none', ['server.1=zk1:2888:3888:participant;zk1:99999']],
    ['nothing at all', []],
    ['nonsense', ['server.1=', 'hello', 'server.x=a:1:2;3', '\u0000']],
  ])('%s: the list of servers stays as it was', async (_name, lines) => {
    const { zk, reconfigure, hostsAfterLoss, states } = await ensemble();
    await reconfigure(lines);
    expect(states).toEqual([]);
    expect(await hostsAfterLoss()).toEqual(['zk2:2181']);
    expect(zk.state).toBe('connected');
    expect(states).not.toContain('lost');
  });

  it('of several, one unusable: nothing is taken over half', async () => {
    const { reconfigure, hostsAfterLoss } = await ensemble();
    await reconfigure(['server.1=zk3:2888:3888;0.0.0.0:2181', 'server.2=0.0.0.0:2888:3888;0.0.0.0:2181']);
    expect(await hostsAfterLoss()).toEqual(['zk2:2181']);
  });

  it('a wildcard for clients alone: the host that the servers use among themselves, by its name', async () => {
    const { net, zk, reconfigure, states } = await ensemble();
    net.serve('zk3', {}, { timeout: T });
    await reconfigure(['server.3=zk3:2888:3888:participant;0.0.0.0:2181']);
    // None of its servers is in it any more: it moves at once, by a name that is looked up.
    expect(zk.server?.host).toBe('zk3');
    expect(net.lookups.at(-1)?.host).toBe('zk3');
    expect(states).toEqual(['suspended', 'connected']);
  });
});

describe('a configuration that names servers which the client cannot reach', () => {
  it('costs the session nothing: those that it was told to begin with are asked again', async () => {
    const { zk, reconfigure, hostsAfterLoss, states } = await ensemble();
    // Addresses of a network that only the servers see, as behind a port forwarding or in a cluster of containers.
    await reconfigure([
      'server.1=10.1.0.1:2888:3888:participant;10.1.0.1:2181',
      'server.2=10.1.0.2:2888:3888:participant;10.1.0.2:2181',
    ]);
    const asked = await hostsAfterLoss(4 * T);
    expect(zk.state).toBe('connected');
    expect(asked.some((host) => host.startsWith('zk'))).toBe(true);
    expect(states).not.toContain('closed');
  });
});

describe('the list of servers', () => {
  it('is never rewritten by a client that was not told to follow the configuration', async () => {
    const { net, one, two, reconfigure, hostsAfterLoss } = await ensemble({ trackConfig: false });
    net.serve('zk3', {}, { timeout: T });
    await reconfigure(['server.3=zk3:2888:3888:participant;zk3:2181']);
    expect([...one.peers, ...two.peers].flatMap((peer) => peer.of(4))).toEqual([]);
    expect(await hostsAfterLoss()).toEqual(['zk2:2181']);
  });
});
