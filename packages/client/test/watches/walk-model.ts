import type { Watch, ZooKeeper } from '../../src/index.ts';
import { settled } from './record.ts';

const PATHS = ['/a', '/a/b', '/a/b/c', '/a/d', '/e'] as const;
type Path = (typeof PATHS)[number];
type Kind = 'data' | 'child';

interface Open {
  path: string;
  recursive: boolean;
  watch: Watch;
  told: string[];
}

interface OneShot {
  path: string;
  kind: Kind;
  told: string[];
  takeBack: AbortController;
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';

/** Opens and closes watches of every kind at random, lets another client change the tree, and compares what was told with what should have been. */
export class WatchWalk {
  readonly #zk: ZooKeeper;
  readonly #other: ZooKeeper;
  readonly #random: () => number;
  readonly #cut: (meanwhile: () => Promise<void>) => Promise<void>;
  readonly #present = new Set<string>();
  #open: Open[] = [];
  #shots: OneShot[] = [];
  readonly steps: string[] = [];
  /** What differs from what was expected. */
  readonly faults: string[] = [];

  constructor(
    zk: ZooKeeper,
    other: ZooKeeper,
    random: () => number,
    cut: (meanwhile: () => Promise<void>) => Promise<void>,
  ) {
    this.#zk = zk;
    this.#other = other;
    this.#random = random;
    this.#cut = cut;
  }

  async step(): Promise<void> {
    const dice = this.#random();
    if (dice < 0.05) await this.#cutAndCompare();
    else if (dice < 0.5) await this.#change();
    else {
      // Several at once: what one of them asks of the server is under way when the next one asks.
      const count = 1 + Math.floor(this.#random() * 4);
      await Promise.all(Array.from({ length: count }, () => this.#watchOrNot()));
      this.steps.push('.');
    }
  }

  async closeAll(): Promise<void> {
    for (const { takeBack } of this.#shots.splice(0)) takeBack.abort();
    await Promise.all(this.#open.splice(0).map(({ watch }) => watch.close()));
    await settled(this.#zk);
  }

  #pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#random() * items.length)] as T;
  }

  async #watchOrNot(): Promise<void> {
    const dice = this.#random();
    if (dice < 0.35) await this.#openOne();
    else if (dice < 0.6) await this.#closeOne();
    else if (dice < 0.9) await this.#shoot();
    else this.#takeBack();
  }

  async #openOne(): Promise<void> {
    const [path, recursive] = [this.#pick(PATHS), this.#random() < 0.5];
    this.steps.push(`open ${path}${recursive ? ' recursive' : ''}`);
    const watch = await this.#zk.watch(path, { recursive });
    const told: string[] = [];
    watch.on('event', ({ type, path: where }) => told.push(`${type} ${where}`));
    this.#open.push({ path, recursive, watch, told });
  }

  async #closeOne(): Promise<void> {
    const index = Math.floor(this.#random() * this.#open.length);
    const [open] = this.#open.splice(index, 1);
    if (open === undefined) return;
    this.steps.push(`close ${open.path}${open.recursive ? ' recursive' : ''}`);
    await open.watch.close();
  }

  async #shoot(): Promise<void> {
    const [path, kind] = [this.#pick(PATHS), this.#pick<Kind>(['data', 'child'])];
    if (kind === 'child' && !this.#present.has(path)) return;
    this.steps.push(`one-shot ${kind} ${path}`);
    const told: string[] = [];
    const takeBack = new AbortController();
    const options = { watch: ({ type }: { type: string }) => told.push(type), watchSignal: takeBack.signal };
    if (kind === 'child') await this.#zk.children(path, options);
    else await this.#zk.exists(path, options);
    this.#shots.push({ path, kind, told, takeBack });
  }

  #takeBack(): void {
    const [shot] = this.#shots.splice(Math.floor(this.#random() * this.#shots.length), 1);
    if (shot === undefined) return;
    this.steps.push(`take back ${shot.kind} ${shot.path}`);
    shot.takeBack.abort();
  }

  async #change(): Promise<void> {
    const path = this.#pick(PATHS);
    const events = await this.#apply(path);
    if (events === null) return;
    await settled(this.#zk);
    this.#compare(events);
  }

  async #apply(path: Path): Promise<[string, string][] | null> {
    const isLeaf = ![...this.#present].some((each) => each.startsWith(`${path}/`));
    if (!this.#present.has(path)) {
      const parent = parentOf(path);
      if (parent !== '/' && !this.#present.has(parent)) return null;
      this.steps.push(`create ${path}`);
      await this.#other.create(path);
      this.#present.add(path);
      return [
        ['created', path],
        ['children', parent],
      ];
    }
    if (isLeaf && this.#random() < 0.5) {
      this.steps.push(`delete ${path}`);
      await this.#other.delete(path);
      this.#present.delete(path);
      return [
        ['deleted', path],
        ['children', parentOf(path)],
      ];
    }
    this.steps.push(`set ${path}`);
    await this.#other.set(path, 'x');
    return [['changed', path]];
  }

  #compare(events: readonly [string, string][]): void {
    for (const { path, recursive, told } of this.#open) {
      const expected = events
        .filter(([type, where]) =>
          recursive ? type !== 'children' && (where === path || where.startsWith(`${path}/`)) : where === path,
        )
        .map(([type, where]) => `${type} ${where}`);
      this.#check(`watch ${path}${recursive ? ' recursive' : ''}`, told.splice(0), expected);
    }
    this.#shots = this.#shots.filter(({ path, kind, told }) => {
      const fires = kind === 'data' ? ['created', 'deleted', 'changed'] : ['children', 'deleted'];
      const expected = events.filter(([type, where]) => where === path && fires.includes(type)).map(([type]) => type);
      this.#check(`one-shot ${kind} ${path}`, told, expected);
      return expected.length === 0;
    });
  }

  #check(what: string, told: readonly string[], expected: readonly string[]): void {
    if (JSON.stringify(told) === JSON.stringify(expected)) return;
    this.faults.push(
      `${what} was told ${JSON.stringify(told)}, not ${JSON.stringify(expected)}, at step ${this.steps.length}`,
    );
  }

  async #cutAndCompare(): Promise<void> {
    this.steps.push('cut');
    const before = new Set(this.#present);
    const missed: [string, string][] = [];
    await this.#cut(async () => {
      for (let left = Math.floor(this.#random() * 4); left > 0; left -= 1) {
        missed.push(...((await this.#apply(this.#pick(PATHS))) ?? []));
      }
    });
    this.steps.push('back');
    await this.#resynced();
    for (const { path, recursive, told } of this.#open) {
      this.#check(`watch ${path}${recursive ? ' recursive' : ''}`, told.splice(0), [`resync ${path}`]);
    }
    this.#shots = this.#shots.filter((shot) => {
      const expected = this.#caughtUp(shot, before.has(shot.path), missed);
      this.#check(`one-shot ${shot.kind} ${shot.path}`, shot.told, expected);
      return expected.length === 0;
    });
  }

  /** What a one-shot watch hears, once, of all that it has missed. */
  #caughtUp({ path, kind }: OneShot, wasThere: boolean, missed: readonly [string, string][]): string[] {
    const own = missed.filter(([, where]) => where === path).map(([type]) => type);
    const isThere = this.#present.has(path);
    if (!wasThere) return isThere ? ['created'] : [];
    if (!isThere) return ['deleted'];
    if (kind === 'data') return own.some((type) => type !== 'children') ? ['changed'] : [];
    return own.some((type) => type !== 'changed') ? ['children'] : [];
  }

  async #resynced(): Promise<void> {
    // The reply that confirms all watches comes before that to any call made on the connection.
    await settled(this.#zk);
    await settled(this.#zk);
  }
}
