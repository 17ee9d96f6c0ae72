import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ZooKeeper } from '@zookit/client';
import { type CaughtFrame, type FaultProxy, RealServer } from '@zookit/testing';
import { type Held, Mutex } from '../../src/index.ts';
import { Holder } from './holder.ts';
import type { Sight } from './holder-process.ts';
import { Bench, contenders, pause, until } from './support.ts';

jest.setTimeout(60_000);

const ROUNDS = 5;
const bench = new Bench();
const holders: Holder[] = [];
let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start();
});
afterEach(async () => {
  await Promise.all(holders.splice(0).map((holder) => holder.kill()));
  await bench.end();
});
afterAll(() => server.stop());

interface Scene {
  holder: Holder;
  proxy: FaultProxy;
  base: string;
  zk: ZooKeeper;
  /** What the holder waits for. */
  locks: Held[];
}

/** All at once, and each to its end, be it that another has failed. */
async function rounds(run: (round: number) => Promise<void>): Promise<void> {
  const outcomes = await Promise.allSettled(Array.from({ length: ROUNDS }, (_, round) => run(round)));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

/** A holder with all sorts of things under way, and a client that it can be told from. */
async function scene(base: string, sessionTimeout: number, patience: number): Promise<Scene> {
  const proxy = await bench.proxy(server.connectString);
  const zk = await bench.client(server.connectString);
  await zk.create(`${base}/data`, null, { parents: true });
  const locks = await Promise.all(['lock', 'lock-in-time'].map((name) => new Mutex(zk, `${base}/${name}`).acquire()));
  const holder = new Holder({ connectString: proxy.connectString, sessionTimeout, base, patience });
  holders.push(holder);
  await holder.hears('ready');
  for (const name of ['lock', 'lock-in-time']) {
    await until('it waits', async () => (await contenders(zk, `${base}/${name}`)).length === 2);
  }
  return { holder, proxy, base, zk, locks };
}

/** Has the server's answer ready for the holder when it runs again, as the first thing that it finds. */
async function stopBefore({ holder }: Scene, answer: CaughtFrame): Promise<void> {
  await holder.ask({ order: 'block', ms: 300 }, 'blocking');
  holder.order({ order: 'stop' });
  answer.release();
}

/** Ways to be stopped; each resolves with what is to be done right before it goes on. */
const stops: [string, (scene: Scene) => Promise<() => void>][] = [
  [
    'idle',
    async ({ holder }) => {
      holder.signal('SIGSTOP');
      return () => {};
    },
  ],
  [
    'waiting for answers, which come meanwhile',
    async ({ holder, proxy }) => {
      const answer = proxy.once({ opcode: 'getData', direction: 'reply', action: 'hold' });
      holder.order({ order: 'call' });
      await answer;
      holder.signal('SIGSTOP');
      return (await answer).release;
    },
  ],
  [
    'with calls that are not on their way yet',
    async ({ holder }) => {
      holder.order({ order: 'call and stop' });
      return () => {};
    },
  ],
  [
    'with the answers to its calls next in line',
    async (scene) => {
      const answer = scene.proxy.once({ opcode: 'getData', direction: 'reply', action: 'hold' });
      scene.holder.order({ order: 'call' });
      await stopBefore(scene, await answer);
      return () => {};
    },
  ],
  [
    'with the news that its session is resumed next in line',
    async (scene) => {
      const answer = scene.proxy.once({ opcode: 'connect', direction: 'reply', action: 'hold' });
      await scene.proxy.cut();
      await stopBefore(scene, await answer);
      return () => {};
    },
  ],
];

describe('a holder that is stopped for longer than its session', () => {
  it.each(stops)(`%s, is told before anything else when it goes on, ${ROUNDS} times`, async (title, stop) => {
    await rounds(async (round) => {
      const here = await scene(`/stopped/${title.replaceAll(/\W+/g, '-')}-${round}`, 2_000, 700);
      const { holder, base, zk, locks } = here;
      const granted = new Mutex(zk, `${base}/held`).acquire();
      await until('another waits', async () => (await contenders(zk, `${base}/held`)).length === 2);

      const beforeItGoesOn = await stop(here);
      await zk.set(`${base}/data`, 'meanwhile');
      await zk.create(`${base}/new`);
      for (const lock of locks) await lock.release();
      const next = await granted;
      beforeItGoesOn();
      const since = process.hrtime.bigint();
      holder.signal('SIGCONT');

      const sights = await allSeen(holder, since);
      // Whatever it looks at first, and ever after.
      expect(sights.filter(({ isHeld }) => isHeld)).toEqual([]);
      const told = sights.filter(({ by }) => by === 'zookit');
      expect(told.filter(({ aborted }) => !aborted)).toEqual([]);
      const what = told.map((sight) => sight.what);
      const due = [
        ...["the session's signal", "the hold's signal", 'the hold is lost', 'state lost', 'event lost'],
        ...['event renewed', 'a lock: done', 'a lock in time: TIMEOUT'],
      ];
      expect(due.filter((each) => !what.includes(each))).toEqual([]);
      expect(what).not.toContain('the hold is suspect');

      expect((await holder.ask({ order: 'release' }, 'released')).how).toBe('lost');
      expect(await contenders(zk, `${base}/held`)).toEqual([next.path.slice(next.path.lastIndexOf('/') + 1)]);
      expect(next.isHeld).toBe(true);
      await next.release();
      expect(await holder.close()).toBe(0);
    });
  });
});

/** What it has seen since, once it has a new session and nothing is under way any more. */
async function allSeen(holder: Holder, since: bigint): Promise<Sight[]> {
  for (;;) {
    const { sights, unsettled } = await holder.ask({ order: 'look' }, 'seen');
    const later = sights.filter(({ at }) => BigInt(at) > since);
    if (unsettled === 0 && later.some(({ what }) => what === 'event renewed')) return later;
    await pause(20);
  }
}

describe('a holder that is stopped for half of its session', () => {
  it(`still holds and is told nothing, ${ROUNDS} times`, async () => {
    await rounds(async (round) => {
      const session = 6_000;
      const { holder, base, zk } = await scene(`/stopped/shortly-${round}`, session, 60_000);
      await holder.ask({ order: 'ping' }, 'pinged');
      const since = process.hrtime.bigint();
      holder.order({ order: 'call' });
      holder.signal('SIGSTOP');
      await pause(session / 2);
      holder.signal('SIGCONT');
      // What it asked before it was stopped, and a question of now.
      await until('its calls are answered', async () => {
        return (await holder.ask({ order: 'look' }, 'seen')).unsettled === 2;
      });
      await holder.ask({ order: 'ping' }, 'pinged');

      const { sights, state } = await holder.ask({ order: 'look' }, 'seen');
      const later = sights.filter(({ at }) => BigInt(at) > since);
      expect(state).toBe('connected');
      expect(later.filter(({ isHeld, aborted }) => !isHeld || aborted)).toEqual([]);
      expect(new Set(later.filter(({ by }) => by === 'zookit').map(({ what }) => what))).toEqual(
        new Set([
          ...['a read: done', 'a write: done', 'a read in time: done', 'a write in time: done'],
          ...['watched data: changed', 'watched children: children'],
        ]),
      );
      expect(await contenders(zk, `${base}/held`)).toHaveLength(1);
      expect((await holder.ask({ order: 'release' }, 'released')).how).toBe('released');
      expect(await holder.close()).toBe(0);
    });
  });
});
