// One get of '/start-up' as soon as the process can, by the client that is named; then a line, and the end.
const [name, connectString = ''] = process.argv.slice(2);

async function byZookit(): Promise<() => unknown> {
  const { ZooKeeper } = await import('zookit');
  const zk = await ZooKeeper.connect(connectString);
  await zk.get('/start-up');
  return () => zk.close();
}

async function byNodeZookeeperClient(): Promise<() => unknown> {
  const { createClient } = await import('node-zookeeper-client');
  const client = createClient(connectString);
  await new Promise<void>((resolve) => {
    client.once('connected', resolve);
    client.connect();
  });
  await new Promise((resolve) => client.getData('/start-up', resolve));
  return () => client.close();
}

async function byFloor(): Promise<() => unknown> {
  const { greet } = await import('./handshake.ts');
  const socket = await greet(connectString);
  const answered = new Promise((resolve) => socket.once('data', resolve));
  socket.write(Buffer.from(`00000016000000010000000400000009${Buffer.from('/start-up').toString('hex')}00`, 'hex'));
  await answered;
  return () => socket.destroy();
}

const clients = { zookit: byZookit, 'node-zookeeper-client': byNodeZookeeperClient, floor: byFloor };
const end = await clients[name as keyof typeof clients]();
process.stdout.write('answered\n');
await end();
