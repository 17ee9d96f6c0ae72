import { describe, expect, it } from '@jest/globals';
import { outcome, until, World } from '@zookit/test-world';
import { contend, curatorTickets, firstInLine, runHeld, SharedHeld } from '../src/internal.ts';

describe('a share in a hold', () => {
  it('is one more way to work under it: its release ends nothing but itself', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const driver = firstInLine(curatorTickets('lock-'));
    const hold = await contend({ zk, base: '/line', nodeName: 'lock-', driver, policy: 'deadline' }, {});
    const checks: unknown[] = [];
    const transaction = { check: (...args: unknown[]) => checks.push(args) };
    const result = await runHeld(
      new SharedHeld(zk, hold),
      (share) => {
        expect(share.guard(transaction)).toBe(transaction);
        return share.path;
      },
      () => {},
    );
    expect(result).toBe(hold.path);
    expect(checks).toEqual([[hold.path, -1]]);
    expect(hold.isHeld).toBe(true);
    {
      await using share = new SharedHeld(zk, hold);
      expect(share.isHeld).toBe(true);
    }
    expect(hold.isHeld).toBe(true);
    await hold.release();
  });

  it('of a hold that is lost is lost', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const driver = firstInLine(curatorTickets('lock-'));
    const hold = await contend({ zk, base: '/line', nodeName: 'lock-', driver, policy: 'suspended' }, {});
    const reported: unknown[] = [];
    const running = runHeld(
      new SharedHeld(zk, hold),
      async (share) => {
        world.server.dropConnections();
        await until(() => share.signal.aborted, 'it is lost');
      },
      (error) => reported.push(error),
    );
    expect(await outcome(running)).toBe(hold.signal.reason);
    expect(reported).toEqual([]);
  });
});

describe('the events of a hold', () => {
  it('reach every listener, and one that throws ends up in the error event', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const driver = firstInLine(curatorTickets('lock-'));
    const hold = await contend({ zk, base: '/line', nodeName: 'lock-', driver, policy: 'suspended' }, {});
    const failure = new Error('a listener of no use');
    const told: unknown[] = [];
    hold.on('error', (error) => told.push(error));
    hold.on('suspect', () => {
      throw failure;
    });
    hold.once('lost', () => told.push('lost'));
    world.server.dropConnections();
    await until(() => hold.signal.aborted, 'it is lost');
    expect(told).toEqual([failure, 'lost']);
  });

  it('end with it: a listener that ends it in one event hears of no other', async () => {
    await using world = await World.start();
    const zk = await world.client();
    const driver = firstInLine(curatorTickets('lock-'));
    const hold = await contend({ zk, base: '/line', nodeName: 'lock-', driver, policy: 'suspended' }, {});
    const told: string[] = [];
    hold.on('lost', () => told.push('lost'));
    const released = new Promise((resolve) => hold.on('suspect', () => resolve(hold.release())));
    world.server.dropConnections();
    expect(await released).toBe('released');
    expect(told).toEqual([]);
    await until(() => world.names('/line').length === 0, 'the znode is gone');
  });
});
