// Two accounts locked as one: node docs/examples/multi-lock.mjs [connectString]
import { MultiLock, Mutex, ZooKeeper } from 'zookit';

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181', { sessionTimeout: 10_000 });
// In one order for everybody, so that nobody waits in a circle.
const paths = ['/accounts/bob', '/accounts/alice'].sort();
const both = new MultiLock(paths.map((path) => new Mutex(zk, path)));

await both.run(
  (held) => {
    for (const [i, path] of paths.entries()) console.log(`${path} is ours under fencing token ${held.tokens[i]}`);
  },
  { timeout: 10_000 },
);

await zk.close();
