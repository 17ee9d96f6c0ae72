import { afterAll, beforeAll, describe, it, jest } from '@jest/globals';
import { rearmMany, setAndTakeBack } from './many-watches.ts';
import { type ProofServer, startReal } from './proof-server.ts';

jest.setTimeout(120_000);

describe.each(['3.9.5', '3.8.6'] as const)('watches, on Apache ZooKeeper %s', (version) => {
  let server: ProofServer;
  beforeAll(async () => {
    server = await startReal(version);
  });
  afterAll(() => server.stop());

  it('of all kinds, 12,000 on long paths, are set again in one reconnect; each change is told once', () =>
    rearmMany(server, 12_000));

  if (version === '3.9.5') {
    it('that are set and taken back, 100,000 of them, leave nothing behind', () => setAndTakeBack(server, 20, 5_000));
  }
});
