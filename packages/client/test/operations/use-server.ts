import { afterEach } from '@jest/globals';
import { TestServer, type TestServerOptions } from '@zookit/testing';
import { ZooKeeper, type ZooKeeperOptions } from '../../src/index.ts';

export interface Servers {
  start(options?: TestServerOptions): Promise<TestServer>;
  connect(server: { connectString: string }, options?: ZooKeeperOptions): Promise<ZooKeeper>;
}

/** Servers and clients that are stopped when the test is over. */
export function useServers(): Servers {
  const servers: TestServer[] = [];
  const clients: ZooKeeper[] = [];
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((zk) => zk.close({ timeout: 1_000 })));
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });
  return {
    start: async (options = {}) => {
      const server = await TestServer.start(options);
      servers.push(server);
      return server;
    },
    connect: async ({ connectString }, options = {}) => {
      const zk = new ZooKeeper(connectString, { sessionTimeout: 10_000, ...options });
      clients.push(zk);
      await zk.connect();
      return zk;
    },
  };
}
