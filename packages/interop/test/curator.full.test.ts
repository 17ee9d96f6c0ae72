import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { judge } from '@zookit/quickstart/judge';
import type { FaultProxy } from '@zookit/testing';
import { curatorProgram } from '../src/curator.ts';
import { zookitProgram } from '../src/zookit.ts';
import { Bench } from './support/bench.ts';
import type { ContenderProcess } from './support/contender-process.ts';
import { race } from './support/race.ts';
import { loseSession } from './support/session-loss.ts';

// The first run fetches the jars.
jest.setTimeout(180_000);

describe.each([
  ['one server', 1],
  ['an ensemble of three, each process at a server of its own', 3],
])('on %s', (_, members) => {
  let bench: Bench;
  let curator: ContenderProcess;
  let zookits: ContenderProcess[];

  beforeAll(async () => {
    bench = await Bench.start({ members });
    const at = (index: number): { connectString: string } => bench.server.members[index % members]!;
    const [theirs, ours] = [await curatorProgram(), await zookitProgram()];
    [curator, ...zookits] = await Promise.all([
      bench.process(theirs, at(0)),
      bench.process(ours, at(1)),
      bench.process(ours, at(2)),
    ]);
  });
  afterAll(() => bench?.end());

  it('Curator and zookit exclude each other, first come, first served: 200 grants each', async () => {
    await race([curator.contender(), zookits[0]!.contender()], '/race/pair', 200);
  });

  it('two threads of Curator and two processes of zookit exclude each other in the same way', async () => {
    const contenders = [curator, curator, ...zookits].map((each) => each.contender());
    await race(contenders, '/race/four', 100);
  });

  it('twelve that come one by one are granted in that order, round after round', async () => {
    const path = '/line/lock';
    for (let rounds = 0; rounds < 5; rounds += 1) {
      const line = Array.from({ length: 12 }, (_, i) => [curator, ...zookits][(i * 2 + rounds) % 3]!.contender());
      const grants: Promise<string>[] = [];
      for (const contender of line) {
        grants.push(contender.acquire(path));
        await bench.queued(path, grants.length);
      }
      for (const [i, contender] of line.entries()) {
        await grants[i];
        await contender.release();
      }
      const holds = line.flatMap((contender) => contender.records().holds);
      expect(judge({ holds, kill: null, grants: line.length })).toMatchObject({
        holds,
        overlaps: [],
        tokensGrew: true,
      });
    }
  });
});

describe('the link of zookit', () => {
  let bench: Bench;
  let curator: ContenderProcess;

  beforeAll(async () => {
    bench = await Bench.start();
    curator = await bench.process(await curatorProgram());
  });
  afterAll(() => bench?.end());

  it.each([
    ['is blackholed', (proxy: FaultProxy) => proxy.blackhole()],
    ['is cut and stays cut', (proxy: FaultProxy) => proxy.cut({ stay: true })],
  ])('%s while it holds ten locks: ten signals abort before Curator is granted, five times', async (name, fault) => {
    for (let rounds = 0; rounds < 5; rounds += 1) {
      const paths = Array.from({ length: 10 }, (_, i) => `/${name.replaceAll(' ', '-')}/${rounds}/${i}`);
      await loseSession(bench, curator, paths, fault);
    }
  });
});
