import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ZooKeeper } from '@zookit/client';
import { until } from '@zookit/test-world';
import { FaultProxy, RealServer } from '@zookit/testing';
import { ServiceDiscovery, type ServiceInstance, type ServiceProvider } from '../src/index.ts';
import type { ServiceMessage } from './service-process.ts';

/** Session timeouts in ms: to be lost soon, and to outlive what a busy machine does. */
const SHORT = 2_000;
const LONG = 20_000;

let server: RealServer;
let zk: ZooKeeper;
let discovery: ServiceDiscovery;
let provider: ServiceProvider;
let told: string[];
const children: ChildProcess[] = [];

beforeAll(async () => {
  server = await RealServer.start();
  zk = await ZooKeeper.connect(server.connectString, { sessionTimeout: 10_000 });
}, 60_000);

afterAll(async () => {
  await zk.close();
  await server.stop();
}, 30_000);

beforeEach(async () => {
  discovery = new ServiceDiscovery(zk);
  provider = discovery.provider('svc');
  told = [];
  provider.on('change', ({ added, removed, updated }) => {
    const note = (mark: string, { id, payload }: ServiceInstance): number => told.push(`${mark}${id} ${payload}`);
    for (const each of added) note('+', each);
    for (const each of updated) note('=', each);
    for (const each of removed) note('-', each);
  });
  await provider.start();
});

afterEach(async () => {
  await Promise.all(
    children.splice(0).map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGCONT');
      child.disconnect();
      await gone;
    }),
  );
  await discovery.close();
}, 60_000);

/** Resolves with the next thing that a process says, which has to be this. */
async function message(child: ChildProcess, expected: ServiceMessage): Promise<void> {
  expect(await once(child, 'message')).toContain(expected);
}

/** A process that has registered an instance, which has been seen. */
async function service(id: string, session: number, connectString = server.connectString): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'service-process.ts'), [connectString, String(session), id], {
    cwd: join(import.meta.dirname, '..'),
    execArgv: ['--import', '@zookit/jest-preset/run-source', '--conditions=@zookit/source'],
  });
  children.push(child);
  await message(child, 'registered');
  await until(() => provider.instances.some((each) => each.id === id && each.payload === 'latest'), `${id} is seen`);
  return child;
}

/** Resolves when an instance has gone, and when it has come back, in its latest version, since the last time it was asked. */
async function isTold(what: string): Promise<void> {
  await until(() => told.includes(what), what, 30_000);
  told.splice(0, told.indexOf(what) + 1);
}

describe('a service', () => {
  it('that is killed is gone when its session has ended, and the others are given out', async () => {
    const killed = await service('killed', SHORT);
    await service('other', LONG);
    killed.kill('SIGKILL');
    await isTold('-killed latest');
    expect(provider.all().map(({ id }) => id)).toEqual(['other']);
    expect(provider.get()?.id).toBe('other');
  }, 60_000);

  it('that is stopped for longer than its session is missed, and is back when it runs again', async () => {
    const stopped = await service('stopped', SHORT);
    stopped.kill('SIGSTOP');
    await isTold('-stopped latest');
    expect(provider.get()).toBeNull();
    stopped.kill('SIGCONT');
    await isTold('+stopped latest');
  }, 60_000);

  it('whose link is dead for longer than its session is missed, and is back after that', async () => {
    await using proxy = await FaultProxy.start(server.connectString);
    await service('linked', SHORT, proxy.connectString);
    await proxy.blackhole();
    await isTold('-linked latest');
    await proxy.restore();
    await isTold('+linked latest');
  }, 60_000);

  it('that is stopped for less, and whose link is cut, is not missed', async () => {
    await using proxy = await FaultProxy.start(server.connectString);
    const linked = await service('linked', LONG, proxy.connectString);
    told.length = 0;
    linked.kill('SIGSTOP');
    await service('meanwhile', LONG);
    linked.kill('SIGCONT');
    for (let round = 0; round < 3; round += 1) {
      const back = message(linked, 'reconnected');
      await proxy.cut();
      await back;
    }
    await service('other', LONG);
    expect(told.filter((each) => each.includes('linked'))).toEqual([]);
    expect(provider.instances).toHaveLength(3);
  }, 60_000);
});
