// watch-heap CLIENT KIND CONNECT-STRING COUNT: sets so many watches, and writes by how many bytes each has made the heap grow.
import { pump } from '../driver.ts';
import { heapUsed } from '../heap.ts';

const [name, kind, connectString = '', count] = process.argv.slice(2);
const watches = Number(count);
// The paths are the caller's, and so are not counted.
const paths = Array.from({ length: watches }, (_, index) => Buffer.from(`/watch-heap-${index}`).toString('latin1'));

const ignore = (): void => {};
const kept: unknown[] = new Array(watches);

async function byZookit(): Promise<{ set(path: string, index: number): Promise<unknown>; end(): unknown }> {
  const { ZooKeeper } = await import('zookit');
  const zk = await ZooKeeper.connect(connectString);
  return {
    set: async (path, index) => {
      if (kind === 'one-shot') await zk.exists(path, { watch: ignore });
      else kept[index] = (await zk.watch(path)).on('event', ignore);
    },
    end: () => zk.close(),
  };
}

async function byNodeZookeeperClient(): ReturnType<typeof byZookit> {
  const { createClient } = await import('node-zookeeper-client');
  const client = createClient(connectString);
  await new Promise<void>((resolve) => {
    client.once('connected', resolve);
    client.connect();
  });
  return {
    set: (path) => new Promise((resolve) => client.exists(path, ignore, resolve)),
    end: () => client.close(),
  };
}

const { set, end } = await (name === 'zookit' ? byZookit() : byNodeZookeeperClient());
const fill = (from: number, to: number): Promise<void> =>
  pump(to - from, 256, (index, done) => {
    set(paths[from + index] as string, from + index).then(() => done(), done);
  });
// Buffers have their size, and code has been compiled, after the first ones.
const warmUp = Math.ceil(watches / 20);
await fill(0, warmUp);
const before = heapUsed();
await fill(warmUp, watches);
process.stdout.write(`${(heapUsed() - before) / (watches - warmUp)}\n`);
await end();
