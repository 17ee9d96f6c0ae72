import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RealServer } from '@zookit/testing';
import { churn } from './real/churn.ts';

jest.setTimeout(180_000);

let server: RealServer;
beforeAll(async () => {
  server = await RealServer.start();
});
afterAll(() => server?.stop());

describe('workers in processes of their own that share 1,000 items', () => {
  it('never own one together, and move few, when one comes, one is killed and one is stopped past its session', async () => {
    const { failures, moves, unavoidable, left, exits } = await churn(server.connectString, 1_000, 9_000);
    expect(failures).toEqual([]);
    expect(moves).toBeGreaterThanOrEqual(unavoidable);
    expect(moves).toBeLessThanOrEqual(2 * unavoidable);
    expect(exits).toEqual([0, 0, 0, 0, 0]);
    expect(left).toEqual([]);
  });
});
