import type { ForkOptions } from 'node:child_process';
import { join } from 'node:path';
import { ZooKeeper, type ZooKeeperOptions } from '@zookit/client';
import { FaultProxy } from '@zookit/testing';

/** Clients and proxies that end with the test. */
export class Bench {
  readonly #clients: ZooKeeper[] = [];
  readonly #proxies: FaultProxy[] = [];

  async client(connectString: string, options: ZooKeeperOptions = {}): Promise<ZooKeeper> {
    const client = new ZooKeeper(connectString, { sessionTimeout: 6_000, ...options });
    this.#clients.push(client);
    await client.connect();
    return client;
  }

  async proxy(target: string): Promise<FaultProxy> {
    const proxy = await FaultProxy.start(target);
    this.#proxies.push(proxy);
    return proxy;
  }

  async end(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.restore()));
    await Promise.all(this.#clients.splice(0).map((client) => client.close({ timeout: 2_000 })));
    await Promise.all(this.#proxies.splice(0).map((proxy) => proxy.stop()));
  }
}

/** `count` of something, made at once. */
export function times<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => make(index)));
}

/** For `fork`: a process that runs a test's TypeScript, and the packages' sources, as they are. */
export const sourceProcess: ForkOptions = {
  cwd: join(import.meta.dirname, '../..'),
  execArgv: ['--import', '@zookit/jest-preset/run-source', '--conditions=@zookit/source'],
};

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** When the signal aborted, in `performance.now()` ms. */
export function abortOf(signal: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(performance.now()), { once: true });
  });
}

/** Resolves once the condition holds; throws when it doesn't within `ms`. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, ms = 15_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await pause(10);
  }
}

/** The contenders' znodes of a lock; none when its base is gone. */
export async function contenders(zk: ZooKeeper, path: string): Promise<string[]> {
  const stat = await zk.exists(path);
  return stat === null ? [] : (await zk.children(path)).children;
}
