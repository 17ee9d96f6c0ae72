import { World as ServerWorld, startServer } from '@zookit/test-world';
import type { TestServerOptions } from '@zookit/testing';
import type { Cache } from '../../src/index.ts';

/** A server, clients of it and caches, that end with the test. */
export class World extends ServerWorld {
  readonly #caches: Cache[] = [];

  static override async start(options: TestServerOptions = {}): Promise<World> {
    return new World(await startServer(options));
  }

  /** The cache is closed with the test. */
  keep<T extends Cache>(cache: T): T {
    this.#caches.push(cache);
    return cache;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#caches.map((cache) => cache.close()));
    await super[Symbol.asyncDispose]();
  }
}

/** A tree as it results from a cache's events, and what was told otherwise. Events that contradict the tree throw. */
export class Replay {
  readonly tree = new Map<string, string | null>();
  readonly told: string[] = [];
  readonly errors: unknown[] = [];

  constructor(cache: Cache) {
    const note = (type: string, path: string): number => this.told.push(`${type} ${path}`);
    cache.on('created', ({ path, data }) => {
      if (this.tree.has(path)) this.errors.push(new Error(`${path} is created a second time`));
      const parent = path.slice(0, path.lastIndexOf('/')) || '/';
      if (path !== cache.path && !this.tree.has(parent)) this.errors.push(new Error(`${path} comes before its parent`));
      this.tree.set(path, data === null ? null : data.toString());
      note('created', path);
    });
    cache.on('changed', ({ path, data }) => {
      if (!this.tree.has(path)) this.errors.push(new Error(`${path} is changed before it is created`));
      this.tree.set(path, data === null ? null : data.toString());
      note('changed', path);
    });
    cache.on('deleted', ({ path }) => {
      if (!this.tree.delete(path)) this.errors.push(new Error(`${path} is deleted before it is created`));
      if ([...this.tree.keys()].some((other) => other.startsWith(`${path}/`)))
        this.errors.push(new Error(`${path} is deleted before its children`));
      note('deleted', path);
    });
    for (const event of ['ready', 'stale', 'resynced'] as const) cache.on(event, () => this.told.push(event));
    cache.on('error', (error) => this.errors.push(error));
  }

  /** As the server's `dump()`. */
  dump(): Record<string, string | null> {
    return Object.fromEntries([...this.tree].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** As the server's `dump()`. */
export function dumpOf(cache: Cache): Record<string, string | null> {
  const entries = [...cache.entries()].map(
    ([path, { data }]) => [path, data === null ? null : data.toString()] as const,
  );
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function once(cache: Cache, event: 'ready' | 'stale' | 'resynced'): Promise<void> {
  return new Promise((resolve) => cache.once(event, () => resolve()));
}
