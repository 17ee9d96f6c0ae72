// A process as users have them: the built package, no test runner. It goes through a plan, says what it has done, and
// then has nothing more to do: whether it ends is what the test wants to know.
import { createRequire } from 'node:module';

const { how = 'import', connectString, options = {}, plan } = JSON.parse(process.argv[2]);
const { ZooKeeper } =
  how === 'require' ? createRequire(import.meta.url)('@zookit/client') : await import('@zookit/client');

// Keeps the process alive on its way to the phase in question.
const onTheWay = setInterval(() => {}, 60_000);
const zk = new ZooKeeper(connectString, options);
const settled = [];

function follow(name, promise) {
  promise.then(
    () => settled.push(`${name}: done`),
    (error) => settled.push(`${name}: ${error.code}`),
  );
}

const steps = {
  connect: () => zk.connect(),
  // Nobody waits for it.
  'begin to connect': () => void zk.connect(),
  work: async () => {
    const { path } = await zk.create('/process-', 'x', { mode: 'ephemeral-sequential' });
    await zk.get(path, { watch: () => {} });
    await zk.set(path, 'y');
    await zk.transaction().check(path).commit();
  },
  'make calls': () => {
    follow('read', zk.get('/'));
    follow('write', zk.set('/', 'x', { timeout: 3_600_000 }));
    follow('delete', zk.delete('/nothing', { guaranteed: true }));
    follow('protected', zk.create('/p-', null, { protected: true, timeout: 3_600_000 }));
  },
  suspended: () => event('suspended'),
  lost: () => event('lost'),
  reconnected: () => event('reconnected'),
  renewed: () => event('renewed'),
  // These two by looking, for a process that listens to nothing.
  'cut off': () => seen(() => zk.state === 'suspended'),
  'another session': () => seen(() => zk.session !== null && zk.session.id !== first),
  'a moment': () => new Promise((resolve) => setTimeout(resolve, 100)),
  'three seconds': () => new Promise((resolve) => setTimeout(resolve, 3_000)),
  'CPU time before': cpuTime,
  'CPU time after': cpuTime,
  settled: () => settled.join(', '),
  close: () => zk.close(),
  'begin to close': () => void zk.close(),
};

/** In ms. */
function cpuTime() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** It may have come already. */
const told = new Set();
if (!plan.includes('cut off')) {
  for (const name of ['suspended', 'lost', 'reconnected', 'renewed']) zk.on(name, () => told.add(name));
}
function event(name) {
  return told.has(name) ? undefined : new Promise((resolve) => zk.once(name, resolve));
}

async function seen(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

let first;
for (const step of plan) {
  const result = await steps[step]();
  first ??= zk.session?.id;
  process.stdout.write(`${JSON.stringify({ step, result: result ?? null })}\n`);
}
clearInterval(onTheWay);
