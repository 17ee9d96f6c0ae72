// Follow a znode with one-shot watches: node docs/examples/watch-a-znode.mjs [connectString]
import { ZooKeeper } from 'zookit';

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181', { sessionTimeout: 10_000 });
const path = '/examples/setting';
await zk.ensurePath(path);

/** The values of a znode, as far as they are seen: one that is replaced before it was read is missed. */
async function* values() {
  for (;;) {
    let fire;
    const changed = new Promise((resolve) => {
      fire = resolve;
    });
    const { data } = await zk.get(path, { watch: fire });
    yield String(data);
    const { type } = await changed;
    if (type !== 'changed') return;
  }
}

await zk.set(path, 'first');
for await (const value of values()) {
  console.log(value);
  if (value === 'first') await zk.set(path, 'second');
  else await zk.delete(path);
}
console.log('the znode is gone');
await zk.close();
