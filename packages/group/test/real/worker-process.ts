// A worker in a process of its own. It writes down what it owns and until when, and is told what to do by its parent.
import { openSync, writeSync } from 'node:fs';
import { ZooKeeper } from '@zookit/client';
import type { Held } from '@zookit/recipe-core';
import { Partitioner } from '../../src/index.ts';

export interface WorkerTerms {
  connectString: string;
  sessionTimeout: number;
  path: string;
  id: string;
  items: number;
  record: string;
}

/** Times in nanoseconds of the system's monotonic clock, as text. `seen`: when it last looked, and owned it. */
export type WorkerLine =
  | { what: 'granted'; item: string; token: string; at: string }
  | { what: 'ended'; item: string; token: string; at: string; seen: string };

export type WorkerOrder = { order: 'count' } | { order: 'close' };
export type WorkerMessage = { what: 'started' } | { what: 'counted'; count: number };

export function itemsOf(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `shard-${String(at).padStart(4, '0')}`);
}

interface Tenure {
  held: Held;
  seen: bigint;
}

async function work({ connectString, sessionTimeout, path, id, items, record }: WorkerTerms): Promise<void> {
  const file = openSync(record, 'ax');
  // With the system before the call returns: kill -9 takes nothing back.
  const write = (line: WorkerLine): unknown => writeSync(file, `${JSON.stringify(line)}\n`);
  const now = (): bigint => process.hrtime.bigint();
  const tell = (message: WorkerMessage): void => {
    process.send?.(message);
  };
  const tenures = new Map<string, Tenure>();
  const zk = await ZooKeeper.connect(connectString, { sessionTimeout });
  const partitioner = new Partitioner(zk, path, { items: itemsOf(items), id });
  partitioner.on('change', (mine) => {
    for (const [item, held] of mine) {
      if (tenures.get(item)?.held === held) continue;
      const tenure: Tenure = { held, seen: now() };
      const token = String(held.fencingToken);
      tenures.set(item, tenure);
      write({ what: 'granted', item, token, at: String(tenure.seen) });
      const end = (): void => {
        write({ what: 'ended', item, token, at: String(now()), seen: String(tenure.seen) });
        if (tenures.get(item) === tenure) tenures.delete(item);
      };
      held.signal.addEventListener('abort', end, { once: true });
    }
  });
  const looking = setInterval(() => {
    for (const tenure of tenures.values()) if (tenure.held.isHeld) tenure.seen = now();
  }, 50);
  process.on('message', async ({ order }: WorkerOrder) => {
    if (order === 'count') tell({ what: 'counted', count: partitioner.mine().size });
    else {
      clearInterval(looking);
      await partitioner.close();
      await zk.close();
      process.removeAllListeners('disconnect');
      process.disconnect();
    }
  });
  // The test is gone, however it went: nobody is to stay behind.
  process.on('disconnect', () => process.exit(1));
  await partitioner.start();
  tell({ what: 'started' });
}

if (process.argv[2] !== undefined && process.send !== undefined) await work(JSON.parse(process.argv[2]) as WorkerTerms);
