import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RealServer } from '@zookit/testing';
import { Clients, memberOf, next, type Observed, until } from './support.ts';

jest.setTimeout(90_000);

/** Longer than the servers need to notice a stopped leader, so that sessions live through it. */
const SESSION_TIMEOUT = 15_000;
const clients = new Clients();
let server: RealServer;

beforeAll(async () => {
  const superUser = `super:${createHash('sha1').update('super:secret').digest('base64')}`;
  server = await RealServer.start({
    members: 3,
    observers: 1,
    config: { maxSessionTimeout: 60_000 },
    jvmArgs: [`-Dzookeeper.DigestAuthenticationProvider.superDigest=${superUser}`],
  });
});
afterEach(() => clients.close());
afterAll(() => server.stop());

/** A client on each member, with an ephemeral each. */
async function spread(): Promise<Observed[]> {
  const hosts = server.members.map(({ connectString }) => connectString);
  return Promise.all(
    hosts.map(async (host, index) => {
      const others = hosts.filter((other) => other !== host);
      const client = await clients.connect([host, ...others].join(','), {
        sessionTimeout: SESSION_TIMEOUT,
        shuffle: false,
      });
      await client.zk.create(`/ephemeral-${index}`, 'mine', { mode: 'ephemeral' });
      client.forget();
      return client;
    }),
  );
}

/** All have their session still, have been told of the fault once or not at all, and own their ephemeral. */
async function expectAllSurvived(
  all: readonly Observed[],
  ids: readonly (bigint | undefined)[],
  mustHaveMoved: readonly number[],
) {
  await until('all connected', () => all.every(({ zk }) => zk.state === 'connected'));
  for (const [index, { zk, events }] of all.entries()) {
    expect(zk.session?.id).toBe(ids[index]);
    const stat = await zk.exists(`/ephemeral-${index}`);
    expect(stat?.ephemeralOwner).toBe(ids[index]);
    if (events.length > 0 || mustHaveMoved.includes(index)) expect(events).toEqual(['suspended', 'reconnected']);
  }
}

describe('an ensemble of three voters and an observer', () => {
  it('loses its leader: sessions and ephemerals survive, one suspended and one reconnected each', async () => {
    const all = await spread();
    const ids = all.map(({ zk }) => zk.session?.id);
    const leader = await server.leader();
    await server.kill(leader);
    await until("the leader's client has noticed", () => all[leader]?.events.includes('suspended') ?? false);
    await server.leader();
    await expectAllSurvived(all, ids, [leader]);
    await server.start(leader);
  });

  it('has its leader stopped by SIGSTOP and continued', async () => {
    const all = await spread();
    const ids = all.map(({ zk }) => zk.session?.id);
    const leader = await server.leader();
    await server.pause(leader);
    await until("the leader's client has noticed", () => all[leader]?.events.includes('suspended') ?? false);
    await until('a new leader', async () => {
      const modes = await Promise.all(
        [0, 1, 2].filter((member) => member !== leader).map((member) => server.mode(member)),
      );
      return modes.includes('leader');
    });
    await until('all connected elsewhere', () => all.every(({ zk }) => zk.state === 'connected'));
    await server.resume(leader);
    await until('the old leader has become a follower', async () => (await server.mode(leader)) === 'follower');
    await expectAllSurvived(all, ids, [leader]);
  });

  it('is restarted member by member', async () => {
    const all = await spread();
    const ids = all.map(({ zk }) => zk.session?.id);
    for (const index of server.members.keys()) {
      await until('all connected', () => all.every(({ zk }) => zk.state === 'connected'));
      for (const client of all) client.forget();
      await server.stop(index);
      await server.start(index);
      await server.leader();
      await until('all connected again', () => all.every(({ zk }) => zk.state === 'connected'));
      for (const { events } of all) {
        // A follower that loses its leader hangs up once, and again if it elects anew: but each blip is told in full.
        expect(events.filter((event) => event === 'suspended')).toHaveLength(
          events.filter((event) => event === 'reconnected').length,
        );
        expect(events).not.toContain('lost');
      }
    }
    for (const [index, { zk }] of all.entries()) {
      expect(zk.session?.id).toBe(ids[index]);
      expect((await zk.exists(`/ephemeral-${index}`))?.ephemeralOwner).toBe(ids[index]);
    }
  });

  it('moves a session whose first server is killed right away', async () => {
    const all = await spread();
    const [follower] = [0, 1, 2].filter((index) => memberOf(server, (all[index] as Observed).zk) === index);
    const { zk, events } = all[follower as number] as Observed;
    const { id } = zk.session ?? {};
    const told = next(zk, 'reconnected');
    await server.kill(follower as number);
    await told;
    expect(zk.session?.id).toBe(id);
    expect(events).toEqual(['suspended', 'reconnected']);
    await server.start(follower as number);
  });
});

describe('an ensemble that is reconfigured', () => {
  it('drops the member that a client is connected to: the session goes on at another', async () => {
    const admin = await clients.connect(server.connectString, {
      sessionTimeout: SESSION_TIMEOUT,
      auth: [{ scheme: 'digest', auth: 'super:secret' }],
    });
    const leader = await server.leader();
    const removed = [0, 1, 2].find((index) => index !== leader) as number;
    const others = server.members.filter((_, index) => index !== removed).map(({ connectString }) => connectString);
    const hosts = [server.members[removed]?.connectString, ...others].join(',');
    const { zk, events } = await clients.connect(hosts, {
      sessionTimeout: SESSION_TIMEOUT,
      shuffle: false,
      trackConfig: true,
    });
    expect(memberOf(server, zk)).toBe(removed);
    await zk.create('/on-the-removed', null, { mode: 'ephemeral' });
    const { id } = zk.session ?? {};
    const before = await admin.zk.getConfig();
    const line = (before.data ?? Buffer.alloc(0))
      .toString()
      .split('\n')
      .find((each) => each.startsWith(`server.${removed + 1}=`)) as string;

    const told = next(zk, 'reconnected');
    await admin.zk.reconfig({ leaving: String(removed + 1) });
    // The member goes on serving; it is the configuration that says to leave it.
    await told;
    expect(memberOf(server, zk)).not.toBe(removed);
    expect(zk.session?.id).toBe(id);
    expect((await zk.exists('/on-the-removed'))?.ephemeralOwner).toBe(id);
    expect(events).toEqual(['connected', 'suspended', 'reconnected']);

    await admin.zk.reconfig({ joining: line });
    expect((await admin.zk.getConfig()).data?.toString()).toContain(line);
  });
});
