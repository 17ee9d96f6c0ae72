import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { curatorProgram } from '../src/curator.ts';
import { zookitProgram } from '../src/zookit.ts';
import { Bench, until } from './support/bench.ts';
import type { ContenderProcess, Kind } from './support/contender-process.ts';
import { looks } from './support/nodes.ts';
import { downgrade, readWriteRace, waitsFor } from './support/read-write.ts';
import { leaseRace } from './support/semaphore.ts';
import { expectFair, sharedHolds } from './support/shared-race.ts';
import { atMost, breachesOf, oneWriter } from './support/sharing.ts';

// The first run fetches the jars.
jest.setTimeout(120_000);

let bench: Bench;
let curator: ContenderProcess;
let zookit: ContenderProcess;

beforeAll(async () => {
  bench = await Bench.start();
  const [theirs, ours] = [await curatorProgram(), await zookitProgram()];
  [curator, zookit] = await Promise.all([bench.process(theirs), bench.process(ours)]);
});
afterAll(() => bench?.end());

/** Each does it to the other. */
const ways = [
  ['Curator', 'zookit', () => [curator, zookit] as const],
  ['zookit', 'Curator', () => [zookit, curator] as const],
] as const;

describe("Curator's InterProcessReadWriteLock and zookit's ReadWriteLock", () => {
  it('share and exclude, first come, first served: 30 grants each of two writers and four readers', async () => {
    await readWriteRace([curator, zookit], '/rw/race', 30);
  });

  it.each(
    ways.flatMap(([holder, waiter, both]) =>
      (['write', 'read'] as const).flatMap((held) =>
        (['write', 'read'] as const).map((wanted) => [waiter, wanted, holder, held, both] as const),
      ),
    ),
  )('%s, who would %s, stands beside %s, who has the lock to %s', async (waiter, wanted, holder, held, both) => {
    const [holding, waiting] = both();
    const path = `/rw/${waiter}-${wanted}/${holder}-${held}`;
    if (wanted !== 'read' || held !== 'read') {
      await waitsFor(bench, [holding, held], [waiting, wanted], path);
      return;
    }
    const [first, second] = [holding.contender(), waiting.contender()];
    await first.acquire(path, { kind: held });
    await second.acquire(path, { kind: wanted });
    await first.release(held);
    await second.release(wanted);
    const [one, two] = [sharedHolds([first, held]), sharedHolds([second, wanted])];
    expect(two[0]!.from).toBeLessThan(one[0]!.to);
  });

  it('are granted in the order of arrival, readers that come together at once', async () => {
    const path = '/rw/line';
    const line = (
      [
        [curator, 'write'],
        [zookit, 'read'],
        [curator, 'read'],
        [zookit, 'write'],
        [curator, 'write'],
        [zookit, 'read'],
        [zookit, 'read'],
      ] as const
    ).map(([process, kind]) => [process.contender(), kind] as const);
    const grants: Promise<string>[] = [];
    for (const [contender, kind] of line) {
      grants.push(contender.acquire(path, { kind }));
      await bench.queued(path, grants.length);
    }
    const take = async (from: number, to: number): Promise<void> => {
      await Promise.all(grants.slice(from, to));
      for (const [contender, kind] of line.slice(from, to)) await contender.release(kind);
    };
    await take(0, 1);
    await take(1, 3);
    await take(3, 4);
    await take(4, 5);
    await take(5, 7);
    expect(expectFair(oneWriter, line)).toHaveLength(line.length);
  });

  it.each(ways)('%s goes from writing to reading while %s waits to write', async (name, _other, both) => {
    const [downgrading, waiting] = both();
    const { write, read } = await downgrade(bench, downgrading, waiting, `/rw/downgrade-${name}`);
    expect(read).toMatch(/-__READ__\d{10}$/);
    expect(read.slice(-10)).toBe(write.slice(-10));
  });

  it('write the same znodes', async () => {
    const [theirs, ours] = [curator.contender(), zookit.contender()];
    for (const kind of ['write', 'read'] as const) {
      const theirLooks = await looks(bench.zk, await theirs.acquire('/rw/layout/a', { kind }));
      const ourLooks = await looks(bench.zk, await ours.acquire('/rw/layout/b', { kind }));
      expect(theirLooks.at(-1)).toMatchObject({ name: 'CONTENDER', data: 'ADDRESS', isEphemeral: true });
      expect(ourLooks.map((look) => (look.name === 'b' ? { ...look, name: 'a' } : look))).toEqual(theirLooks);
    }
    // The read lock of a writer is the second znode of its path, and the next number is the one after both.
    const { children } = await bench.zk.children('/rw/layout/b');
    expect(children.map((name) => name.slice('_c_'.length + 37)).sort()).toEqual([
      '__READ__0000000000',
      '__WRIT__0000000000',
    ]);
    for (const [contender, path] of [
      [theirs, '/rw/layout/a'],
      [ours, '/rw/layout/b'],
    ] as const) {
      await contender.release('write');
      await contender.release('read');
      await until(`${path} is empty`, async () => ((await bench.zk.exists(path))?.numChildren ?? 0) === 0);
    }
  });
});

describe("Curator's InterProcessSemaphoreV2 and zookit's Semaphore", () => {
  it('have no more leases than there are: 30 grants each, of one lease or two', async () => {
    await leaseRace([curator, zookit], '/semaphore/race', 30);
  });

  it.each(ways)('%s has a lease beside %s, and waits for one more', async (waiter, _holder, both) => {
    const path = `/semaphore/${waiter}`;
    const kind: Kind = 'semaphore:2';
    const [waiting, holding] = both();
    const [first, holder] = [waiting.contender(), holding.contender()];
    const [next, last] = [waiting.contender(), holding.contender()];
    await first.acquire(path, { kind });
    await holder.acquire(path, { kind });
    const granted = next.acquire(path, { kind });
    await bench.queued(`${path}/leases`, 3);
    const after = last.acquire(path, { kind });
    await bench.queued(`${path}/locks`, 2);
    await holder.release(kind);
    await granted;
    await next.release(kind);
    await after;
    await last.release(kind);
    await first.release(kind);
    const entries = [first, holder, next, last].map((contender) => [contender, kind] as const);
    expect(expectFair(atMost(2), entries)).toHaveLength(4);
    // The one who came first held beside each of the others, one after the other.
    expect(breachesOf(atMost(1), entries.flatMap(sharedHolds))).toHaveLength(3);
    for (const each of ['locks', 'leases']) {
      expect(await bench.zk.exists(`${path}/${each}`)).toMatchObject({ numChildren: 0 });
    }
  });

  it('write the same znodes', async () => {
    const kind: Kind = 'semaphore:1';
    const [theirs, ours] = [curator.contender(), zookit.contender()];
    const theirLooks = await looks(bench.zk, await theirs.acquire('/semaphore/layout/a', { kind }));
    const ourLooks = await looks(bench.zk, await ours.acquire('/semaphore/layout/b', { kind }));
    const names = ['semaphore', 'layout', 'a', 'leases', 'CONTENDER'];
    expect(theirLooks.map(({ name }) => name)).toEqual(names);
    expect(theirLooks.at(-1)).toMatchObject({ data: 'ADDRESS', isEphemeral: true });
    expect(ourLooks.map((look) => (look.name === 'b' ? { ...look, name: 'a' } : look))).toEqual(theirLooks);
    // While one waits: its mutex, too.
    const [theirNext, ourNext] = [curator.contender(), zookit.contender()];
    const granted = [
      theirNext.acquire('/semaphore/layout/b', { kind }),
      ourNext.acquire('/semaphore/layout/a', { kind }),
    ];
    const mutexes = ['/semaphore/layout/b', '/semaphore/layout/a'].map(async (path) => {
      await bench.queued(`${path}/leases`, 2);
      const { children } = await bench.zk.children(`${path}/locks`);
      expect(children).toHaveLength(1);
      return looks(bench.zk, `${path}/locks/${children[0]}`);
    });
    const [theirMutex, ourMutex] = await Promise.all(mutexes);
    expect(theirMutex!.at(-1)).toMatchObject({ name: 'CONTENDER', data: 'ADDRESS', isEphemeral: true });
    expect(ourMutex!.at(-1)).toEqual(theirMutex!.at(-1));
    await theirs.release(kind);
    await ours.release(kind);
    await Promise.all(granted);
    await theirNext.release(kind);
    await ourNext.release(kind);
  });
});
