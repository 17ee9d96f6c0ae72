// Keep up with a subtree by a recursive watch: node docs/examples/follow-a-subtree.mjs [connectString]
import { ZooKeeper } from 'zookit';

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181', { sessionTimeout: 10_000 });
const root = '/examples/settings';
await zk.ensurePath(root);

const settings = new Map();

async function look(path) {
  try {
    const { data } = await zk.get(path);
    settings.set(path, String(data));
  } catch (error) {
    if (error.code !== 'NO_NODE') throw error;
    settings.delete(path);
  }
}

async function lookAtAll() {
  settings.clear();
  for await (const path of zk.walk(root)) await look(path);
}

const watch = await zk.watch(root, { recursive: true });
await lookAtAll();

const following = (async () => {
  for await (const { type, path } of watch) {
    // After a reconnect, or when this loop was too slow: anything may have changed.
    if (type === 'resync') await lookAtAll();
    else await look(path);
    console.log(`${type} ${path}: ${settings.get(path) ?? 'gone'}`);
    if (type === 'deleted') await watch.close();
  }
})();

await zk.create(`${root}/colour`, 'red');
await zk.set(`${root}/colour`, 'blue');
await zk.delete(`${root}/colour`);
await following;
await zk.close();
