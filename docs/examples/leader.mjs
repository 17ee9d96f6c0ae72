// A leader, its successor, and a function that leads in turns: node docs/examples/leader.mjs [connectString]
import { LeaderLatch, LeaderSelector, ZooKeeper } from 'zookit';

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181', { sessionTimeout: 10_000 });

// Two candidates: in life, one in each of your processes.
const one = new LeaderLatch(zk, '/leaders/reports', { id: 'one' });
const two = new LeaderLatch(zk, '/leaders/reports', { id: 'two' });
two.on('leader', ({ fencingToken }) => console.log(`two leads under fencing token ${fencingToken}`));
two.on('not-leader', ({ message }) => console.log(`two: ${message}`));
await one.start();
await two.start();

for await (const held of one.terms()) {
  // Hand the signal on to all that you do: it aborts when the term is over.
  console.log(`one leads under fencing token ${held.fencingToken}`, await one.participants());
  await one.close();
}
await two.wait({ timeout: 10_000 });
await two.close();

// A term is the run of the function; with `requeue` the selector stands for the next one, too.
const sweeper = new LeaderSelector(zk, '/leaders/sweeps', { id: 'one', requeue: true }, async (held) => {
  console.log(`swept under fencing token ${held.fencingToken}`);
  if (++sweeps === 2) sweptTwice();
});
let sweeps = 0;
let sweptTwice;
const done = new Promise((resolve) => (sweptTwice = resolve));
sweeper.on('error', (error) => console.error(error));
await sweeper.start();
await done;
await sweeper.close();

await zk.close();
