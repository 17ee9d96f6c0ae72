import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TestServer } from '@zookit/testing';
import { ZooKeeper } from '../../src/index.ts';
import { until } from '../real/support.ts';
import { Child, type Terms } from './processes/child.ts';

// With the built packages, which the real tests are run behind. The server is the one in this process.
jest.setTimeout(60_000);

/** Node takes a while to start and to end where much else goes on; a client that holds it would for far longer. */
const SOON = 15_000;
const cleanUps: (() => Promise<unknown>)[] = [];
let server: TestServer;

beforeEach(async () => {
  server = await TestServer.start({ tickTime: 200, maxSessionTimeout: 60_000 });
  cleanUps.push(() => server.stop());
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function run(plan: readonly string[], terms: Partial<Terms> = {}): Child {
  const child = Child.client({ connectString: server.connectString, plan, ...terms });
  cleanUps.push(() => child.kill());
  return child;
}

/** Resolves when the server has been sent so many pings. */
function pings(count: number): Promise<void> {
  let seen = 0;
  return new Promise((resolve) => {
    const off = server.intercept(({ type }) => {
      if (type === 'ping') seen += 1;
      if (seen === count) {
        off();
        resolve();
      }
      return 'pass';
    });
  });
}

/** A server that accepts and says nothing. */
async function muteServer(): Promise<string> {
  const sockets = new Set<Socket>();
  const mute = createServer((socket) => {
    sockets.add(
      socket
        .on('error', () => {})
        .on('close', () => sockets.delete(socket))
        .resume(),
    );
  });
  await new Promise<void>((resolve) => {
    mute.listen(0, '127.0.0.1', resolve);
  });
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => mute.close(resolve));
  });
  return `127.0.0.1:${(mute.address() as AddressInfo).port}`;
}

describe('a process', () => {
  it.each(['import', 'require'] as const)('that connects, works and closes ends by itself (by %s)', async (how) => {
    const child = run(['connect', 'work', 'close'], { how, options: { sessionTimeout: 30_000 } });
    expect(await child.ended(SOON)).toBe(0);
    expect(child.errors).toBe('');
    expect(server.sessions()).toEqual([]);
  });

  it('that only begins to close ends, too, and the session is ended', async () => {
    const child = run(['connect', 'make calls', 'begin to close']);
    expect(await child.ended(SOON)).toBe(0);
    expect(child.errors).toBe('');
    expect(server.sessions()).toEqual([]);
  });

  it('that closes a client without a server ends soon', async () => {
    const child = run(['connect', 'close'], { connectString: await muteServer(), options: { connectTimeout: 300 } });
    expect(await child.ended(SOON)).not.toBe(0);
    expect(child.errors).toContain('no session within connectTimeout (300 ms)');
    const other = run(['begin to connect', 'a moment', 'close'], { connectString: await muteServer() });
    expect(await other.ended(SOON)).toBe(0);
    expect(other.errors).toBe('');
  });

  it('that never closes stays alive, with its session', async () => {
    const child = run(['connect'], { options: { sessionTimeout: 4_000 } });
    await child.done('connect');
    // The next ones come only if something holds the process: what it had to do is done.
    await pings(4);
    expect(child.isAlive).toBe(true);
    expect(server.sessions()).toHaveLength(1);
  });

  it('that never closes stays alive while its server is away, too', async () => {
    const child = run(['connect', 'suspended', 'reconnected'], { options: { sessionTimeout: 30_000 } });
    await child.done('connect');
    await server.stopMember(0);
    await child.done('suspended');
    await server.startMember(0);
    await child.done('reconnected');
    expect(child.isAlive).toBe(true);
  });

  it('that drops the promise of connect() is not brought down by it', async () => {
    const child = run(['begin to connect'], { connectString: '127.0.0.1:1', options: { connectTimeout: 300 } });
    expect(await child.ended(SOON)).toBe(0);
    expect(child.errors).toBe('');
  });

  it('in which nobody listens for anything outlives its server, and its session', async () => {
    const plan = ['connect', 'work', 'cut off', 'another session', 'work', 'close'];
    const child = run(plan, { options: { sessionTimeout: 2_000 } });
    await child.done('work');
    await server.stopMember(0);
    await child.done('cut off');
    for (const { id } of server.sessions()) server.expireSession(id);
    await server.startMember(0);
    expect(await child.ended(SOON)).toBe(0);
    expect(child.errors).toBe('');
  });

  it('uses next to no CPU time while its server is away', async () => {
    const plan = ['connect', 'suspended', 'make calls', 'CPU time before', 'three seconds', 'CPU time after', 'close'];
    const child = run(plan, { options: { sessionTimeout: 30_000 } });
    await child.done('connect');
    await server.stopMember(0);
    const before = (await child.done('CPU time before')) as number;
    const after = (await child.done('CPU time after')) as number;
    expect(after - before).toBeLessThan(300);
    expect(await child.ended(SOON)).toBe(0);
  });
});

describe('a process whose client is unref: true ends by itself', () => {
  const unref = { unref: true, sessionTimeout: 30_000, connectTimeout: 3_600_000 };

  it('while it connects to a mute server', async () => {
    const child = run(['begin to connect', 'a moment'], { connectString: await muteServer(), options: unref });
    expect(await child.ended(SOON)).toBe(0);
    expect(child.errors).toBe('');
  });

  it('while nobody listens', async () => {
    const child = run(['begin to connect', 'a moment'], { connectString: '127.0.0.1:1', options: unref });
    expect(await child.ended(SOON)).toBe(0);
  });

  it('while it is connected and idle', async () => {
    const child = run(['connect', 'work'], { options: unref });
    expect(await child.ended(SOON)).toBe(0);
    expect(child.errors).toBe('');
  });

  it('while it is suspended', async () => {
    const child = run(['connect', 'suspended', 'a moment'], { options: unref });
    await child.done('connect');
    await server.stopMember(0);
    expect(await child.ended(SOON)).toBe(0);
  });

  it('while it is suspended, with calls that wait', async () => {
    const child = run(['connect', 'suspended', 'make calls'], { options: unref });
    await child.done('connect');
    await server.stopMember(0);
    expect(await child.ended(SOON)).toBe(0);
    expect(child.errors).toBe('');
  });

  it('while it looks for a new session after a lost one', async () => {
    const child = run(['connect', 'lost', 'a moment'], { options: { ...unref, sessionTimeout: 400 } });
    await child.done('connect');
    await server.stopMember(0);
    expect(await child.ended(SOON)).toBe(0);
  });

  it('with calls on the wire that are not answered', async () => {
    server.intercept(({ type }) => (['ping', 'connect'].includes(type) ? 'pass' : 'drop-request'));
    const child = run(['connect', 'make calls', 'a moment'], { options: unref });
    expect(await child.ended(SOON)).toBe(0);
  });

  it('while it ends a lost session on a server that does not answer', async () => {
    const options = { ...unref, sessionTimeout: 30_000, leaseMargin: 29_000 };
    const child = run(['connect', 'lost', 'three seconds'], { options });
    await child.done('connect');
    let asked = 0;
    server.intercept(({ type }) => {
      if (type === 'closeSession') asked += 1;
      return type === 'connect' ? 'pass' : 'drop-request';
    });
    await child.done('three seconds');
    expect(asked).toBe(1);
    // The server has a third of the timeout for its answer: this is well within it.
    expect(await child.ended(5_000)).toBe(0);
  });

  it('with retries that are a long time away', async () => {
    server.intercept(({ type }) => (['ping', 'connect'].includes(type) ? 'pass' : { error: -127 }));
    const retry = { retries: 1_000, minTimeout: 3_600_000, maxTimeout: 3_600_000 };
    const child = run(['connect', 'make calls', 'a moment'], { options: { ...unref, retry } });
    expect(await child.ended(SOON)).toBe(0);
  });
});

describe('a worker thread', () => {
  function work(name: string): Worker {
    const workerData = { name, connectString: server.connectString, sessionTimeout: 2_000 };
    const worker = new Worker(new URL('./processes/working-thread.mjs', import.meta.url), { workerData, execArgv: [] });
    cleanUps.push(() => worker.terminate());
    return worker;
  }

  const message = (worker: Worker): Promise<unknown> => new Promise((resolve) => worker.once('message', resolve));
  const exit = (worker: Worker): Promise<number> => new Promise((resolve) => worker.once('exit', resolve));

  it('ends by itself once its client is closed', async () => {
    const worker = work('a');
    const failures: unknown[] = [];
    worker.on('error', (error) => failures.push(error));
    expect(await message(worker)).toBe('at work');
    const [closed, ended] = [message(worker), exit(worker)];
    worker.postMessage('close');
    expect(await closed).toBe('closed');
    expect(await ended).toBe(0);
    expect(failures).toEqual([]);
    expect(server.sessions()).toEqual([]);
  });

  it('that is terminated in the middle of its work harms nobody: its session ends by its timeout, and others go on', async () => {
    const zk = await ZooKeeper.connect(server.connectString, { sessionTimeout: 10_000 });
    cleanUps.push(() => zk.close());
    const [doomed, other] = [work('doomed'), work('other')];
    await Promise.all([message(doomed), message(other)]);
    const gone = new Promise<string>((resolve) => {
      void zk.exists('/thread-doomed', { watch: ({ type }) => resolve(type) });
    });
    const { id } = zk.session ?? {};
    await doomed.terminate();
    expect(await gone).toBe('deleted');
    expect(await zk.exists('/thread-other')).not.toBeNull();
    expect(zk.session?.id).toBe(id);
    const ended = exit(other);
    other.postMessage('close');
    expect(await ended).toBe(0);
    await until('one session is left', () => server.sessions().length === 1);
  });
});

describe('two copies of the package in one process', () => {
  it('each have their session, and tell errors by the same codes', async () => {
    const packages = fileURLToPath(new URL('../../..', import.meta.url));
    const folder = await mkdtemp(join(tmpdir(), 'zookit-copies-'));
    cleanUps.push(() => rm(folder, { recursive: true }));
    const copies: string[] = [];
    for (const copy of ['one', 'two']) {
      const modules = join(folder, copy, 'node_modules');
      for (const [name, source] of [
        ['@zookit/client', 'client'],
        ['@zookit/protocol', 'protocol'],
        ['jute-ts', 'jute-ts'],
      ] as const) {
        await mkdir(join(modules, name), { recursive: true });
        for (const part of ['dist', 'package.json']) {
          await cp(join(packages, source, part), join(modules, name, part), { recursive: true });
        }
      }
      for (const name of ['eventemitter3', 'p-retry']) {
        await symlink(join(dirname(packages), 'node_modules', name), join(modules, name));
      }
      copies.push(join(modules, '@zookit/client/dist/index.js'));
    }
    const child = new Child('two-copies.mjs', { connectString: server.connectString, copies });
    cleanUps.push(() => child.kill());
    expect(await child.ended(SOON)).toBe(0);
    expect(child.errors).toBe('');
    expect(JSON.parse(child.output)).toEqual({
      copies: 2,
      sessions: 2,
      seen: 'x',
      codes: ['NO_NODE', 'NODE_EXISTS'],
      names: ['NoNodeError', 'NodeExistsError'],
      isOneOfItsOwn: true,
      // Which is why it is the code that should be asked.
      isOneOfTheOther: false,
    });
  });
});
