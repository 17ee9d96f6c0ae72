import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { RealServer } from '@zookit/testing';
import type { WatchEvent, ZooKeeper } from '../../src/index.ts';
import { Clients, next, type Observed, until } from '../real/support.ts';

/** Longer than an election takes, on a machine that has other work. */
const SESSION_TIMEOUT = 20_000;
const PATIENCE = 40_000;

/** One client's watches of all kinds: on one subtree that changes during the fault, and on one that does not. */
interface Watcher extends Observed {
  heard: Map<string, string[]>;
}

const names = ['during', 'after'] as const;
const kinds = ['get', 'exists', 'children', 'persistent', 'recursive'] as const;

/** What a watch of that kind hears of `change`. */
const hears = {
  get: 'changed',
  exists: 'created',
  children: 'children',
  persistent: 'changed',
  recursive: 'created',
} as const;

/** Does it, once, though the connection may break before the reply. */
async function surely(write: () => Promise<unknown>, isDone: () => Promise<boolean>): Promise<void> {
  for (;;) {
    try {
      await write();
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== 'CONNECTION_LOSS') throw error;
      if (await isDone()) return;
    }
  }
}

async function change(zk: ZooKeeper, subtree: string): Promise<void> {
  for (const name of ['get', 'persistent'])
    await surely(
      () => zk.set(`${subtree}/${name}`, 'x'),
      async () => ((await zk.exists(`${subtree}/${name}`))?.version ?? 0) > 0,
    );
  for (const name of ['exists', 'children/c', 'recursive/a'])
    await surely(
      () => zk.create(`${subtree}/${name}`),
      async () => (await zk.exists(`${subtree}/${name}`)) !== null,
    );
}

async function watchAll(zk: ZooKeeper, subtree: string, hear: (kind: string, type: string) => void): Promise<void> {
  const as = (kind: string) => ({ watch: ({ type }: WatchEvent) => hear(kind, type) });
  await zk.create(subtree);
  for (const kind of kinds.filter((each) => each !== 'exists')) await zk.create(`${subtree}/${kind}`);
  await zk.get(`${subtree}/get`, as('get'));
  await zk.exists(`${subtree}/exists`, as('exists'));
  await zk.children(`${subtree}/children`, as('children'));
  for (const kind of ['persistent', 'recursive'] as const) {
    const watch = await zk.watch(`${subtree}/${kind}`, { recursive: kind === 'recursive' });
    watch.on('event', ({ type }) => hear(kind, type));
  }
}

export function ensembleWatches(version: string): void {
  const clients = new Clients();
  let server: RealServer;
  let control: Observed;
  let count = 0;

  beforeAll(async () => {
    server = await RealServer.start({ version, members: 3, config: { maxSessionTimeout: 60_000 } });
  }, 120_000);
  afterEach(() => clients.close());
  afterAll(() => server.stop());

  /** A client on each member. */
  async function spread(): Promise<Watcher[]> {
    const hosts = server.members.map(({ connectString }) => connectString);
    await server.leader();
    control = await clients.connect(server.connectString, { sessionTimeout: SESSION_TIMEOUT });
    return Promise.all(
      hosts.map(async (host) => {
        const others = hosts.filter((other) => other !== host);
        const client = await clients.connect([host, ...others].join(','), {
          sessionTimeout: SESSION_TIMEOUT,
          shuffle: false,
        });
        count += 1;
        const own = count;
        const heard = new Map<string, string[]>();
        for (const name of names) {
          const subtree = `/${name}-${own}`;
          for (const kind of kinds) heard.set(`${subtree} ${kind}`, []);
          await watchAll(client.zk, subtree, (kind, type) => heard.get(`${subtree} ${kind}`)?.push(type));
        }
        client.forget();
        return { ...client, heard };
      }),
    );
  }

  const subtrees = ({ heard }: Watcher, name: string): string[] => [
    ...new Set(
      [...heard.keys()].map((key) => key.split(' ')[0] as string).filter((path) => path.startsWith(`/${name}`)),
    ),
  ];
  const list = ({ heard }: Watcher, subtree: string, kind: string): string[] => heard.get(`${subtree} ${kind}`) ?? [];

  /** Changes by somebody whose own connection may break meanwhile. */
  async function changeAll(watchers: readonly Watcher[], name: string): Promise<void> {
    for (const watcher of watchers) {
      for (const subtree of subtrees(watcher, name)) await change(control.zk, subtree);
    }
  }

  async function expectTold(watchers: readonly Watcher[], name: string): Promise<void> {
    for (const watcher of watchers) {
      for (const subtree of subtrees(watcher, name)) {
        for (const kind of kinds) {
          const told = (): string[] => list(watcher, subtree, kind);
          const persistent = kind === 'persistent' || kind === 'recursive';
          await until(`${subtree} ${kind} is told`, () =>
            told().some((type) => type === hears[kind] || (persistent && type === 'resync')),
          );
          // Once, and of nothing else.
          const changes = told().filter((type) => type !== 'resync');
          expect([subtree, kind, changes]).toEqual([subtree, kind, changes.length === 0 ? [] : [hears[kind]]]);
        }
      }
    }
  }

  /** Whoever has lost its connection is told to read again, though not for one that broke before the watches were set again. */
  function expectResyncs({ events }: Watcher, told: readonly string[], changes: readonly string[]): void {
    const blips = events.filter((event) => event === 'reconnected' || event === 'renewed').length;
    const resyncs = told.filter((type) => type === 'resync');
    expect([events, told]).toEqual([events, [...resyncs, ...changes]]);
    expect(resyncs.length).toBeLessThanOrEqual(blips);
    expect(resyncs.length).toBeGreaterThanOrEqual(Math.min(blips, 1));
  }

  /** Each watch that was not told so far is there still, and the persistent ones are anyway. */
  async function expectArmed(watchers: readonly Watcher[]): Promise<void> {
    await until('all connected', () => watchers.every(({ zk }) => zk.state === 'connected'), PATIENCE);
    for (const { zk } of watchers) await zk.sync();
    for (const watcher of watchers) {
      for (const subtree of subtrees(watcher, 'after')) {
        for (const kind of kinds) {
          const told = list(watcher, subtree, kind);
          if (kind === 'persistent' || kind === 'recursive') expectResyncs(watcher, told, []);
          else expect([subtree, kind, told]).toEqual([subtree, kind, []]);
          told.length = 0;
        }
      }
      expect(watcher.events).not.toContain('lost');
      watcher.forget();
    }
    await until('somebody writes', () => control.zk.state === 'connected', PATIENCE);
    await changeAll(watchers, 'after');
    await expectTold(watchers, 'after');
    for (const watcher of watchers) {
      for (const subtree of subtrees(watcher, 'after')) {
        for (const kind of kinds) {
          const told = list(watcher, subtree, kind);
          if (watcher.events.length === 0) expect([kind, told]).toEqual([kind, [hears[kind]]]);
        }
      }
    }
  }

  describe(`watches on an ensemble of ${version}`, () => {
    it('outlive the leader: each is told of its change once, or waits for it still', async () => {
      const watchers = await spread();
      const leader = await server.leader();
      await control.zk.close();
      await server.kill(leader);
      await server.leader();
      control = await clients.connect(server.connectString, { sessionTimeout: SESSION_TIMEOUT });
      await changeAll(watchers, 'during');
      await expectTold(watchers, 'during');
      await expectArmed(watchers);
      await server.start(leader);
    });

    it('outlive a rolling restart', async () => {
      const watchers = await spread();
      for (const index of server.members.keys()) {
        await server.stop(index);
        await server.start(index);
        await server.leader();
        await until('all connected', () => watchers.every(({ zk }) => zk.state === 'connected'), PATIENCE);
      }
      await control.zk.close();
      control = await clients.connect(server.connectString, { sessionTimeout: SESSION_TIMEOUT });
      await changeAll(watchers, 'during');
      await expectTold(watchers, 'during');
      await expectArmed(watchers);
    });

    it('of a session that ends are told so, once; persistent ones go on in the next', async () => {
      const watchers = await spread();
      for (const { zk } of watchers) {
        const { id, password } = zk.session as { id: bigint; password: Buffer };
        const renewed = next(zk, 'renewed');
        const { zk: thief } = await clients.connect(server.connectString, { session: { id, password } });
        await thief.close();
        await renewed;
        await zk.sync();
      }
      await changeAll(watchers, 'during');
      for (const { zk } of watchers) await zk.sync();
      for (const watcher of watchers) {
        for (const subtree of subtrees(watcher, 'during')) {
          for (const kind of ['get', 'exists', 'children'] as const)
            expect([kind, list(watcher, subtree, kind)]).toEqual([kind, ['session-lost']]);
          for (const kind of ['persistent', 'recursive'] as const) {
            const told = list(watcher, subtree, kind);
            await until(`${kind} is told`, () => told.includes(hears[kind]), PATIENCE);
            expectResyncs(watcher, told, [hears[kind]]);
          }
        }
      }
    });
  });
}
