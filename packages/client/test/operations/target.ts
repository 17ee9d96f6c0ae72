import { afterAll } from '@jest/globals';
import { ZooKeeper, type ZooKeeperOptions } from '../../src/index.ts';

/** A running server that the cases are tried on. */
export interface Target {
  connectString: string;
}

export type GetTarget = () => Target;

export interface Clients {
  open(options?: ZooKeeperOptions, chroot?: string): Promise<ZooKeeper>;
  /** A path that nobody else uses, made with no data. */
  freshPath(zk: ZooKeeper): Promise<string>;
}

let counter = 0;

/** Clients that are closed when the tests of the file are over. */
export function useClients(target: GetTarget): Clients {
  const clients: ZooKeeper[] = [];
  afterAll(async () => {
    await Promise.all(clients.map((zk) => zk.close({ timeout: 3_000 })));
  });
  return {
    open: async (options = {}, chroot = '') => {
      const zk = await ZooKeeper.connect(`${target().connectString}${chroot}`, { sessionTimeout: 10_000, ...options });
      clients.push(zk);
      return zk;
    },
    freshPath: async (zk) => {
      counter += 1;
      const { path } = await zk.create(`/case-${counter}`);
      return path;
    },
  };
}

/** What a promise was rejected with. Throws when it wasn't. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`did not reject, but resolved with ${String(value)}`);
}

/** All that an iterable brings. */
export async function collect<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of iterable) items.push(item);
  return items;
}
