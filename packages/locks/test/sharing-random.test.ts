import { describe, expect, it } from '@jest/globals';
import type { ZooKeeper } from '@zookit/client';
import { sleep, until, World } from '@zookit/test-world';
import { type Held, MultiLock, Mutex, ReadWriteLock, Semaphore } from '../src/index.ts';

const TASKS = 9;
const ROUNDS = 10;
const LEASES = 3;

/** mulberry32 */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** Who holds what, by what the holders themselves know. */
class Register {
  readonly breaches: string[] = [];
  readonly #holds = new Map<Held, { task: number; kind: 'read' | 'write' | 'lease'; leases: number }>();
  grants = 0;

  begin(held: Held, task: number, kind: 'read' | 'write' | 'lease', leases = 0): void {
    this.grants += 1;
    if (!held.isHeld) return;
    this.#holds.set(held, { task, kind, leases });
    const present = [...this.#holds].filter(([other]) => other.isHeld).map(([, hold]) => hold);
    const taken = present.reduce((sum, hold) => sum + hold.leases, 0);
    if (taken > LEASES) this.breaches.push(`${taken} leases`);
    const writer = present.find((hold) => hold.kind === 'write');
    const others = present.filter((hold) => hold.kind !== 'lease' && hold.task !== writer?.task);
    if (writer !== undefined && others.length > 0)
      this.breaches.push(`${writer.task} writes beside ${others[0]?.task}`);
  }

  async end(held: Held | undefined): Promise<void> {
    if (held === undefined) return;
    this.#holds.delete(held);
    await held.release();
  }
}

/** One turn of a task; what it waits for may be given up at any moment. */
async function turn(zk: ZooKeeper, task: number, pick: (below: number) => number, register: Register): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  const timer = pick(3) === 0 ? setTimeout(() => controller.abort('moment'), pick(25)) : undefined;
  const lock = new ReadWriteLock(zk, '/r/lock');
  const holds: Held[] = [];
  const take = async (asked: Promise<Held>, kind: 'read' | 'write' | 'lease', leases?: number): Promise<void> => {
    const held = await asked;
    holds.push(held);
    register.begin(held, task, kind, leases);
  };
  try {
    const what = pick(5);
    if (what === 0) await take(lock.read.acquire({ signal }), 'read');
    else if (what === 1) await take(lock.write.acquire({ signal }), 'write');
    else if (what === 2) {
      await take(lock.write.acquire({ signal }), 'write');
      await take(lock.read.acquire({ signal }), 'read');
      await register.end(holds.shift());
    } else if (what === 3) {
      const count = 1 + pick(LEASES);
      await take(new Semaphore(zk, '/r/leases', { leases: LEASES }).acquire({ signal, count }), 'lease', count);
    } else {
      const both = new MultiLock([new Mutex(zk, '/r/mutex'), lock.read]);
      await take(both.acquire({ signal }), 'read');
    }
    await sleep(pick(3));
  } catch (error) {
    if (error !== 'moment' && (error as { code?: string }).code !== 'LEASE_LOST') throw error;
  } finally {
    clearTimeout(timer);
    for (const held of holds) await register.end(held);
  }
}

describe('locks of every kind, with connections that break at any request', () => {
  it.each([1, 2, 3, 4])(
    'keep what they promise, and leave nothing: seed %i',
    async (seed) => {
      await using world = await World.start({ tickTime: 500 });
      const pick = random(seed);
      const clients = await Promise.all(Array.from({ length: 3 }, () => world.client({ sessionTimeout: 10_000 })));
      const register = new Register();
      let faults = 0;
      const off = world.server.intercept(({ type }) => {
        if (type === 'connect' || type === 'ping' || pick(30) > 0) return 'pass';
        faults += 1;
        return pick(2) === 0 ? 'disconnect-before' : 'disconnect-after';
      });
      await Promise.all(
        Array.from({ length: TASKS }, async (_, task) => {
          for (let round = 0; round < ROUNDS; round += 1)
            await turn(clients[task % 3] as ZooKeeper, task, pick, register);
        }),
      );
      off();
      expect(register.breaches).toEqual([]);
      expect(register.grants).toBeGreaterThan(TASKS * 3);
      expect(faults).toBeGreaterThan(0);
      const paths = ['/r/lock', '/r/mutex', '/r/leases/locks', '/r/leases/leases'];
      await until(() => paths.every((path) => world.names(path).length === 0), 'no znode is left', 15_000);
      await until(() => world.server.watches().length === 0, 'no watch is left', 15_000);
    },
    60_000,
  );
});
