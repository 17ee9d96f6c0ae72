// A worker thread with a client of its own: it works until it is told to close, or is ended in the middle of it.
import { parentPort, workerData } from 'node:worker_threads';
import { ZooKeeper } from '@zookit/client';

const zk = await ZooKeeper.connect(workerData.connectString, { sessionTimeout: workerData.sessionTimeout });
await zk.create(`/thread-${workerData.name}`, 'x', { mode: 'ephemeral' });
let closing = false;
parentPort.once('message', () => {
  closing = true;
});
let calls = 0;
while (!closing) {
  await Promise.all([
    zk.set(`/thread-${workerData.name}`, String(calls)),
    zk.get(`/thread-${workerData.name}`, { watch: () => {} }),
  ]);
  calls += 1;
  if (calls === 10) parentPort.postMessage('at work');
}
await zk.close();
parentPort.postMessage('closed');
