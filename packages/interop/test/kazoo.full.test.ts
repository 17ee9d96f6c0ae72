import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { judge } from '@zookit/quickstart/judge';
import { curatorProgram } from '../src/curator.ts';
import { kazooProgram } from '../src/kazoo.ts';
import { zookitProgram } from '../src/zookit.ts';
import { Bench } from './support/bench.ts';
import type { ContenderProcess } from './support/contender-process.ts';
import { race } from './support/race.ts';

// The first run fetches kazoo.
jest.setTimeout(180_000);

let bench: Bench;
let kazoo: ContenderProcess;
/** With Curator's pattern. */
let kazooForCurator: ContenderProcess;
let zookit: ContenderProcess;
/** In kazoo's layout. */
let zookitForKazoo: ContenderProcess;
let curator: ContenderProcess;

beforeAll(async () => {
  bench = await Bench.start();
  const programs = [
    await kazooProgram(),
    await kazooProgram('-lock-'),
    await zookitProgram(),
    await zookitProgram('kazoo'),
    await curatorProgram(),
  ];
  type Five = [ContenderProcess, ContenderProcess, ContenderProcess, ContenderProcess, ContenderProcess];
  const started = await Promise.all(programs.map((program) => bench.process(program)));
  [kazoo, kazooForCurator, zookit, zookitForKazoo, curator] = started as Five;
});
afterAll(() => bench?.end());

describe("kazoo's Lock and zookit's Mutex in layout kazoo", () => {
  it('are judged by one clock', async () => {
    const before = process.hrtime.bigint();
    const theirs = await kazoo.clock();
    expect(theirs).toBeGreaterThanOrEqual(before);
    expect(theirs).toBeLessThanOrEqual(process.hrtime.bigint());
  });

  it('exclude each other, first come, first served: 50 grants each', async () => {
    await race([kazoo.contender(), zookitForKazoo.contender()], '/race/kazoo', 50);
  });

  it('two of each exclude each other in the same way', async () => {
    const contenders = [kazoo, zookitForKazoo, kazooForCurator, zookitForKazoo].map((each) => each.contender());
    await race(contenders, '/race/four', 50);
  });
});

/** One waits for another who holds, by the records of both. */
async function waitsFor(holding: ContenderProcess, waiting: ContenderProcess, path: string): Promise<void> {
  for (let rounds = 0; rounds < 20; rounds += 1) {
    const [holder, waiter] = [holding.contender(), waiting.contender()];
    const node = await holder.acquire(path);
    const granted = waiter.acquire(path);
    await bench.watched(node);
    await holder.release();
    await granted;
    await waiter.release();
    const holds = [holder, waiter].flatMap((each) => each.records().holds);
    expect(judge({ holds, kill: null, grants: 2 })).toMatchObject({ holds, overlaps: [], tokensGrew: true });
  }
}

describe("on a path with znodes in Curator's layout", () => {
  it.each([
    ["kazoo's Lock with the pattern '-lock-'", 'zookit', () => [zookit, kazooForCurator] as const],
    ["kazoo's Lock with the pattern '-lock-'", 'Curator', () => [curator, kazooForCurator] as const],
    ['zookit in layout kazoo', 'zookit', () => [zookit, zookitForKazoo] as const],
    ['zookit in layout kazoo', 'Curator', () => [curator, zookitForKazoo] as const],
  ] as const)('%s waits for %s', async (waiter, holder, both) => {
    const [holding, waiting] = both();
    await waitsFor(holding, waiting, `/waits/${waiter.replaceAll(/\W/g, '-')}/${holder}`);
  });

  it.each([
    ['Curator', () => curator],
    ['zookit', () => zookit],
  ] as const)('%s does not wait for kazoo: they exclude each other one way only', async (name, other) => {
    const path = `/one-way/${name}`;
    const [holder, contender] = [kazooForCurator.contender(), other().contender()];
    await holder.acquire(path);
    await contender.acquire(path);
    await contender.release();
    await holder.release();
  });
});
