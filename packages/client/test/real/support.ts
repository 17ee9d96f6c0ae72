import type { RealServer } from '@zookit/testing';
import { type StateEvent, ZooKeeper, type ZooKeeperOptions } from '../../src/index.ts';

const told: readonly StateEvent[] = [
  'connected',
  'suspended',
  'reconnected',
  'lost',
  'renewed',
  'readonly',
  'auth-failed',
  'closed',
];

/** A client, and everything that it told since it was made. */
export interface Observed {
  zk: ZooKeeper;
  events: StateEvent[];
  /** Forgets what was told so far. */
  forget(): void;
}

/** Clients that are closed when the test is over. */
export class Clients {
  readonly #clients: ZooKeeper[] = [];

  async connect(connectString: string, options: ZooKeeperOptions = {}): Promise<Observed> {
    const zk = new ZooKeeper(connectString, options);
    this.#clients.push(zk);
    const events: StateEvent[] = [];
    for (const event of told) zk.on(event, () => events.push(event));
    await zk.connect();
    return {
      zk,
      events,
      forget: () => {
        events.length = 0;
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((zk) => zk.close({ timeout: 3_000 })));
  }
}

/** Resolves at the event. */
export function next(zk: ZooKeeper, event: StateEvent): Promise<void> {
  return new Promise((resolve) => {
    zk.once(event, resolve);
  });
}

/** Resolves once the condition holds; looked at every few milliseconds. Rejects after `timeout` ms. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeout = 20_000,
): Promise<void> {
  const end = performance.now() + timeout;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`timed out: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

/** The index of the member that a client is connected to. */
export function memberOf(server: RealServer, zk: ZooKeeper): number {
  return server.members.findIndex(({ port }) => port === zk.server?.port);
}
