import { TestServer, type TestServerOptions } from '@zookit/testing';
import type { ContractServer } from '../server.ts';

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
    watches: async () => {
      const all = server.watches();
      const child = all.filter(({ kind }) => kind === 'child').length;
      return {
        data: all.filter(({ kind }) => kind !== 'child').map(({ path, sessionId }) => ({ path, sessionId })),
        child,
      };
    },
    sessions: async () => server.sessions().map(({ id }) => id),
    restart: async () => {
      await server.stopMember(0);
      await server.startMember(0);
    },
    stop: () => server.stop(),
  };
}
