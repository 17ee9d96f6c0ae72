import { isIP } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Barrier, DoubleBarrier, GroupMember, TimeoutError } from 'zookit';
import { curatorAssembly } from '../src/curator.ts';
import { Bench, until } from './support/bench.ts';
import type { ContenderProcess } from './support/contender-process.ts';
import { looks } from './support/nodes.ts';

const PATIENCE = { timeout: 30_000 };

let bench: Bench;
let java: ContenderProcess;

beforeAll(async () => {
  bench = await Bench.start();
  java = await bench.process(await curatorAssembly());
}, 120_000);
afterAll(() => bench?.end(), 60_000);

describe("Curator's DistributedDoubleBarrier and zookit's DoubleBarrier", () => {
  it.each([
    ['Curator', 'zookit'],
    ['zookit', 'Curator'],
  ])('begin and end a round together when %s comes first, and goes first', async (first) => {
    const path = `/double/${first}`;
    const barrier = new DoubleBarrier(bench.zk, path, { members: 2 });
    const theirs = (): Promise<string> => java.ask(`enter ${first} ${path} 2`, `entered ${first}`);
    const they = (): Promise<string> => java.ask(`leave ${first}`, `left ${first}`);
    const isAlone = async (): Promise<boolean> => (await bench.zk.exists(path))?.numChildren === 1;
    let ours: Promise<void>;
    let entered: Promise<string>;
    if (first === 'Curator') {
      entered = theirs();
      await until('it has come', isAlone);
      ours = barrier.enter(PATIENCE);
    } else {
      ours = barrier.enter(PATIENCE);
      await until('it has come', isAlone);
      await bench.watched(`${path}/ready`);
      entered = theirs();
    }
    expect(await entered).toBe('true');
    await ours;
    expect((await bench.zk.children(path)).children).toHaveLength(3);
    const weLeaveFirst = first === 'zookit' ? barrier.leave(PATIENCE) : null;
    const left = they();
    await (weLeaveFirst ?? barrier.leave(PATIENCE));
    expect(await left).toBe('true');
    expect((await bench.zk.exists(path))?.numChildren ?? 0).toBe(0);
  });

  it('of three each: all are in, and all are out', async () => {
    const path = '/double/six';
    const ours = Array.from({ length: 3 }, () => new DoubleBarrier(bench.zk, path, { members: 6 }));
    const theirs = ['a', 'b', 'c'];
    const entered = theirs.map((id) => java.ask(`enter ${id} ${path} 6`, `entered ${id}`));
    await Promise.all(ours.map((barrier) => barrier.enter(PATIENCE)));
    expect(await Promise.all(entered)).toEqual(['true', 'true', 'true']);
    const left = theirs.map((id) => java.ask(`leave ${id}`, `left ${id}`));
    await Promise.all(ours.map((barrier) => barrier.leave(PATIENCE)));
    expect(await Promise.all(left)).toEqual(['true', 'true', 'true']);
    expect((await bench.zk.exists(path))?.numChildren ?? 0).toBe(0);
  });

  it('one of ours that gives up does not wake one of theirs', async () => {
    const path = '/double/up';
    const entered = java.ask(`enter up ${path} 2`, 'entered up');
    await until('it waits', async () => (await bench.zk.exists(path))?.numChildren === 1);
    await bench.watched(`${path}/ready`);
    // A round of three: it comes, waits, and gives up, beside one that waits for two.
    const early = new DoubleBarrier(bench.zk, path, { members: 3 });
    await expect(early.enter({ timeout: 300 })).rejects.toBeInstanceOf(TimeoutError);
    expect((await bench.zk.children(path)).children).toHaveLength(1);
    let isIn = false;
    const watched = entered.then(() => {
      isIn = true;
    });
    await bench.zk.sync(path);
    await java.ask('set marker /markers/up', 'set marker');
    expect(isIn).toBe(false);
    const barrier = new DoubleBarrier(bench.zk, path, { members: 2 });
    await barrier.enter(PATIENCE);
    expect(await entered).toBe('true');
    await watched;
    const left = java.ask('leave up', 'left up');
    await barrier.leave(PATIENCE);
    expect(await left).toBe('true');
  });

  it('write the same znodes', async () => {
    const barrier = new DoubleBarrier(bench.zk, '/layout/ours', { members: 1 });
    await barrier.enter();
    expect(await java.ask('enter layout /layout/theirs 1', 'entered layout')).toBe('true');
    const look = async (base: string): Promise<unknown[]> => {
      const names = (await bench.zk.children(base)).children.sort();
      const nodes = await Promise.all(names.map((name) => bench.zk.get(`${base}/${name}`)));
      return nodes.map(({ data, stat }, at) => ({
        name: names[at]?.replace(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'UUID'),
        data: isIP(data?.toString() ?? '') > 0 ? 'ADDRESS' : data?.toString(),
        isEphemeral: stat.ephemeralOwner !== 0n,
      }));
    };
    expect(await look('/layout/ours')).toEqual(await look('/layout/theirs'));
  });
});

describe("Curator's DistributedBarrier and zookit's Barrier", () => {
  it('hold each other, and let go', async () => {
    const barrier = new Barrier(bench.zk, '/gate/ours');
    await barrier.set();
    const waited = java.ask('wait one /gate/ours', 'waited one');
    await bench.watched('/gate/ours');
    await barrier.remove();
    expect(await waited).toBe('true');

    await java.ask('set two /gate/theirs', 'set two');
    const waiting = new Barrier(bench.zk, '/gate/theirs').wait(PATIENCE);
    await bench.watched('/gate/theirs');
    await java.ask('remove two /gate/theirs', 'removed two');
    await waiting;
  });
});

describe("Curator's GroupMember and zookit's", () => {
  it('see each other come, change and go', async () => {
    const path = '/group';
    const ours = new GroupMember(bench.zk, path, 'ours', '1');
    await ours.start();
    await java.ask(`join theirs ${path} 2`, 'joined theirs');
    const texts = async (): Promise<string> => {
      return [...(await ours.members())]
        .map(([id, data]) => `${id}=${data?.toString()}`)
        .sort()
        .join(',');
    };
    const seen = (): Promise<string> => java.ask('members theirs', 'members theirs');
    await until(
      'both see both',
      async () => (await texts()) === 'ours=1,theirs=2' && (await seen()) === 'ours=1,theirs=2',
    );
    expect((await looks(bench.zk, `${path}/ours`)).at(-1)).toEqual(expect.objectContaining({ isEphemeral: true }));
    await ours.setData('eins');
    await java.ask('say theirs zwei', 'said theirs');
    await until(
      'both know',
      async () => (await texts()) === 'ours=eins,theirs=zwei' && (await seen()) === 'ours=eins,theirs=zwei',
    );
    await java.ask('depart theirs', 'departed theirs');
    await until('theirs has gone', async () => (await texts()) === 'ours=eins');
    await java.ask(`join theirs ${path} 3`, 'joined theirs');
    await ours.close();
    await until('ours has gone', async () => (await seen()) === 'theirs=3');
  });
});
