import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ZooKeeper } from '@zookit/client';
import { judge, type Verdict } from './judge.ts';
import { Worker } from './worker.ts';

const PATH = '/shards';
/** Of those that are to be killed or stopped, and of those that a busy machine must not make lose theirs. */
const SHORT = 5_000;
const LONG = 30_000;

export interface Outcome extends Verdict {
  /** How many items had to move at least. */
  unavoidable: number;
  /** Lock and member znodes that were there when all had closed. */
  left: string[];
  exits: (number | null)[];
}

/**
 * Five workers share the items; one more comes, one is killed, one is stopped for so many ms, and goes on. Then all close.
 */
export async function churn(connectString: string, items: number, stoppedFor: number): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'zookit-partitioner-'));
  const workers: Worker[] = [];
  const send = (id: string, sessionTimeout: number): Worker => {
    const record = join(folder, `${id}.jsonl`);
    const worker = new Worker({ connectString, sessionTimeout, path: PATH, id, items, record });
    workers.push(worker);
    return worker;
  };
  try {
    const [killed, stopped] = [send('killed', SHORT), send('stopped', SHORT)];
    let present = [killed, stopped, send('one', LONG), send('two', LONG), send('three', LONG)];
    await Promise.all(present.map(({ started }) => started));
    await settled(present, items);
    const since = process.hrtime.bigint();
    let unavoidable = 0;

    const late = send('late', LONG);
    present = [...present, late];
    await late.started;
    await settled(present, items);
    unavoidable += Math.floor(items / 6);

    unavoidable += await killed.count();
    await killed.kill();
    present = present.filter((worker) => worker !== killed);
    await settled(present, items);

    unavoidable += await stopped.count();
    await stopped.pause();
    const until = performance.now() + stoppedFor;
    const running = present.filter((worker) => worker !== stopped);
    await settled(running, items);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, until - performance.now())));
    stopped.resume();
    await settled(present, items);
    unavoidable += Math.floor(items / 5);

    const exits = await Promise.all(present.map((worker) => worker.close()));
    const tenures = workers.flatMap((worker) => worker.tenures());
    const stops = workers.flatMap((worker) => worker.stops);
    return { ...judge(tenures, stops, since), unavoidable, exits, left: await leftovers(connectString) };
  } finally {
    await Promise.all(workers.map((worker) => worker.kill()));
    await rm(folder, { recursive: true, force: true });
  }
}

/** Waits until these own all items, in equal shares. */
async function settled(workers: readonly Worker[], items: number): Promise<void> {
  const end = performance.now() + 60_000;
  for (;;) {
    const counts = await Promise.all(workers.map((worker) => worker.count()));
    const all = counts.reduce((sum, count) => sum + count, 0);
    if (all === items && Math.max(...counts) - Math.min(...counts) <= 1) return;
    if (performance.now() > end) throw new Error(`not settled: ${counts.join(', ')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function leftovers(connectString: string): Promise<string[]> {
  const zk = await ZooKeeper.connect(connectString);
  try {
    const left: string[] = [];
    if ((await zk.exists(PATH)) === null) return left;
    for await (const path of zk.walk(PATH)) if (/lock-|\/assignment|\/members\/./.test(path)) left.push(path);
    return left;
  } finally {
    await zk.close();
  }
}
