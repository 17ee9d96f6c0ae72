// Six jobs, never more than two at once: node docs/examples/semaphore.mjs [connectString]
import { setTimeout as work } from 'node:timers/promises';
import { Semaphore, ZooKeeper } from 'zookit';

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181', { sessionTimeout: 10_000 });
const slots = new Semaphore(zk, '/semaphores/exports', { leases: 2 });

const jobs = Array.from({ length: 6 }, (_, job) =>
  slots.run(
    async (held) => {
      const { length } = await slots.holders();
      console.log(`job ${job} works, ${length} of 2 leases are held`);
      await work(50, null, { signal: held.signal });
    },
    { timeout: 30_000 },
  ),
);
await Promise.all(jobs);

await zk.close();
