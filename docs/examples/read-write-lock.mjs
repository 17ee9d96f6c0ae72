// From writing to reading with no writer in between: node docs/examples/read-write-lock.mjs [connectString]
import { ReadWriteLock, ZooKeeper } from 'zookit';

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181', { sessionTimeout: 10_000 });
const prices = new ReadWriteLock(zk, '/locks/prices');
const others = new ReadWriteLock(zk, '/locks/prices');

const write = await prices.write.acquire({ timeout: 30_000 });
console.log('writing; may others read?', (await others.read.tryAcquire()) !== null);

const read = await prices.read.acquire();
await write.release();
const otherRead = await others.read.tryAcquire();
console.log('reading; may others read?', otherRead !== null);
await otherRead?.release();
console.log('may others write?', (await others.write.tryAcquire()) !== null);

await read.release();
await zk.close();
