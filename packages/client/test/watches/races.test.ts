import { describe, expect, it, jest } from '@jest/globals';
import type { ProfileName, TestServer } from '@zookit/testing';
import type { PersistentWatchEvent, Stat, Watch, ZooKeeper } from '../../src/index.ts';
import { useServers } from '../operations/use-server.ts';
import { generator } from '../support/generator.ts';
import { reconnected, until } from './record.ts';

jest.setTimeout(60_000);

const PATHS = ['/a', '/a/b', '/a/c'];

function signature(stat: Pick<Stat, 'czxid' | 'version' | 'cversion'> | null | undefined, of: 'data' | 'all'): string {
  if (stat == null) return 'missing';
  return of === 'data' ? `${stat.czxid}.${stat.version}` : `${stat.czxid}.${stat.version}.${stat.cversion}`;
}

/** Knows znodes only by reading them once, and again whenever a watch says that they have changed. */
abstract class Follower {
  readonly known = new Map<string, string>();
  readonly told = new Set<string>();
  readonly #zk: ZooKeeper;
  #reading = 0;
  readonly twice: string[] = [];

  constructor(zk: ZooKeeper) {
    this.#zk = zk;
  }

  abstract readonly what: string;
  abstract readonly of: 'data' | 'all';
  abstract close(): Promise<void>;

  get idle(): boolean {
    return this.#reading === 0;
  }

  async read(path: string, watch?: (event: { type: string }) => void): Promise<void> {
    this.#reading += 1;
    try {
      const stat = await this.#zk.exists(path, watch === undefined ? {} : { watch });
      this.known.set(path, signature(stat, this.of));
    } finally {
      this.#reading -= 1;
    }
  }

  note({ type, path, zxid }: PersistentWatchEvent): void {
    if (zxid === undefined) return;
    const key = `${type} ${path} ${zxid}`;
    if (this.told.has(key)) this.twice.push(key);
    this.told.add(key);
  }
}

class PersistentFollower extends Follower {
  readonly what: string;
  readonly of: 'data' | 'all';
  readonly #watch: Watch;
  readonly #paths: readonly string[];

  constructor(zk: ZooKeeper, watch: Watch) {
    super(zk);
    this.#watch = watch;
    this.what = `${watch.recursive ? 'recursive' : 'plain'} ${watch.path}`;
    this.of = watch.recursive ? 'data' : 'all';
    this.#paths = PATHS.filter((path) => path === watch.path || (watch.recursive && path.startsWith(`${watch.path}/`)));
    watch.on('event', (event) => {
      this.note(event);
      for (const path of event.type === 'resync' ? this.#paths : [event.path]) void this.read(path);
    });
    for (const path of this.#paths) void this.read(path);
  }

  close(): Promise<void> {
    return this.#watch.close();
  }
}

/** A chain of one-shot watches: each is set by the read after the one before has fired. */
class OneShotFollower extends Follower {
  readonly what: string;
  readonly of = 'data';
  #closed = false;

  constructor(zk: ZooKeeper, path: string) {
    super(zk);
    this.what = `one-shots ${path}`;
    const look = (): void => {
      if (!this.#closed) void this.read(path, look).catch(() => {});
    };
    look();
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}

/** What it has got wrong. */
function staleOf(server: TestServer, { what, of, known }: Follower): string[] {
  return [...known].flatMap(([path, seen]) => {
    const actual = signature(server.node(path)?.stat, of);
    return seen === actual ? [] : [`${what} has ${path} as ${seen}, and it is ${actual}`];
  });
}

async function scene(server: TestServer, zk: ZooKeeper, other: ZooKeeper, seed: number): Promise<string[]> {
  const random = generator(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  let followers: Follower[] = [];
  const faults: string[] = [];

  const change = async (): Promise<void> => {
    const path = pick(PATHS);
    const dice = random();
    if (dice < 0.3) await other.create(path).catch(() => {});
    else if (dice < 0.5) await other.delete(path).catch(() => {});
    else await other.set(path, '').catch(() => {});
  };
  const open = async (): Promise<void> => {
    const path = pick(PATHS);
    if (random() < 0.4) followers.push(new OneShotFollower(zk, path));
    else followers.push(new PersistentFollower(zk, await zk.watch(path, { recursive: random() < 0.5 })));
  };
  const close = async (): Promise<void> => {
    const follower = pick(followers);
    if (follower === undefined) return;
    followers = followers.filter((each) => each !== follower);
    await follower.close();
  };

  for (let round = 0; round < 60; round += 1) {
    const cut = random() < 0.08;
    const work = Array.from({ length: 2 + Math.floor(random() * 6) }, () => {
      const dice = random();
      return dice < 0.5 ? change() : dice < 0.8 ? open() : close();
    });
    if (cut) work.push(reconnected(zk, () => server.dropConnections()));
    await Promise.all(work);
    // One more, so that what is lost now is not made up for by what comes later.
    await change();
    const stale = (): string[] => followers.flatMap((follower) => staleOf(server, follower));
    // What is late comes soon; what was lost never does.
    await until(() => followers.every(({ idle }) => idle) && stale().length === 0, 'all is known').catch(() => {
      faults.push(...stale().map((what) => `round ${round}: ${what}`));
    });
    for (const { what, twice } of followers) {
      faults.push(...twice.splice(0).map((event) => `round ${round}: ${what} was told twice: ${event}`));
    }
    if (faults.length > 0) return faults;
  }
  await Promise.all(followers.map((follower) => follower.close()));
  return faults;
}

describe.each<ProfileName>(['3.5', '3.6', '3.9'])('znodes that change while watches come and go, on %s', (profile) => {
  const servers = useServers();

  it.each(Array.from({ length: 8 }, (_, seed) => seed))(
    'are known as they are at every rest: seed %i',
    async (seed) => {
      const server = await servers.start({ profile });
      const [zk, other] = [await servers.connect(server), await servers.connect(server)];
      // 3.5 knows no recursive watches.
      if (profile === '3.5') {
        const watch = zk.watch.bind(zk);
        zk.watch = (path) => watch(path);
      }
      expect(await scene(server, zk, other, seed)).toEqual([]);
    },
  );
});
