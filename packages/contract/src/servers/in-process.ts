import { profiles, TestServer, type TestServerOptions, type WatchView } from '@zookit/testing';
import type { ContractServer, ServerWatches } from '../server.ts';

const TICK = 500;

/** The server of @zookit/testing. */
export async function startInProcess(options: TestServerOptions = {}): Promise<ContractServer> {
  const server = await TestServer.start({ tickTime: TICK, ...options });
  const { port } = server.members[0]!;
  return {
    host: '127.0.0.1',
    port,
    connectString: server.connectString,
    tickTime: options.tickTime ?? TICK,
    watches: async () => countWatches(server.watches(), options.profile),
    sessions: async () => server.sessions().map(({ id }) => id),
    restart: async () => {
      await server.stopMember(0);
      await server.startMember(0);
    },
    stop: () => server.stop(),
  };
}

/** As a real server counts them: in each of its two tables a path and a session are one watch, whatever its modes. */
function countWatches(all: readonly WatchView[], profile: TestServerOptions['profile'] = '3.9'): ServerWatches {
  const { oneWatchMode } = typeof profile === 'string' ? profiles[profile] : profile;
  const inChildTable = (kind: WatchView['kind']): boolean =>
    kind === 'child' || kind === 'persistent' || (kind === 'recursive' && oneWatchMode);
  const distinct = (views: readonly WatchView[]) => [
    ...new Map(views.map(({ path, sessionId }) => [`${sessionId} ${path}`, { path, sessionId }])).values(),
  ];
  return {
    data: distinct(all.filter(({ kind }) => kind !== 'child')),
    child: distinct(all.filter(({ kind }) => inChildTable(kind))).length,
  };
}
