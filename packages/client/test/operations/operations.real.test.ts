import { afterAll, beforeAll, describe } from '@jest/globals';
import { RealServer } from '@zookit/testing';
import { aclCases } from './acl-cases.ts';
import { readingCases } from './reading-cases.ts';
import type { Target } from './target.ts';
import { transactionCases } from './transaction-cases.ts';
import { treeCases } from './tree-cases.ts';

describe('operations, on Apache ZooKeeper 3.9.5', () => {
  let server: RealServer;
  beforeAll(async () => {
    server = await RealServer.start({ version: '3.9.5', config: { extendedTypesEnabled: 'true' } });
  }, 120_000);
  const target = (): Target => ({ connectString: server.connectString });

  aclCases(target);
  transactionCases(target);
  readingCases(target);
  treeCases(target);
  // Behind the cases, whose clients are closed first.
  afterAll(() => server.stop());
});
