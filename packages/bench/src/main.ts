#!/usr/bin/env node
// zookit beside the floor of a raw socket, in turn, on one real server: npm run bench [rounds]
import { RealServer } from '@zookit/testing';
import { Mutex, ZooKeeper } from 'zookit';
import { childrenBody, Floor, getBody, setBody } from './floor.ts';

const WINDOW = 256;
const rounds = Number(process.argv[2] ?? 5);

interface Cost {
  /** CPU of this process, µs an operation. */
  cpu: number;
  /** Wall clock, µs an operation. */
  wall: number;
}

async function cost(count: number, work: () => Promise<void>): Promise<Cost> {
  const before = process.cpuUsage();
  const start = performance.now();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / count, wall: ((performance.now() - start) * 1000) / count };
}

/** Keeps a window of calls under way until all have been made. */
async function windowed(count: number, call: () => Promise<unknown>): Promise<void> {
  let made = 0;
  const worker = async (): Promise<void> => {
    while (made < count) {
      made += 1;
      await call();
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, worker));
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function compare(
  name: string,
  count: number,
  floor: () => Promise<void>,
  zookit: () => Promise<void>,
): Promise<void> {
  const pairs: { floor: Cost; zookit: Cost }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    pairs.push({ floor: await cost(count, floor), zookit: await cost(count, zookit) });
  }
  const figure = (of: (pair: { floor: Cost; zookit: Cost }) => number): string =>
    median(pairs.map(of)).toFixed(2).padStart(9);
  console.log(
    name.padEnd(34),
    figure((pair) => pair.floor.cpu),
    figure((pair) => pair.zookit.cpu),
    figure((pair) => pair.zookit.cpu / pair.floor.cpu),
    figure((pair) => pair.zookit.wall / pair.floor.wall),
  );
}

async function compareCalls(zk: ZooKeeper, floor: Floor): Promise<void> {
  console.log(`${'median of ratios'.padEnd(34)} floor CPU zookit CPU     ratio wall ratio   (CPU: µs an operation)`);
  for (const size of [100, 4_096]) {
    const path = `/get-${size}`;
    await zk.create(path, Buffer.alloc(size, 1));
    const read = (): Promise<unknown> => zk.get(path);
    await compare(
      `get ${size} B, window ${WINDOW}`,
      20_000,
      () => floor.run(getBody(path), 20_000, WINDOW),
      () => windowed(20_000, read),
    );
  }
  const data = Buffer.alloc(100, 1);
  await zk.create('/set', data);
  await compare(
    'set 100 B',
    10_000,
    () => floor.run(setBody('/set', data), 10_000, WINDOW),
    () => windowed(10_000, () => zk.set('/set', data)),
  );
  await zk.create('/many');
  await windowed(10_000, () => zk.create('/many/item-', null, { mode: 'persistent-sequential' }));
  await compare(
    'children of 10,000',
    200,
    () => floor.run(childrenBody('/many'), 200, 8),
    async () => {
      for (let i = 0; i < 200; i += 8) await Promise.all(Array.from({ length: 8 }, () => zk.children('/many')));
    },
  );
}

async function timeLocks(zk: ZooKeeper, connectString: string): Promise<void> {
  const mutex = new Mutex(zk, '/locks/bench');
  const alone = await cost(1_000, async () => {
    for (let i = 0; i < 1_000; i += 1) await (await mutex.acquire()).release();
  });
  console.log(`lock, uncontended: ${Math.round(1_000_000 / alone.wall)} a second`);
  const clients = await Promise.all(Array.from({ length: 20 }, () => ZooKeeper.connect(connectString)));
  const contended = await cost(200, async () => {
    await Promise.all(
      clients.map(async (client) => {
        const contender = new Mutex(client, '/locks/bench');
        for (let i = 0; i < 10; i += 1) await (await contender.acquire()).release();
      }),
    );
  });
  console.log(`lock, 20 contenders x 10: ${Math.round((contended.wall * 200) / 1000)} ms`);
  await Promise.all(clients.map((client) => client.close()));
}

const server = await RealServer.start();
const zk = await ZooKeeper.connect(server.connectString, { sessionTimeout: 10_000 });
const { host, port } = server.members[0] as { host: string; port: number };
const floor = await Floor.connect(host, port);
try {
  await compareCalls(zk, floor);
  await timeLocks(zk, server.connectString);
} finally {
  floor.close();
  await zk.close();
  await server.stop();
}
