import { describe, expect, it } from '@jest/globals';
import { ConnectStringError } from '../../src/index.ts';
import { until } from '../support/until.ts';
import { rejection } from './target.ts';
import { useServers } from './use-server.ts';

describe('updateServers', () => {
  const servers = useServers();

  it('moves to a server of the new list, with the same session', async () => {
    const server = await servers.start({ members: 2 });
    const [first, second] = server.members;
    const zk = await servers.connect({ connectString: first?.connectString ?? '' });
    const { id } = zk.session as { id: bigint };
    await zk.updateServers(`${second?.connectString}/ignored`);
    await until(() => zk.server?.port === second?.port, 'the move');
    expect(zk.session?.id).toBe(id);
    expect(zk.chroot).toBe('/');
  });

  it('rejects a list that can not be read', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    expect(await rejection(zk.updateServers('a:b:c'))).toBeInstanceOf(ConnectStringError);
    expect(await rejection(zk.updateServers(undefined as never))).toBeInstanceOf(ConnectStringError);
  });
});
