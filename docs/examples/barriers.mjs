// Three workers that begin and end together, behind a gate: node docs/examples/barriers.mjs [connectString]
import { setTimeout as work } from 'node:timers/promises';
import { Barrier, DoubleBarrier, ZooKeeper } from 'zookit';

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181', { sessionTimeout: 10_000 });
const gate = new Barrier(zk, '/gates/start');
await gate.set();

// Each of them could be a process of its own, on a machine of its own.
const workers = ['ada', 'grace', 'joan'].map(async (name, at) => {
  await gate.wait({ timeout: 30_000 });
  const job = new DoubleBarrier(zk, '/jobs/sort', { members: 3 });
  await work(100 * at);
  await job.enter({ timeout: 30_000 });
  console.log(`${name} begins`);
  await work(100 * at);
  await job.leave({ timeout: 30_000 });
  console.log(`${name} knows that all have ended`);
});

await gate.remove();
await Promise.all(workers);
await zk.close();
