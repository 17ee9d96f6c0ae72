// Workers that know each other: node docs/examples/group.mjs [connectString]
import { GroupMember, ZooKeeper } from 'zookit';

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181', { sessionTimeout: 10_000 });

const ada = new GroupMember(zk, '/workers', 'ada', 'idle');
await ada.start();

// Each of them could be a process of its own, on a machine of its own.
const changed = new Promise((resolve) => ada.once('change', resolve));
const grace = new GroupMember(zk, '/workers', 'grace', 'idle');
await grace.start();
console.log('ada sees', [...(await changed).keys()].join(', '));

await grace.setData('busy');
for (const [id, data] of await ada.members()) console.log(`${id} is ${data}`);

await grace.close();
await ada.close();
await zk.close();
