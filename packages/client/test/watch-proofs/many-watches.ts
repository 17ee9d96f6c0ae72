import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from '@jest/globals';
import { FaultProxy } from '@zookit/testing';
import { ZooKeeper } from '../../src/index.ts';
import { until } from '../real/support.ts';
import type { ProofServer } from './proof-server.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const PATIENCE = 60_000;

/** Bytes in use once garbage is gone. */
function heap(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

interface Way {
  /** Whether the znode is there. */
  present: boolean;
  set(zk: ZooKeeper, path: string, hear: (type: string) => void): Promise<unknown>;
  change(zk: ZooKeeper, path: string): Promise<unknown>;
  hears: string;
  /** What it hears after a cut in which the znode was changed, and in which it was not. */
  missed: string[];
  unchanged: string[];
}

async function persistent(
  zk: ZooKeeper,
  path: string,
  recursive: boolean,
  hear: (type: string) => void,
): Promise<void> {
  const watch = await zk.watch(path, { recursive });
  watch.on('event', ({ type }) => hear(type));
}

const ways: readonly Way[] = [
  {
    present: true,
    set: (zk, path, hear) => zk.get(path, { watch: ({ type }) => hear(type) }),
    change: (zk, path) => zk.set(path, 'x'),
    hears: 'changed',
    missed: ['changed'],
    unchanged: [],
  },
  {
    present: false,
    set: (zk, path, hear) => zk.exists(path, { watch: ({ type }) => hear(type) }),
    change: (zk, path) => zk.create(path),
    hears: 'created',
    missed: ['created'],
    unchanged: [],
  },
  {
    present: true,
    set: (zk, path, hear) => zk.children(path, { watch: ({ type }) => hear(type) }),
    change: (zk, path) => zk.create(`${path}/c`),
    hears: 'children',
    missed: ['children'],
    unchanged: [],
  },
  {
    present: true,
    set: (zk, path, hear) => persistent(zk, path, false, hear),
    change: (zk, path) => zk.set(path, 'x'),
    hears: 'changed',
    missed: ['resync'],
    unchanged: ['resync'],
  },
  {
    present: true,
    set: (zk, path, hear) => persistent(zk, path, true, hear),
    change: (zk, path) => zk.set(path, 'x'),
    hears: 'changed',
    missed: ['resync'],
    unchanged: ['resync'],
  },
];

/** Watches of every kind on long paths, a cut, and changes meanwhile: nothing is lost, told twice, or out of proportion. */
export async function rearmMany(server: ProofServer, count: number): Promise<void> {
  await using proxy = await FaultProxy.start(server.connectString);
  await using other = await ZooKeeper.connect(server.connectString, { maxQueued: 2 * count });
  await using zk = await ZooKeeper.connect(proxy.connectString, { maxQueued: 2 * count });
  const { path: base } = await other.create('/many-', null, { mode: 'persistent-sequential' });
  const watched = Array.from({ length: count }, (_, index) => ({
    path: `${base}/${String(index)}-`.padEnd(160, 'x'),
    way: ways[index % ways.length] as Way,
    meanwhile: index % 17 === 0,
    heard: [] as string[],
  }));
  const quiet = (): boolean => watched.every(({ heard }) => heard.length === 0);
  await Promise.all(watched.filter(({ way }) => way.present).map(({ path }) => other.create(path)));
  await zk.sync();
  await Promise.all(watched.map(({ path, way, heard }) => way.set(zk, path, (type) => heard.push(type))));
  expect(zk.health().watches).toBe(count);
  expect(quiet()).toBe(true);

  const frames: number[] = [];
  const tap = (frame: Buffer): boolean => {
    frames.push(frame.length);
    return false;
  };
  proxy.once({ opcode: '*', direction: 'request', action: 'drop', match: tap }).catch(() => {});
  const events: string[] = [];
  zk.on('suspended', () => events.push('suspended'));
  zk.on('reconnected', () => events.push('reconnected'));
  zk.on('error', (error) => events.push(String(error)));
  const comingBack = proxy.once({ opcode: 'connect', direction: 'request', action: 'hold', timeout: PATIENCE });
  await zk.sync();
  await proxy.cut();
  const { release } = await comingBack;
  await Promise.all(watched.filter(({ meanwhile }) => meanwhile).map(({ path, way }) => way.change(other, path)));
  expect(quiet()).toBe(true);
  release();
  await until('it is back', () => events.includes('reconnected'), PATIENCE);
  await zk.sync();
  const wrong = (expected: (one: (typeof watched)[number]) => string[]) =>
    watched
      .filter((one) => expected(one).join() !== one.heard.join())
      .map((one) => `${one.path.slice(0, 20)}: ${one.heard.join()} instead of ${expected(one).join()}`)
      .slice(0, 5);
  expect(wrong(({ way, meanwhile }) => (meanwhile ? way.missed : way.unchanged))).toEqual([]);
  expect(events).toEqual(['suspended', 'reconnected']);
  // One frame of all of them, 2 MB, would make the server hang up, over and over (ZOOKEEPER-706).
  expect(Math.max(...frames)).toBeLessThan(256 * 1024);
  expect(Math.max(...frames)).toBeGreaterThan(64 * 1024);

  const used = watched.filter(({ meanwhile, way }) => meanwhile && way.missed[0] !== 'resync');
  expect(zk.health().watches).toBe(count - used.length);
  for (const { heard } of watched) heard.length = 0;
  await Promise.all(watched.filter((one) => !used.includes(one)).map(({ path, way }) => way.change(other, path)));
  await zk.sync();
  expect(wrong((one) => (used.includes(one) ? [] : [one.way.hears]))).toEqual([]);
  expect(events).toEqual(['suspended', 'reconnected']);
}

/** Watches that are set and taken back, over and over, leave nothing behind: neither here nor on the server. */
export async function setAndTakeBack(server: ProofServer, rounds: number, batch: number): Promise<void> {
  await using zk = await ZooKeeper.connect(server.connectString, { maxQueued: 2 * batch });
  const { path: base } = await zk.create('/taken-', null, { mode: 'persistent-sequential' });
  const before = await server.count();
  const told: string[] = [];
  const round = async (): Promise<void> => {
    const takeBack = new AbortController();
    const closes = await Promise.all(
      Array.from({ length: batch }, async (_, index) => {
        const path = `${base}/${index}`;
        const hear = ({ type }: { type: string }): void => {
          told.push(type);
        };
        if (index % 5 === 0) {
          const watch = await zk.watch(path, { recursive: index % 2 === 0 });
          watch.on('event', hear);
          return () => watch.close();
        }
        const options = { watch: hear, watchSignal: takeBack.signal };
        if (index % 50 === 1) await zk.children(base, { ...options, watch: (event) => hear(event) });
        else await zk.exists(path, options);
        return null;
      }),
    );
    expect(await server.count()).toBeGreaterThan(before + batch * 0.9);
    takeBack.abort();
    await Promise.all(closes.map((close) => close?.()));
    await zk.sync();
    expect(zk.health().watches).toBe(0);
    await until('the server has none of them', async () => (await server.count()) === before, PATIENCE);
  };
  // On a machine that has stood still for long the connection may break, which persistent watches tell of.
  let breaks = 0;
  zk.on('suspended', () => {
    breaks += 1;
  });
  const warmUp = Math.ceil(rounds / 4);
  for (let i = 0; i < warmUp; i += 1) await round();
  const level = heap();
  for (let i = warmUp; i < rounds; i += 1) await round();
  expect(breaks === 0 ? told : told.filter((type) => type !== 'resync')).toEqual([]);
  // A watch that stayed would cost more than 100 bytes.
  expect(heap() - level).toBeLessThan((rounds - warmUp) * batch * 80);
}
