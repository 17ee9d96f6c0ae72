import { type AddressInfo, createServer, type Server } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { TestServer } from '@zookit/testing';
import { ZooKeeper } from '../src/index.ts';

jest.setTimeout(180_000);
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Bytes in use once garbage is gone. */
function heap(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** Accepts and closes at once. */
async function rudeServer(onConnection: () => void): Promise<Server> {
  const server = createServer((socket) => {
    onConnection();
    socket.destroy();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  cleanUps.push(() => new Promise((resolve) => server.close(resolve)));
  return server;
}

describe('a server that accepts and closes at once, for a minute', () => {
  it('is asked once a second at most after the first round; queue, heap and listeners stay flat', async () => {
    const times: number[] = [];
    const server = await rudeServer(() => times.push(performance.now()));
    const { port } = server.address() as AddressInfo;
    const zk = new ZooKeeper(`127.0.0.1:${port}`, { connectTimeout: 60_000, maxQueued: 1_000 });
    cleanUps.push(() => zk.close());
    const connecting = zk.connect();
    const outcome = expect(connecting).rejects.toMatchObject({ code: 'TIMEOUT', cause: { code: 'CONNECTION_LOSS' } });
    const calls = Array.from({ length: 1_000 }, (_, index) => zk.exists(`/a-${index}`));
    await expect(zk.exists('/one-too-many')).rejects.toMatchObject({ code: 'BUSY' });
    const before = heap();
    await outcome;
    expect(heap() - before).toBeLessThan(2_000_000);
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'CLOSED' });
    const gaps = times.slice(1).map((time, index) => time - (times[index] as number));
    expect(times.length).toBeGreaterThan(10);
    expect(Math.min(...gaps)).toBeGreaterThan(990);
    expect(zk.listenerCount('state')).toBe(0);
  });
});

describe('five hundred connects and closes', () => {
  it('leave heap and handles as they were', async () => {
    const server = await TestServer.start();
    cleanUps.push(() => server.stop());
    const cycle = async (): Promise<void> => {
      const zk = await ZooKeeper.connect(server.connectString, { sessionTimeout: 4_000 });
      await zk.exists('/');
      await zk.close();
    };
    for (let i = 0; i < 100; i += 1) await cycle();
    const before = heap();
    const handles = process.getActiveResourcesInfo().length;
    for (let i = 0; i < 500; i += 1) await cycle();
    expect(server.sessions()).toEqual([]);
    expect(heap() - before).toBeLessThan(1_500_000);
    expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(handles + 5);
  });
});

describe('ten thousand calls without a server', () => {
  it('wait; one more is refused; all settle once there is one', async () => {
    const server = await TestServer.start();
    cleanUps.push(() => server.stop());
    const zk = await ZooKeeper.connect(server.connectString, { sessionTimeout: 20_000, maxInFlight: 100 });
    cleanUps.push(() => zk.close());
    const gone = new Promise<void>((resolve) => {
      zk.once('suspended', resolve);
    });
    await server.stopMember(0);
    await gone;
    const calls = Array.from({ length: 10_000 }, (_, index) =>
      index % 2 === 0 ? zk.exists('/') : zk.create('/many-', null, { mode: 'ephemeral-sequential' }),
    );
    await expect(zk.exists('/')).rejects.toMatchObject({ code: 'BUSY' });
    await server.startMember(0);
    const results = await Promise.allSettled(calls);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10_000);
    const { children } = await zk.children('/');
    expect(children.filter((name) => name.startsWith('many-'))).toHaveLength(5_000);
  });
});
