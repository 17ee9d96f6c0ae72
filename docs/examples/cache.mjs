// A copy of a tree that follows the server: node docs/examples/cache.mjs [connectString]
import { TreeCache, ZooKeeper } from 'zookit';

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181', { sessionTimeout: 10_000 });
await zk.create('/flags/checkout', 'off', { parents: true });

const flags = new TreeCache(zk, '/flags', { depth: 1 });
for (const event of ['created', 'changed', 'deleted']) {
  flags.on(event, ({ path, data }) => console.log(event, path, String(data)));
}
await flags.start();
console.log('checkout is', String(flags.get('/flags/checkout').data));

// Reading costs nothing and asks nobody; what others write arrives by itself.
const changed = new Promise((resolve) => flags.once('changed', resolve));
await zk.set('/flags/checkout', 'on');
await changed;
console.log('checkout is', String(flags.get('/flags/checkout').data));
console.log('old?', flags.stale);

await flags.close();
await zk.delete('/flags', { recursive: true });
await zk.close();
