import { afterAll, beforeAll, describe } from '@jest/globals';
import { TestServer } from '@zookit/testing';
import { aclCases } from './acl-cases.ts';
import { readingCases } from './reading-cases.ts';
import type { Target } from './target.ts';
import { transactionCases } from './transaction-cases.ts';
import { treeCases } from './tree-cases.ts';

describe('operations, on the server in this process', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start();
  });
  const target = (): Target => ({ connectString: server.connectString });

  aclCases(target);
  transactionCases(target);
  readingCases(target);
  treeCases(target);
  // Behind the cases, whose clients are closed first.
  afterAll(() => server.stop());
});
