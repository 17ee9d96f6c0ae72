// Two HTTP services, and a client that keeps working while they are killed and stopped: node docs/examples/discovery.mjs [connectString]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { buildUri, ServiceDiscovery, serviceInstance, ZooKeeper } from 'zookit';

const [connectString = '127.0.0.1:2181', role = 'client'] = process.argv.slice(2);
const zk = await ZooKeeper.connect(connectString, { sessionTimeout: 2_000 });
const discovery = new ServiceDiscovery(zk, { basePath: '/services' });
if (role === 'client') await beClient();
else await beService(role);

async function beService(name) {
  const server = createServer((_, response) => response.end(`hello from ${name}`)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const uriSpec = '{scheme}://{address}:{port}/';
  const { port } = server.address();
  await discovery.register(serviceInstance({ name: 'greeter', id: name, address: '127.0.0.1', port, uriSpec }));
  process.send('registered');
  await once(process, 'disconnect');
  // First nobody is sent here any more, then nobody is served.
  await discovery.close();
  server.closeAllConnections();
  server.close();
  await zk.close();
}

async function beClient() {
  const [ada, grace] = await Promise.all([start('ada'), start('grace')]);
  const provider = discovery.provider('greeter', { downAfter: 1, downFor: 5_000 });
  provider.on('change', ({ added, removed }) => {
    for (const { id } of added) console.log(`  ${id} has come`);
    for (const { id } of removed) console.log(`  ${id} has gone`);
  });
  await provider.start();
  await greet(provider, 4);

  console.log('ada is killed');
  ada.kill('SIGKILL');
  await greet(provider, 4);

  const joan = await start('joan');
  while (provider.all().every(({ id }) => id !== 'joan')) await once(provider, 'change');
  console.log('grace is stopped: its port still takes connections');
  grace.kill('SIGSTOP');
  await greet(provider, 4);

  grace.kill('SIGCONT');
  for (const service of [grace, joan]) service.disconnect();
  await discovery.close();
  await zk.close();
}

async function start(name) {
  const service = fork(import.meta.filename, [connectString, name]);
  await once(service, 'message');
  return service;
}

async function greet(provider, times) {
  for (let greetings = 0; greetings < times; ) {
    const instance = provider.get();
    try {
      if (instance === null) throw new Error('nobody is there');
      const response = await fetch(buildUri(instance), { signal: AbortSignal.timeout(500) });
      console.log(await response.text());
      greetings += 1;
    } catch (error) {
      if (instance !== null) provider.noteError(instance);
      console.log(`  ${instance?.id}: ${error.message}, once more`);
      await pause(50);
    }
  }
}
