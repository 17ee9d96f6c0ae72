import { describe, expect, it } from '@jest/globals';
import { BadArgumentsError, ClosedError, type ZooKeeper } from '@zookit/client';
import { outcome, until, World } from '@zookit/test-world';
import { GroupMember } from '../src/index.ts';
import { Membership } from '../src/membership.ts';

const PATH = '/groups/a';

/** As plain text, to compare. */
const texts = (members: Map<string, Buffer | null>): Record<string, string | undefined> =>
  Object.fromEntries([...members].map(([id, data]) => [id, data?.toString()]));

async function joined(zk: ZooKeeper, id: string, data?: string): Promise<{ member: GroupMember; views: unknown[] }> {
  const member = new GroupMember(zk, PATH, id, data);
  const views: unknown[] = [];
  member.on('change', (members) => views.push(texts(members)));
  await member.start();
  return { member, views };
}

describe.each(['3.9', '3.5'] as const)('a group on a server like %s', (profile) => {
  const start = (): Promise<World> => World.start({ profile });

  it("is Curator's znodes: one for each member, ephemeral, with its data", async () => {
    await using world = await start();
    const [one, two] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const { member } = await joined(one, 'one', 'hello');
    const { member: other } = await joined(two, 'two');
    expect(world.server.node(PATH)?.kind).toBe('container');
    expect(world.server.node(`${PATH}/one`)?.stat.ephemeralOwner).toBe(one.session?.id);
    expect(world.server.dump(PATH)).toEqual({ [PATH]: '', [`${PATH}/one`]: 'hello', [`${PATH}/two`]: '127.0.0.1' });
    expect(texts(await member.members())).toEqual({ one: 'hello', two: '127.0.0.1' });
    await member.close();
    await other.close();
    expect(world.server.node(PATH)?.children).toEqual([]);
    await until(() => world.server.watches().length === 0, 'no watch is left');
  });

  it('tells who comes and who goes', async () => {
    await using world = await start();
    const [one, two, three] = (await world.clients(3)) as [ZooKeeper, ZooKeeper, ZooKeeper];
    const { member, views } = await joined(one, 'one', '1');
    expect(views).toEqual([]);
    const { member: second } = await joined(two, 'two', '2');
    await until(() => views.length === 1, 'one has come');
    await joined(three, 'three', '3');
    await until(() => views.length === 2, 'another has come');
    await second.close();
    await until(() => views.length === 3, 'one has gone');
    await three.close();
    await until(() => views.length === 4, 'one has died');
    expect(views).toEqual([
      { one: '1', two: '2' },
      { one: '1', three: '3', two: '2' },
      { one: '1', three: '3' },
      { one: '1' },
    ]);
    await member.close();
    await joined(two, 'late');
    await until(() => world.server.node(PATH)?.children.length === 1, 'another has come');
    expect(views).toHaveLength(4);
  });
});

describe('a member of a group', () => {
  it('tells what others say of themselves', async () => {
    await using world = await World.start();
    const [one, two] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const { views } = await joined(one, 'one', '1');
    const { member } = await joined(two, 'two', '2');
    await until(() => views.length === 1, 'it has come');
    await member.setData('zwei');
    await until(() => views.length === 2, 'it has changed');
    expect(views[1]).toEqual({ one: '1', two: 'zwei' });
  });

  it('counts itself always, and is back in the next session with its latest data', async () => {
    await using world = await World.start();
    const [one, two] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const { member } = await joined(one, 'one', '1');
    const { member: other } = await joined(two, 'two', '2');
    await member.setData('eins');
    const before = one.session?.id;
    world.expire(one);
    await until(
      () => ![undefined, before].includes(world.server.node(`${PATH}/one`)?.stat.ephemeralOwner),
      'it is back',
    );
    expect(texts(await other.members())).toEqual({ one: 'eins', two: '2' });
    const stranger = new GroupMember(one, PATH, 'stranger', '?');
    expect(texts(await stranger.members())).toEqual({ one: 'eins', stranger: '?', two: '2' });
  });

  it('tells what happened while it was cut off, once', async () => {
    await using world = await World.start({ members: 2 });
    const zk = await world.client({ sessionTimeout: 15_000 }, world.server.members[0]?.connectString);
    const other = await world.client({}, world.server.members[1]?.connectString);
    const { views } = await joined(zk, 'one', '1');
    await world.server.stopMember(0);
    await until(() => zk.state === 'suspended', 'it is cut off');
    await joined(other, 'two', '2');
    await joined(other, 'three', '3');
    await world.server.startMember(0);
    await until(() => views.length === 1, 'it knows');
    expect(views).toEqual([{ one: '1', three: '3', two: '2' }]);
  });

  it('survives that somebody deletes all of the group', async () => {
    await using world = await World.start();
    const [one, two] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const { member } = await joined(one, 'one', '1');
    await two.delete('/groups', { recursive: true });
    await until(() => world.server.node(`${PATH}/one`) !== null, 'it is back');
    const { member: other } = await joined(two, 'two', '2');
    await until(() => world.server.node(PATH)?.children.length === 2, 'both are there');
    expect(texts(await member.members())).toEqual(texts(await other.members()));
  });

  it('knows a thousand others, in a few requests', async () => {
    await using world = await World.start();
    const [zk, other] = (await world.clients(2)) as [ZooKeeper, ZooKeeper];
    const transaction = other.transaction();
    for (let at = 0; at < 1_000; at += 1) transaction.create(`${PATH}/m${at}`, String(at), { mode: 'ephemeral' });
    await other.create(PATH, null, { parents: true });
    await transaction.commit();
    const requests = world.requests();
    const { member } = await joined(zk, 'one', '1');
    expect(requests.length).toBeLessThan(12);
    expect((await member.members()).size).toBe(1_001);
  });

  it('that is closed before it follows the others does not begin to', async () => {
    await using world = await World.start();
    const [zk] = (await world.clients(1)) as [ZooKeeper];
    const listeners = (): number => zk.listenerCount('reconnected') + zk.listenerCount('renewed');
    const before = listeners();
    const membership = new Membership(zk, PATH, { onMembers: () => {}, onRefused: () => {} });
    const reason = new ClosedError('CLOSED');
    membership.stop(reason);
    expect(await outcome(membership.start())).toBe(reason);
    expect(listeners()).toBe(before);
  });

  it('refuses what is no name', async () => {
    await using world = await World.start();
    const [zk] = (await world.clients(1)) as [ZooKeeper];
    for (const id of ['', 'a/b', undefined, 5]) {
      expect(() => new GroupMember(zk, PATH, id as string)).toThrow(BadArgumentsError);
    }
    expect(() => new GroupMember(zk, PATH, '..')).toThrow('no relative paths');
    expect(() => new GroupMember(zk, PATH, 'a', '', { policy: 'x' as never })).toThrow(BadArgumentsError);
    const member = new GroupMember(zk, PATH, 'one');
    await member.close();
    expect(await outcome(member.start())).toBeInstanceOf(ClosedError);
    expect(world.server.node(PATH)).toBeNull();
  });

  it('refuses what is no signal and no timeout, and does not start again when it was closed', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const member = new GroupMember(zk, PATH, 'one');
    for (const options of [{ timeout: -5 }, { signal: 5 }] as object[]) {
      expect(await outcome(member.start(options))).toBeInstanceOf(BadArgumentsError);
      expect(await outcome(member.members(options))).toBeInstanceOf(BadArgumentsError);
      expect(await outcome(member.setData('x', options))).toBeInstanceOf(BadArgumentsError);
    }
    await member.start();
    for (const options of [{ timeout: -5 }, { signal: 5 }] as object[]) {
      expect(await outcome(member.close(options))).toBeInstanceOf(BadArgumentsError);
    }
    await member.close();
    expect(await outcome(member.start())).toBeInstanceOf(ClosedError);
    expect(world.server.node(PATH)?.children).toEqual([]);
  });
});
