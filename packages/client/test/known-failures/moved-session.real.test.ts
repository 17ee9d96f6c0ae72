import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { FaultProxy, RealServer } from '@zookit/testing';
import { Clients, next } from '../real/support.ts';
import { outcome } from '../support/until.ts';

jest.setTimeout(60_000);

const clients = new Clients();
let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start({ members: 3 });
});
afterEach(() => clients.close());
afterAll(() => server.stop());

describe('a session that has moved away from a link which comes back', () => {
  it('has left the old connection by then: what is still under way on it counts for nothing', async () => {
    const leader = await server.leader();
    const [old, other] = [0, 1, 2].filter((member) => member !== leader) as [number, number];
    const address = (member: number): string => server.members[member]?.connectString as string;
    await using first = await FaultProxy.start(address(old));
    await using second = await FaultProxy.start(address(other));
    const witness = (await clients.connect(address(leader), { sessionTimeout: 10_000 })).zk;
    await witness.create('/moved', 'before');

    const { zk, events } = await clients.connect(`${first.connectString},${second.connectString}`, {
      sessionTimeout: 6_000,
      shuffle: false,
    });
    const { id } = zk.session ?? {};
    const heard: string[] = [];
    await zk.sync('/moved');
    await zk.get('/moved', { watch: ({ type }) => heard.push(type) });
    await zk.create('/moved/mine', null, { mode: 'ephemeral' });

    const reconnected = next(zk, 'reconnected');
    const atHandshake: number[] = [];
    const shaking = second.once({ opcode: 'connect', direction: 'request', action: 'hold' });
    await first.blackhole({ keep: true });
    // They wait in front of the old server, which takes its session for well.
    const write = outcome(zk.set('/moved', 'stale'));
    const read = outcome(zk.get('/moved'));
    const handshake = await shaking;
    atHandshake.push(first.connections);
    handshake.release();
    await reconnected;
    expect(await write).toMatchObject({ code: 'CONNECTION_LOSS', maybeApplied: true });
    await witness.set('/moved', 'after');
    await first.restore();
    await zk.sync('/moved');
    expect(atHandshake).toEqual([0]);
    expect(first.connections).toBe(0);

    expect(zk.session?.id).toBe(id);
    // The write was dropped by the old server, and the read answered by the new one; nothing of the old link was heard.
    expect((await zk.get('/moved')).data?.toString()).toBe('after');
    expect((await zk.get('/moved')).stat.version).toBe(1);
    expect(((await read) as { data: Buffer }).data.toString()).toMatch(/^(before|after)$/);
    expect(heard).toEqual(['changed']);
    expect((await zk.exists('/moved/mine'))?.ephemeralOwner).toBe(id);
    expect(events).toEqual(['connected', 'suspended', 'reconnected']);
    await zk.close();
  });
});
