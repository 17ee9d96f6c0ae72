import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { judge } from '@zookit/quickstart/judge';
import { curatorProgram } from '../src/curator.ts';
import { zookitProgram } from '../src/zookit.ts';
import { Bench, until } from './support/bench.ts';
import type { Contender, ContenderProcess } from './support/contender-process.ts';
import { looks } from './support/nodes.ts';
import { race } from './support/race.ts';
import { loseSession } from './support/session-loss.ts';

// The first run fetches the jars.
jest.setTimeout(120_000);

/** Of those whose session is to end; the others' outlive a busy machine's hiccups. */
const SESSION_MS = 2_000;

let bench: Bench;
let curator: ContenderProcess;
let zookit: ContenderProcess;

beforeAll(async () => {
  // Empty containers go soon.
  bench = await Bench.start({ jvmArgs: ['-Dznode.container.checkIntervalMs=300'] });
  const [theirs, ours] = [await curatorProgram(), await zookitProgram()];
  [curator, zookit] = await Promise.all([bench.process(theirs), bench.process(ours)]);
});
afterAll(() => bench?.end());

/** Each does it to the other. */
const ways = [
  ['Curator', 'zookit', () => [curator, zookit] as const],
  ['zookit', 'Curator', () => [zookit, curator] as const],
] as const;

describe("Curator's InterProcessMutex and zookit's Mutex", () => {
  it('are judged by one clock', async () => {
    for (const each of [curator, zookit]) {
      const before = process.hrtime.bigint();
      const theirs = await each.clock();
      expect(theirs).toBeGreaterThanOrEqual(before);
      expect(theirs).toBeLessThanOrEqual(process.hrtime.bigint());
    }
  });

  it('exclude each other, first come, first served: 40 grants each', async () => {
    await race([curator.contender(), zookit.contender()], '/race/short', 40);
  });

  it('write the same znodes, whose parents the server removes when they are empty', async () => {
    await bench.zk.create('/persistent');
    await bench.zk.create('/persistent/child');
    await bench.zk.delete('/persistent/child');
    const [theirs, ours] = [curator.contender(), zookit.contender()];
    const theirLooks = await looks(bench.zk, await theirs.acquire('/layout/a/lock'));
    const ourLooks = await looks(bench.zk, await ours.acquire('/layout/b/lock'));
    expect(theirLooks.map(({ name }) => name)).toEqual(['layout', 'a', 'lock', 'CONTENDER']);
    expect(theirLooks.at(-1)).toMatchObject({ data: 'ADDRESS', isEphemeral: true });
    expect(ourLooks).toEqual(theirLooks.map((look) => (look.name === 'a' ? { ...look, name: 'b' } : look)));

    await theirs.release();
    await ours.release();
    for (const path of ['/layout/a/lock', '/layout/b/lock', '/layout']) {
      await until(`${path} goes`, async () => (await bench.zk.exists(path)) === null);
    }
    // Its child is long gone, too.
    expect(await bench.zk.exists('/persistent')).toMatchObject({ numChildren: 0 });
  });

  it('see each other in line, in the order of arrival, which is the order of grants', async () => {
    const path = '/line/lock';
    const line = [curator, zookit, zookit, curator, curator, zookit].map((each) => each.contender());
    const grants: Promise<string>[] = [];
    for (const contender of line) {
      grants.push(contender.acquire(path));
      await bench.queued(path, grants.length);
    }
    const seen = await curator.participants(path);
    expect(seen).toHaveLength(line.length);
    expect(await zookit.participants(path)).toEqual(seen);
    for (const [i, contender] of line.entries()) {
      expect(await grants[i]).toBe(seen[i]);
      expect(await curator.participants(path)).toEqual(seen.slice(i));
      await contender.release();
    }
    expect(await zookit.participants(path)).toEqual([]);
    const holds = line.flatMap((contender) => contender.records().holds);
    expect(judge({ holds, kill: null, grants: line.length })).toMatchObject({ holds, overlaps: [], tokensGrew: true });
  });

  it.each(ways)('%s asks the holder, %s, to let go', async (asker, _holder, both) => {
    const path = `/revoke/by-${asker}`;
    const [asking, holding] = both();
    const [next, holder] = [asking.contender(), holding.contender()];
    const node = await holder.acquire(path, { revocable: true });
    const granted = next.acquire(path);
    await bench.queued(path, 2);
    const asked = holder.asked();
    await asking.revoke(path);
    await asked;
    expect((await bench.zk.get(node)).data?.toString()).toBe('__REVOKE__');
    await holder.release();
    await granted;
    await next.release();
  });

  it.each([
    ['Curator', 'zookit', curatorProgram, () => zookit],
    ['zookit', 'Curator', zookitProgram, () => curator],
  ] as const)(
    '%s is killed with -9 while it holds: %s follows when the session ends',
    async (name, _, program, other) => {
      const path = `/kill/${name}`;
      const victim = (await bench.process(await program(), { sessionTimeout: SESSION_MS })).contender();
      const heir = other().contender();
      await victim.acquire(path);
      const granted = heir.acquire(path);
      await bench.queued(path, 2);
      const kill = await victim.kill();
      await granted;
      await heir.release();
      const holds = [victim, heir].flatMap((each: Contender) => each.records().holds);
      const { failures, takeover } = judge({ holds, kill, grants: 2 });
      expect(failures).toEqual([]);
      const after = Number(takeover!.from - kill.at) / 1e6;
      // Heard of last at most a third of the session before it was killed; the server ends sessions by the tick.
      expect(after).toBeGreaterThan(SESSION_MS / 2);
      expect(after).toBeLessThan(SESSION_MS * 2);
    },
  );

  it('the link of zookit breaks while it holds: its signal aborts before Curator is granted', async () => {
    await loseSession(bench, curator, ['/loss/lock'], (proxy) => proxy.blackhole());
  });
});
