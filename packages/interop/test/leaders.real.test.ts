import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { judge } from '@zookit/quickstart/judge';
import { ZooKeeper } from 'zookit';
import { curatorCandidates } from '../src/curator.ts';
import { Bench, until } from './support/bench.ts';
import { type Candidate, curatorCandidate, type Recipe, zookitCandidate } from './support/candidates.ts';
import type { ContenderProcess } from './support/contender-process.ts';
import { looks } from './support/nodes.ts';

// The first run fetches the jars.
jest.setTimeout(120_000);

let bench: Bench;
let curator: ContenderProcess;

beforeAll(async () => {
  bench = await Bench.start();
  curator = await bench.process(await curatorCandidates());
});
afterAll(() => bench?.end());

const theirs = (recipe: Recipe, process = curator): Candidate => curatorCandidate(recipe, process, bench.folder);
const ours = (recipe: Recipe, zk = bench.zk): Candidate => zookitCandidate(recipe, zk);

/** Nobody led at the same time as another, by their own records. */
function expectOneAtATime(candidates: readonly Candidate[], terms: number): void {
  const holds = candidates.flatMap((candidate) => candidate.terms());
  expect(judge({ holds, kill: null, grants: terms })).toMatchObject({ overlaps: [] });
  expect(holds).toHaveLength(terms);
}

describe.each(['latch', 'selector'] as const)('%s of Curator and of zookit on one path', (recipe) => {
  it('write the same znode', async () => {
    const [one, two] = [theirs(recipe), ours(recipe)];
    await one.stand(`/look-${recipe}/theirs`);
    await one.leads();
    await two.stand(`/look-${recipe}/ours`);
    await two.leads();
    const seen = await Promise.all(
      ['theirs', 'ours'].map(async (where) => {
        const [name = ''] = (await bench.zk.children(`/look-${recipe}/${where}`)).children;
        const look = (await looks(bench.zk, `/look-${recipe}/${where}/${name}`)).at(-1);
        return { ...look, name: name.replace(/^_c_[\da-f-]{36}-(latch|lock)-\d{10}$/, 'MARK-$1-NUMBER') };
      }),
    );
    expect(seen[0]).toMatchObject({
      name: recipe === 'latch' ? 'MARK-latch-NUMBER' : 'MARK-lock-NUMBER',
      data: one.id,
    });
    expect(seen[1]).toEqual({ ...seen[0], data: two.id });
    await one.close();
    await two.close();
  });

  it('lead one at a time, in the order of arrival, and see each other alike', async () => {
    const path = `/line/${recipe}`;
    const line = [theirs(recipe), ours(recipe), ours(recipe), theirs(recipe), theirs(recipe), ours(recipe)];
    for (const [at, candidate] of line.entries()) {
      await candidate.stand(path);
      await bench.queued(path, at + 1);
    }
    const rounds = recipe === 'latch' ? 1 : 2;
    for (let round = 0; round < rounds; round += 1) {
      for (const [at, candidate] of line.entries()) {
        await candidate.leads();
        const order = recipe === 'latch' ? line.slice(at) : [...line.slice(at), ...line.slice(0, at)];
        const expected = order.map(({ id }, place) => ({ id, isLeader: place === 0 }));
        const others = order.filter((each) => each !== candidate);
        // One that has stepped down may still be on its way to the end of the line.
        const inLine = async (): Promise<string> => (await candidate.participants()).map(({ id }) => id).join();
        await until('all are in line', async () => (await inLine()) === expected.map(({ id }) => id).join());
        for (const each of [candidate, ...others]) {
          expect(await each.participants()).toEqual(expected);
          expect(await each.leader()).toBe(candidate.id);
        }
        await candidate.stepDown();
      }
    }
    if (recipe === 'selector') {
      await line[0]?.leads();
      // Those behind first, so that nobody else leads on the way.
      for (const [at, candidate] of [...line.entries()].reverse()) {
        await candidate.close();
        await bench.queued(path, at);
      }
    }
    expectOneAtATime(line, rounds * line.length + (recipe === 'selector' ? 1 : 0));
    await bench.queued(path, 0);
  });

  it('zookit whose link breaks has been told before Curator leads, and queues again', async () => {
    const path = `/loss/${recipe}`;
    const proxy = await bench.proxy();
    const zk = await ZooKeeper.connect(proxy.connectString, { sessionTimeout: 2_000 });
    const [one, two] = [ours(recipe, zk), theirs(recipe)];
    await one.stand(path);
    await one.leads();
    await two.stand(path);
    await bench.queued(path, 2);
    await proxy.blackhole();
    await two.leads();
    await proxy.restore();
    await bench.queued(path, 2);
    await two.close();
    await one.leads();
    await one.close();
    expectOneAtATime([one, two], 3);
    await zk.close();
  });

  it('Curator that dies is followed by zookit when its session ends', async () => {
    const path = `/death/${recipe}`;
    const victim = await bench.process(await curatorCandidates(), { sessionTimeout: 2_000 });
    const [one, two] = [theirs(recipe, victim), ours(recipe)];
    await one.stand(path);
    await one.leads();
    await two.stand(path);
    await bench.queued(path, 2);
    await victim.kill();
    await two.leads();
    await two.close();
    expectOneAtATime([one, two], 2);
  });
});
