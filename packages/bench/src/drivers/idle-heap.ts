// idle-heap CLIENT CONNECT-STRING COUNT: connects so many clients, and writes by how many bytes each has made the heap grow.
import { heapUsed } from '../heap.ts';

const [name, connectString = '', count] = process.argv.slice(2);
const clients = Number(count);

type Open = () => Promise<() => unknown>;

async function zookit(): Promise<Open> {
  const { ZooKeeper } = await import('zookit');
  return async () => {
    const zk = await ZooKeeper.connect(connectString);
    return () => zk.close();
  };
}

async function nodeZookeeperClient(): Promise<Open> {
  const { createClient } = await import('node-zookeeper-client');
  return async () => {
    const client = createClient(connectString);
    await new Promise<void>((resolve) => {
      client.once('connected', resolve);
      client.connect();
    });
    return () => client.close();
  };
}

async function floor(): Promise<Open> {
  const { greet } = await import('./handshake.ts');
  return async () => {
    const socket = await greet(connectString);
    return () => socket.destroy();
  };
}

const openers = { zookit, 'node-zookeeper-client': nodeZookeeperClient, floor };
const open = await openers[name as keyof typeof openers]();
const ends: (() => unknown)[] = new Array(clients * 2);
const fill = async (from: number, to: number): Promise<void> => {
  for (let i = from; i < to; i += 1) ends[i] = await open();
};
// Code has been compiled, and tables have their size, after the first ones.
await fill(0, clients);
const before = heapUsed();
await fill(clients, clients * 2);
process.stdout.write(`${(heapUsed() - before) / clients}\n`);
await Promise.all(ends.map((end) => end()));
