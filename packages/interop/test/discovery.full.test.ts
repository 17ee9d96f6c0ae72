import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type ServiceCache, ServiceDiscovery, type ServiceInstance, serviceInstance, ZooKeeper } from 'zookit';
import { curatorDiscoveryProgram } from '../src/curator-discovery.ts';
import { Bench, until } from './support/bench.ts';
import type { ContenderProcess } from './support/contender-process.ts';

const SERVICES = 50;
const INSTANCES = 20;
const ROUNDS = 10;

let bench: Bench;
let java: ContenderProcess;

beforeAll(async () => {
  bench = await Bench.start();
  java = await bench.process(await curatorDiscoveryProgram());
}, 120_000);

afterAll(() => bench.end(), 60_000);

const names = Array.from({ length: SERVICES }, (_, i) => `svc${i}`);

function instance(name: string, id: string): ServiceInstance {
  return serviceInstance({ name, id, address: '10.0.0.1', port: 8080, registrationTimeUTC: 1_700_000_000_000 });
}

/** As Java's `seen` puts it. */
function inWords(idsOf: (name: string) => readonly string[]): string {
  return [...names]
    .sort()
    .map((name) => `${name}:${[...idsOf(name)].sort().join(',')}`)
    .join(';');
}

it(`${SERVICES} services of ${INSTANCES} instances come and go: observers in both languages agree with the server`, async () => {
  const proxy = await bench.proxy();
  await using cutOff = await ZooKeeper.connect(proxy.connectString, { sessionTimeout: 10_000 });
  await using ours = new ServiceDiscovery(cutOff, { basePath: '/churn' });
  await using observer = new ServiceDiscovery(bench.zk, { basePath: '/churn' });
  const present = new Map(names.map((name) => [name, new Set<string>()]));
  const caches = new Map<string, ServiceCache>();
  for (const name of names) {
    const cache = observer.cache(name);
    caches.set(name, cache);
    await cache.start();
  }
  await java.ask(`observe /churn ${SERVICES}`, 'observing');

  /** Half of a service's instances are Java's. */
  const change = async (name: string, index: number): Promise<void> => {
    // Curator keeps its own by id alone, so ids are unique over all services.
    const [id, ids] = [`${name}-${index}`, present.get(name)!];
    const isThere = ids.has(id);
    if (index % 2 === 0) {
      const [command, answer] = isThere ? ['unregister', 'unregistered'] : ['register', 'registered'];
      await java.ask(`${command} /churn old ${name} ${id} DYNAMIC none`, answer);
    } else if (isThere) await ours.unregister(instance(name, id));
    else await ours.register(instance(name, id));
    if (isThere) ids.delete(id);
    else ids.add(id);
  };
  const took: number[] = [];
  const agree = async (): Promise<void> => {
    const wanted = inWords((name) => [...present.get(name)!]);
    const from = performance.now();
    await until('both see what is there', async () => {
      const seen = inWords((name) => caches.get(name)!.instances.map(({ id }) => id));
      return seen === wanted && (await java.ask('seen', 'seen')) === wanted;
    });
    took.push(performance.now() - from);
  };

  const everyone = names.flatMap((name) => Array.from({ length: INSTANCES }, (_, index) => [name, index] as const));
  await Promise.all(everyone.map(([name, index]) => change(name, index)));
  await agree();
  let left = 0;
  for (const cache of caches.values()) cache.on('change', ({ removed }) => (left += removed.length));
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = left;
    // A lost connection is no reason to leave.
    const back = new Promise<void>((resolve) => cutOff.once('reconnected', resolve));
    await proxy.cut();
    await back;
    await cutOff.sync();
    expect(left).toBe(before);
    const some = everyone.filter((_, i) => (i * 7 + round) % 5 === 0);
    await Promise.all(some.map(([name, index]) => change(name, index)));
    await agree();
  }
  console.log(`agreed after ${took.map((ms) => Math.round(ms)).join(', ')} ms`);
}, 120_000);
