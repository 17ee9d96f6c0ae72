import { CreateMode, createClient } from 'node-zookeeper-client';
import { BATCH, pump, serve } from '../driver.ts';

const data = Buffer.alloc(100, 1);

await serve(async (connectString) => {
  const client = createClient(connectString);
  await new Promise<void>((resolve) => {
    client.once('connected', resolve);
    client.connect();
  });
  return {
    workloads: {
      get: (path, count, window) => pump(count, window, (_, done) => client.getData(path, done)),
      set: (path, count, window) => pump(count, window, (_, done) => client.setData(path, data, -1, done)),
      'create-delete': (path, count, window) =>
        pump(count, window, (index, done) => {
          const child = `${path}/n${index}`;
          client.create(child, data, (error) => {
            if (error) done(error);
            else client.remove(child, -1, done);
          });
        }),
      multi: (path, count, window) =>
        pump(count, window, (_, done) => {
          const transaction = client.transaction();
          for (let i = 0; i < BATCH; i += 1) {
            transaction.create(`${path}/n`, data, CreateMode.PERSISTENT_SEQUENTIAL);
          }
          transaction.commit(done);
        }),
      'set-watches': (path, count, window) =>
        pump(count, window, (index, done) => client.exists(`${path}/n${index}`, () => {}, done)),
      children: (path, count, window) => pump(count, window, (_, done) => client.getChildren(path, done)),
    },
    watch: (path, count, window, armed) =>
      new Promise((resolve, reject) => {
        let fired = 0;
        const onEvent = (): void => {
          fired += 1;
          if (fired === count) resolve();
        };
        pump(count, window, (index, done) => client.getData(`${path}/n${index}`, onEvent, done)).then(armed, reject);
      }),
    close: () => client.close(),
  };
});
