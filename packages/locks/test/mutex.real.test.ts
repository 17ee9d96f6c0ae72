import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ZooKeeper, type ZooKeeperOptions } from '@zookit/client';
import { until } from '@zookit/test-world';
import { FaultProxy, RealServer } from '@zookit/testing';
import { Mutex } from '../src/index.ts';

// The first start of a release fetches it.
jest.setTimeout(60_000);

let server: RealServer;
const clients: ZooKeeper[] = [];

async function client(options: ZooKeeperOptions = {}, connectString = server.connectString): Promise<ZooKeeper> {
  const connected = await ZooKeeper.connect(connectString, options);
  clients.push(connected);
  return connected;
}

async function names(path: string): Promise<string[]> {
  return (await (clients[0] as ZooKeeper).children(path)).children;
}

beforeAll(async () => {
  server = await RealServer.start();
  await client();
}, 60_000);

afterAll(async () => {
  await Promise.all(clients.map((each) => each.close({ timeout: 1_000 })));
  await server.stop();
});

for (const layout of ['curator', 'kazoo'] as const) {
  describe(`a mutex on a real server (${layout})`, () => {
    it('excludes, in order, with growing tokens', async () => {
      const path = `/real/${layout}/order`;
      const contenders = await Promise.all([client(), client(), client(), client()]);
      let inside = 0;
      const granted: { number: number; token: bigint }[] = [];
      await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          new Mutex(contenders[index % 4] as ZooKeeper, path, { layout }).run(async (held) => {
            inside += 1;
            expect(inside).toBe(1);
            granted.push({ number: Number(held.path.slice(-10)), token: held.fencingToken });
            await contenders[index % 4]?.sync();
            inside -= 1;
          }),
        ),
      );
      expect(granted).toHaveLength(40);
      expect(granted).toEqual(granted.toSorted((a, b) => a.number - b.number));
      expect(granted).toEqual(granted.toSorted((a, b) => (a.token < b.token ? -1 : 1)));
      expect(await names(path)).toEqual([]);
    });

    it('leaves no znode when it is aborted at any moment', async () => {
      const path = `/real/${layout}/abort`;
      const zk = await client();
      const held = await new Mutex(clients[0] as ZooKeeper, path, { layout }).acquire();
      const mutex = new Mutex(zk, path, { layout });
      for (let turns = 0; turns < 40; turns += 1) {
        const controller = new AbortController();
        const acquiring = mutex.acquire({ signal: controller.signal }).catch((error: unknown) => error);
        for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        controller.abort('moment');
        expect(await acquiring).toBe('moment');
      }
      // Each look is a round trip to the server.
      const end = performance.now() + 30_000;
      while ((await names(path)).length !== 1 && performance.now() < end);
      expect(await names(path)).toEqual([held.path.slice(path.length + 1)]);
      await held.release();
    });

    it('tells a holder that is cut off before the next one is granted', async () => {
      const path = `/real/${layout}/cut`;
      const proxy = await FaultProxy.start(server.connectString);
      const cut = await client({ sessionTimeout: 2_000 }, proxy.connectString);
      const other = await client({ sessionTimeout: 10_000 });
      const held = await new Mutex(cut, path, { layout }).acquire();
      const order: string[] = [];
      held.signal.addEventListener('abort', () => order.push('lost'));
      const waiting = new Mutex(other, path, { layout }).acquire().then((next) => {
        order.push('granted');
        return next;
      });
      await until(() => other.state === 'connected', 'the other is there');
      await other.sync();
      await proxy.blackhole();
      const next = await waiting;
      expect(order).toEqual(['lost', 'granted']);
      expect(next.fencingToken).toBeGreaterThan(held.fencingToken);
      expect(await held.release()).toBe('lost');
      await next.release();
      await cut.close({ timeout: 0 });
      await proxy.stop();
    });
  });
}
