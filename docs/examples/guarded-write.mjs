// A write to ZooKeeper that only the holder can make: node docs/examples/guarded-write.mjs [connectString]
import { Mutex, ZooKeeper } from 'zookit';

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181', { sessionTimeout: 10_000 });
await zk.ensurePath('/examples/balance');
const mutex = new Mutex(zk, '/locks/balance');

const held = await mutex.acquire({ timeout: 10_000 });
await held.guard(zk.transaction()).set('/examples/balance', '100').commit();
console.log('the holder has written');
await held.release();

try {
  await held.guard(zk.transaction()).set('/examples/balance', '0').commit();
} catch (error) {
  console.log(`a stale holder is refused: ${error.code}`);
}
console.log(`the balance is ${(await zk.get('/examples/balance')).data}`);
await zk.close();
