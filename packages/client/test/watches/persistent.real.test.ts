import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import { RealServer } from '@zookit/testing';
import { useClients } from '../operations/target.ts';
import { modeCases } from './mode-cases.ts';

jest.setTimeout(60_000);

describe.each(['3.6.4', '3.8.6', '3.9.5'])('a persistent watch, on Apache ZooKeeper %s', (version) => {
  let server: RealServer;
  beforeAll(async () => {
    server = await RealServer.start({ version });
  }, 120_000);
  const clients = useClients(() => ({ connectString: server.connectString }));
  // Behind the clients, which are closed first.
  afterAll(() => server.stop());

  modeCases(async () => {
    const [zk, other] = [await clients.open(), await clients.open()];
    const path = await clients.freshPath(zk);
    return { zk: zk.namespace(path), other: other.namespace(path) };
  });
});
