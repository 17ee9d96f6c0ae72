import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RealServer } from '@zookit/testing';
import { BadVersionError, type WatchEvent } from '../../src/index.ts';
import { until } from '../support/until.ts';
import { rejection, useClients } from './target.ts';

describe('reconfig, on an ensemble', () => {
  let server: RealServer;
  beforeAll(async () => {
    server = await RealServer.start({
      members: 3,
      jvmArgs: ['-Dzookeeper.skipACL=yes'],
      config: { reconfigEnabled: 'true', standaloneEnabled: 'false' },
    });
  }, 120_000);
  let address = '';
  const clients = useClients(() => ({ connectString: address }));
  // Behind the clients, which are closed first.
  afterAll(() => server.stop());

  const linesOf = (data: Buffer | null): string[] => (data ?? '').toString().split('\n');
  const versionOf = (data: Buffer | null): bigint =>
    BigInt(`0x${/^version=(.*)$/m.exec((data ?? '').toString())?.[1] ?? ''}`);

  it('takes a member out and back in, and tells those who watch', async () => {
    // Whoever leaves drops its clients, and a leader all of them.
    const leader = await server.leader();
    address = server.members[leader]?.connectString ?? '';
    const leaving = String(((leader + 1) % 3) + 1);
    const zk = await clients.open();
    const inside = zk.namespace('/app');
    const events: WatchEvent[] = [];
    const before = await inside.getConfig({ watch: (event) => events.push(event) });
    const line = linesOf(before.data).find((each) => each.startsWith(`server.${leaving}=`));
    expect(line).toBeDefined();

    const without = await zk.reconfig({ leaving });
    expect(linesOf(without.data).filter((line) => line.startsWith('server.'))).toHaveLength(2);
    await until(() => events.length > 0, 'the watch on the configuration');
    expect(events).toMatchObject([{ type: 'changed', path: '/zookeeper/config' }]);
    expect((await zk.getConfig()).data).toEqual(without.data);

    expect(await rejection(zk.reconfig({ joining: line as string, fromConfig: 1n }))).toBeInstanceOf(BadVersionError);
    const again = await zk.reconfig({ joining: [line as string], fromConfig: versionOf(without.data) });
    expect(linesOf(again.data).filter((line) => line.startsWith('server.'))).toHaveLength(3);

    const members = linesOf(again.data).filter((line) => line.startsWith('server.'));
    const anew = await zk.reconfig({ members });
    expect(versionOf(anew.data)).toBeGreaterThan(versionOf(again.data));
    expect(await rejection(zk.reconfig({ joining: 'server.9=nonsense' }))).toMatchObject({ code: 'BAD_ARGUMENTS' });
  }, 60_000);
});
