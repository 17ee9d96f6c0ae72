import type { Stat } from '@zookit/protocol';
import { FaultProxy } from '@zookit/testing';
import { ZooKeeper } from '../../src/index.ts';
import { generator } from '../support/generator.ts';
import { until } from '../support/until.ts';
import { OneShots } from './one-shots.ts';
import type { ProofServer } from './proof-server.ts';
import { TreeModel } from './tree-model.ts';

export interface WalkOptions {
  seed: number;
  /** Calls of all clients together. */
  operations: number;
  cuts: number;
  /** Sessions that somebody else ends. */
  losses: number;
}

export interface Walked {
  /** What did not hold. */
  wrong: string[];
  cuts: number;
  losses: number;
  resyncs: number;
  /** One-shot watches that were told of a change; and how often one had nothing to hear of when all was quiet. */
  told: number;
  quiet: number;
}

const ROUNDS = 10;
/** Calls that each client keeps under way. */
const WINDOW = 6;
const PATIENCE = 60_000;
const ROOT = '/walk';
const NAMES = ['a', 'b', 'c'];
const PATHS = NAMES.flatMap((one) => [
  one,
  ...NAMES.flatMap((two) => [`${one}/${two}`, ...NAMES.map((three) => `${one}/${two}/${three}`)]),
]).map((path) => `${ROOT}/${path}`);

interface Walker {
  zk: ZooKeeper;
  proxy: FaultProxy;
  models: TreeModel[];
  shots: OneShots;
}

/**
 * Three clients change a tree at random and watch it in every way, while their connections are cut and sessions end. What each of
 * them makes of its events must be the tree, at every look.
 */
export async function walk(server: ProofServer, { seed, operations, cuts, losses }: WalkOptions): Promise<Walked> {
  const random = generator(seed);
  const chance = (odds: number): boolean => random() < odds;
  const oneOf = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const walked: Walked = { wrong: [], cuts: 0, losses: 0, resyncs: 0, told: 0, quiet: 0 };
  const claim = (holds: boolean, what: string): void => {
    // The first ones tell; what follows from them doesn't.
    if (!holds && walked.wrong.length < 20) walked.wrong.push(what);
  };

  const control = await ZooKeeper.connect(server.connectString);
  const walkers: Walker[] = [];
  const open = async (index: number): Promise<Walker> => {
    const proxy = await FaultProxy.start(server.connectString);
    const zk = new ZooKeeper(proxy.connectString, {
      sessionTimeout: 10_000,
      retry: { retries: 1_000, minTimeout: 10, maxTimeout: 100 },
    });
    zk.on('error', (error) => claim(false, `client ${index}: an error event: ${String(error)}`));
    const named = (name: string) => (holds: boolean, what: string) => claim(holds, `client ${index}, ${name}: ${what}`);
    const model = (root: string, recursive: boolean, name: string): TreeModel =>
      new TreeModel({ zk, root, recursive, zxids: server.zxids, name, claim: named('model') });
    const walker: Walker = {
      zk,
      proxy,
      models: [
        model(ROOT, true, 'the whole tree'),
        model(ROOT, true, 'the whole tree again'),
        model(`${ROOT}/a`, true, 'a and below'),
        model(`${ROOT}/a`, false, 'a'),
        model(`${ROOT}/b/a`, false, 'b/a'),
      ],
      shots: new OneShots(zk, named('one-shot')),
    };
    walkers.push(walker);
    await zk.connect();
    return walker;
  };

  /** One call of one client, whatever it comes to. */
  const step = async ({ zk, models, shots }: Walker): Promise<void> => {
    const path = oneOf(PATHS);
    const draw = random();
    try {
      if (draw < 0.28) await zk.create(path);
      else if (draw < 0.46) await zk.delete(path);
      else if (draw < 0.66) await zk.set(path, 'x');
      else if (draw < 0.72) {
        const stat = await zk.exists(path);
        for (const model of models) model.compare(path, stat);
      } else {
        const kind = oneOf(['get', 'exists', 'children'] as const);
        const takeBack = chance(0.2) ? new AbortController() : undefined;
        const stat = await shots.set(kind, path, takeBack?.signal);
        for (const model of models) model.compare(path, stat);
        if (takeBack !== undefined) {
          if (chance(0.5)) await zk.exists(ROOT);
          takeBack.abort();
        }
      }
    } catch (error) {
      const { code } = error as { code?: string };
      const expected = ['NO_NODE', 'NODE_EXISTS', 'NOT_EMPTY', 'CONNECTION_LOSS', 'SESSION_EXPIRED'];
      if (code === undefined || !expected.includes(code)) claim(false, `a call rejected with ${String(error)}`);
    }
  };

  const cut = async ({ zk, proxy }: Walker): Promise<void> => {
    // A connection that has served is followed by the next one at once.
    await zk.sync();
    const kind = random();
    if (kind < 0.85) await proxy.cut();
    else if (kind < 0.88) {
      // The watches are armed, and the client is not told so.
      const again = proxy.once({ opcode: 'setWatches*', direction: 'reply', action: 'cut', timeout: 5_000 });
      await proxy.cut();
      await again.catch(() => {});
    } else
      await proxy.once({ opcode: 'notification', direction: 'reply', action: 'cut', timeout: 300 }).catch(() => {});
    walked.cuts += 1;
  };

  const endSession = async ({ zk }: Walker): Promise<void> => {
    const { session } = zk;
    if (session === null) return;
    const { id, password } = session;
    const renewed = new Promise<void>((resolve) => {
      zk.once('renewed', resolve);
    });
    const thief = await ZooKeeper.connect(server.connectString, { session: { id, password } });
    await thief.close();
    await renewed;
    walked.losses += 1;
  };

  /** All clients at once, with faults in between; resolves when no call is under way. */
  const round = async (number: number): Promise<void> => {
    const target = Math.ceil(operations / ROUNDS);
    const faults = Array.from({ length: Math.ceil(cuts / ROUNDS) }, () => cut);
    const due = Math.floor(((number + 1) * losses) / ROUNDS) - Math.floor((number * losses) / ROUNDS);
    for (let i = 0; i < due; i += 1) faults.splice(Math.floor(random() * faults.length), 0, endSession);
    let made = 0;
    let faulted = 0;
    // Faults and calls keep step.
    const mayCall = (): boolean => made < ((faulted + 1) * target) / (faults.length + 1);
    let wake: () => void = () => {};
    let turn = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const work = async (walker: Walker): Promise<void> => {
      while (made < target) {
        if (!mayCall()) {
          await turn;
          continue;
        }
        made += 1;
        await step(walker);
      }
    };
    const disturb = async (): Promise<void> => {
      for (const fault of faults) {
        await fault(oneOf(walkers));
        faulted += 1;
        wake();
        turn = new Promise((resolve) => {
          wake = resolve;
        });
      }
    };
    await Promise.all([disturb(), ...walkers.flatMap((walker) => Array.from({ length: WINDOW }, () => work(walker)))]);
  };

  /** All is quiet: every model is the tree, and every one-shot watch that was told nothing has missed nothing. */
  const verify = async (when: string): Promise<void> => {
    for (const { zk } of walkers) await zk.sync();
    const settled = (): boolean => walkers.every(({ models }) => models.every((model) => model.settled));
    await until(settled, 'all models have been read', PATIENCE);
    const tree = new Map<string, Stat>();
    await Promise.all(
      [ROOT, ...PATHS].map(async (path) => {
        const stat = await control.exists(path);
        if (stat !== null) tree.set(path, stat);
      }),
    );
    for (const [index, { zk, models, shots }] of walkers.entries()) {
      for (const model of models) {
        const expected = [...tree].filter(
          ([path]) => path === model.root || (model.recursive && path.startsWith(`${model.root}/`)),
        );
        const same =
          expected.length === model.nodes.size &&
          expected.every(([path, stat]) => {
            const known = model.nodes.get(path);
            return known?.version === stat.version && (model.recursive || known.cversion === stat.cversion);
          });
        claim(same, `client ${index}, ${when}: "${model.name}" is not the tree`);
      }
      walked.quiet += await shots.verify(async (path) => tree.get(path) ?? null);
      claim(zk.state === 'connected', `client ${index} is ${zk.state}`);
    }
  };

  try {
    await control.create(ROOT);
    for (const index of [0, 1, 2]) {
      const { models } = await open(index);
      await Promise.all(models.map((model) => model.start()));
    }
    await verify('at the beginning');
    for (let number = 0; number < ROUNDS && walked.wrong.length === 0; number += 1) {
      await round(number);
      await verify(`after round ${number}`);
      // One of two handles on a path goes and comes; the other must not notice.
      for (const { models } of walkers) {
        const model = oneOf(models);
        await model.stop();
        await model.start();
      }
    }
    await verify('at the end');
    walked.resyncs = walkers.reduce(
      (sum, { models }) => sum + models.reduce((all, { resyncs }) => all + resyncs, 0),
      0,
    );
    walked.told = walkers.reduce((sum, { shots }) => sum + shots.told, 0);
    return walked;
  } finally {
    await Promise.all([control, ...walkers.map(({ zk }) => zk)].map((zk) => zk.close({ timeout: 5_000 })));
    await Promise.all(walkers.map(({ proxy }) => proxy.stop()));
  }
}
