// Queues split among workers: node docs/examples/partitioner.mjs [connectString]
import { Partitioner, ZooKeeper } from 'zookit';

const items = ['mail', 'orders', 'payments', 'returns', 'stock', 'users'];

// Each of them could be a process of its own, on a machine of its own.
async function worker(name) {
  const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181', { sessionTimeout: 10_000 });
  const queues = new Partitioner(zk, '/workers/queues', { items, id: name });
  queues.on('change', (mine) => console.log(`${name} has ${[...mine.keys()].join(', ') || 'nothing'}`));
  await queues.start();
  return { zk, queues };
}

const ada = await worker('ada');
for (const [queue, held] of ada.queues.mine()) {
  // It is to move: finish what is under way, then let go.
  held.once('revoke', async () => {
    console.log(`ada finishes ${queue}`);
    await held.release();
  });
}

const halves = new Promise((resolve) => ada.queues.on('change', (mine) => mine.size === 3 && resolve()));
const grace = await worker('grace');
await halves;

await ada.queues.close();
await ada.zk.close();
while (grace.queues.mine().size < items.length) await new Promise((resolve) => grace.queues.once('change', resolve));
await grace.queues.close();
await grace.zk.close();
