// A lock held for half a second: node docs/examples/lock.mjs [connectString]
import { setTimeout as work } from 'node:timers/promises';
import { Mutex, ZooKeeper } from 'zookit';

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181', { sessionTimeout: 10_000 });
const orders = new Mutex(zk, '/locks/orders');

await orders.run(
  async (held) => {
    // Only one process at a time is in here. Hand the signal on to all that you do: it aborts when the lock is lost.
    await work(500, 'the books are closed', { signal: held.signal });
    console.log(`done under fencing token ${held.fencingToken}`);
  },
  { timeout: 30_000 },
);

await zk.close();
