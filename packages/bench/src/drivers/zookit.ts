import { Mutex, TreeCache, ZooKeeper } from 'zookit';
import { BATCH, pump, serve } from '../driver.ts';

const data = Buffer.alloc(100, 1);

await serve(async (connectString) => {
  const zk = await ZooKeeper.connect(connectString);
  const contenders = [zk];
  const then = (promise: Promise<unknown>, done: (error?: unknown) => void): void => {
    promise.then(() => done(), done);
  };
  return {
    workloads: {
      get: (path, count, window) => pump(count, window, (_, done) => then(zk.get(path), done)),
      set: (path, count, window) => pump(count, window, (_, done) => then(zk.set(path, data), done)),
      'create-delete': (path, count, window) =>
        pump(count, window, (index, done) => {
          const child = `${path}/n${index}`;
          then(
            zk.create(child, data).then(() => zk.delete(child)),
            done,
          );
        }),
      multi: (path, count, window) =>
        pump(count, window, (_, done) => {
          const transaction = zk.transaction();
          for (let i = 0; i < BATCH; i += 1) {
            transaction.create(`${path}/n`, data, { mode: 'persistent-sequential' });
          }
          then(transaction.commit(), done);
        }),
      lock: async (path, count, window) => {
        while (contenders.length < window) contenders.push(await ZooKeeper.connect(connectString));
        const contend = async (contender: ZooKeeper): Promise<void> => {
          const mutex = new Mutex(contender, path);
          for (let grant = 0; grant < count / window; grant += 1) await (await mutex.acquire()).release();
        };
        await Promise.all(contenders.slice(0, window).map(contend));
      },
      cache: async (path, count) => {
        await using cache = new TreeCache(zk, path);
        await cache.start();
        const found = [...cache.entries()].length;
        if (found !== count) throw new Error(`${found} of ${count} znodes are in the cache`);
      },
      'set-watches': (path, count, window) =>
        pump(count, window, (index, done) => then(zk.exists(`${path}/n${index}`, { watch: () => {} }), done)),
      children: (path, count, window) => pump(count, window, (_, done) => then(zk.children(path), done)),
    },
    watch: (path, count, window, armed) =>
      new Promise((resolve, reject) => {
        let fired = 0;
        const onEvent = (): void => {
          fired += 1;
          if (fired === count) resolve();
        };
        pump(count, window, (index, done) => then(zk.get(`${path}/n${index}`, { watch: () => onEvent() }), done)).then(
          armed,
          reject,
        );
      }),
    close: () => void Promise.all(contenders.map((contender) => contender.close())),
  };
});
