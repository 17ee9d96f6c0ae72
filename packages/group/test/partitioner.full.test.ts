import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RealServer } from '@zookit/testing';
import { churn } from './real/churn.ts';

jest.setTimeout(300_000);

let ensemble: RealServer;
beforeAll(async () => {
  ensemble = await RealServer.start({ members: 3 });
});
afterAll(() => ensemble?.stop());

describe('workers in processes of their own that share 1,000 items on an ensemble', () => {
  it('never own one together, and move few, when one comes, one is killed and one is stopped for a minute', async () => {
    const { failures, moves, unavoidable, left, exits } = await churn(ensemble.connectString, 1_000, 60_000);
    expect(failures).toEqual([]);
    expect(moves).toBeGreaterThanOrEqual(unavoidable);
    expect(moves).toBeLessThanOrEqual(2 * unavoidable);
    expect(exits).toEqual([0, 0, 0, 0, 0]);
    expect(left).toEqual([]);
  });
});
