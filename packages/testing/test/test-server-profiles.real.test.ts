import { afterAll, beforeAll, describe } from '@jest/globals';
import { RealServer } from '../src/index.ts';
import { versions } from './server-behaviour/versions.ts';

// What the profiles of TestServer claim, tried on the releases that they stand for.
describe.each([
  ['3.4', '3.4.14'],
  ['3.5', '3.5.10'],
  ['3.6', '3.6.4'],
  ['3.7', '3.7.2'],
  ['3.8', '3.8.6'],
  ['3.9', '3.9.5'],
] as const)('TestServer behaves with the profile of %s as Apache ZooKeeper %s', (release, version) => {
  let server: RealServer;
  beforeAll(async () => {
    server = await RealServer.start({ version });
  }, 120_000);
  afterAll(() => server.stop());
  versions(release, () => ({ connectString: server.connectString, members: [server.connectString], tickTime: 500 }));
});
