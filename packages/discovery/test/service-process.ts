// Registers an instance and keeps it registered until it is killed: CONNECT-STRING SESSION-TIMEOUT ID
import { ZooKeeper } from '@zookit/client';
import { ServiceDiscovery, serviceInstance } from '../src/index.ts';

export type ServiceMessage = 'registered' | 'reconnected';

const say = (message: ServiceMessage): void => void process.send?.(message);

const [connectString = '', sessionTimeout, id = ''] = process.argv.slice(2);
const zk = await ZooKeeper.connect(connectString, { sessionTimeout: Number(sessionTimeout) });
const discovery = new ServiceDiscovery(zk);
await discovery.register(serviceInstance({ name: 'svc', id, address: '127.0.0.1', port: 80, payload: 'first' }));
await discovery.update(serviceInstance({ name: 'svc', id, address: '127.0.0.1', port: 80, payload: 'latest' }));
say('registered');
zk.on('reconnected', () => {
  zk.sync().then(
    () => say('reconnected'),
    () => {},
  );
});
process.once('disconnect', () => {
  zk.close({ timeout: 1_000 }).finally(() => process.exit());
});
