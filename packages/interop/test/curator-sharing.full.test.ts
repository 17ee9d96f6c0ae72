import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CURATOR_BEFORE_DOWNGRADE, curatorProgram } from '../src/curator.ts';
import { kazooProgram } from '../src/kazoo.ts';
import { zookitProgram } from '../src/zookit.ts';
import { Bench } from './support/bench.ts';
import type { ContenderProcess } from './support/contender-process.ts';
import { downgrade, readWriteRace, waitsFor } from './support/read-write.ts';
import { leaseRace } from './support/semaphore.ts';

// The first run fetches the jars.
jest.setTimeout(300_000);

let bench: Bench;

describe('an ensemble of three, each process at a server of its own', () => {
  let processes: ContenderProcess[];

  beforeAll(async () => {
    bench = await Bench.start({ members: 3 });
    const [theirs, ours] = [await curatorProgram(), await zookitProgram()];
    const [first, second, third] = bench.server.members;
    processes = await Promise.all([
      bench.process(theirs, first),
      bench.process(ours, second),
      bench.process(ours, third),
    ]);
  });
  afterAll(() => bench?.end());

  it('has many readers or one writer: 200 grants each of three writers and six readers', async () => {
    await readWriteRace(processes, '/rw/race', 200);
  });

  it('has no more leases than there are: 200 grants each, of one lease or two', async () => {
    await leaseRace(processes, '/semaphore/race', 200);
  });
});

describe('one server', () => {
  let zookit: ContenderProcess;
  let curator: ContenderProcess;
  let old: ContenderProcess;
  /** With Curator's patterns. */
  let kazooWriter: ContenderProcess;
  let kazooReader: ContenderProcess;

  beforeAll(async () => {
    bench = await Bench.start();
    const programs = [
      await zookitProgram(),
      await curatorProgram(),
      await curatorProgram(CURATOR_BEFORE_DOWNGRADE),
      await kazooProgram('-__WRIT__', '-__READ__'),
      await kazooProgram('-__WRIT__'),
    ];
    const started = await Promise.all(programs.map((program) => bench.process(program)));
    [zookit, curator, old, kazooWriter, kazooReader] = started as [
      ContenderProcess,
      ContenderProcess,
      ContenderProcess,
      ContenderProcess,
      ContenderProcess,
    ];
  });
  afterAll(() => bench?.end());

  it('share and exclude in the same way with Curator 5.4: 100 grants each', async () => {
    await readWriteRace([old, zookit], '/rw/old', 100);
    await leaseRace([old, zookit], '/semaphore/old', 100);
  });

  it('zookit goes from writing to reading while Curator 5.4 waits to write', async () => {
    for (let rounds = 0; rounds < 20; rounds += 1) await downgrade(bench, zookit, old, '/rw/downgrade-beside-old');
  });

  it('waits to write until Curator 5.4, who writes, has read, too', async () => {
    const path = '/rw/downgrade-of-old';
    const [holder, next] = [old.contender(), zookit.contender()];
    await holder.acquire(path, { kind: 'write' });
    const read = await holder.acquire(path, { kind: 'read' });
    // Its read lock has a number of its own, so only who comes later can tell that it has it.
    expect(read).toMatch(/-__READ__0000000001$/);
    const granted = next.acquire(path, { kind: 'write' });
    await bench.watched(read);
    await holder.release('write');
    await holder.release('read');
    await granted;
    await next.release('write');
    const [hold] = holder.records('read').holds;
    expect(next.records('write').holds[0]!.from).toBeGreaterThan(hold!.to);
  });

  it.each([
    ['zookit', () => zookit],
    ['Curator', () => curator],
  ] as const)("kazoo's read and write locks, told of Curator's names, wait for %s", async (name, holding) => {
    for (let rounds = 0; rounds < 5; rounds += 1) {
      const path = `/rw/kazoo-${name}`;
      await waitsFor(bench, [holding(), 'write'], [kazooWriter, 'write'], path);
      await waitsFor(bench, [holding(), 'read'], [kazooWriter, 'write'], path);
      await waitsFor(bench, [holding(), 'write'], [kazooReader, 'read'], path);
      await downgrade(bench, holding(), kazooWriter, path);
    }
    // Readers share.
    const [one, two] = [holding().contender(), kazooReader.contender()];
    await one.acquire('/rw/kazoo-readers', { kind: 'read' });
    await two.acquire('/rw/kazoo-readers', { kind: 'read' });
    await one.release('read');
    await two.release('read');
    expect(two.records('read').holds[0]!.from).toBeLessThan(one.records('read').holds[0]!.to);
  });
});
