import type { Stat } from '@zookit/protocol';
import type { WatchEvent, ZooKeeper } from '../../src/index.ts';

type Kind = 'get' | 'exists' | 'children';

interface Shot {
  kind: Kind;
  path: string;
  /** The znode as the read that set the watch showed it; undefined until then. */
  seen: Stat | null | undefined;
  told: WatchEvent | null;
  /** Another client takes it back, or its read failed. */
  over: boolean;
}

/** One-shot watches of one client, each a function of its own, and what must hold of each of them. */
export class OneShots {
  readonly #zk: ZooKeeper;
  readonly #claim: (holds: boolean, what: string) => void;
  readonly #shots = new Set<Shot>();
  told = 0;

  constructor(zk: ZooKeeper, claim: (holds: boolean, what: string) => void) {
    this.#zk = zk;
    this.#claim = claim;
  }

  /** Sets one; resolves with what its read showed, null for a missing znode. Rejects as the read does. */
  async set(kind: Kind, path: string, takeBack?: AbortSignal): Promise<Stat | null> {
    const shot: Shot = { kind, path, seen: undefined, told: null, over: false };
    const watch = (event: WatchEvent): void => this.#hear(shot, event);
    const options = takeBack === undefined ? { watch } : { watch, watchSignal: takeBack };
    this.#shots.add(shot);
    takeBack?.addEventListener('abort', () => this.#end(shot), { once: true });
    try {
      const { [kind]: read } = {
        get: async () => (await this.#zk.get(path, options)).stat,
        exists: () => this.#zk.exists(path, options),
        children: async () => (await this.#zk.children(path, options)).stat,
      };
      shot.seen = await read();
      return shot.seen;
    } catch (error) {
      this.#end(shot);
      throw error;
    }
  }

  #end(shot: Shot): void {
    shot.over = true;
    this.#shots.delete(shot);
  }

  #hear(shot: Shot, event: WatchEvent): void {
    const { kind, path, seen } = shot;
    const what = `the ${kind} watch on ${path}`;
    this.#claim(shot.told === null, `${what} was told of ${event.type} after ${shot.told?.type}`);
    this.#claim(!shot.over, `${what} was told of ${event.type} after it was taken back`);
    this.#claim(event.path === path, `${what} was told of ${event.path}`);
    shot.told = event;
    this.#shots.delete(shot);
    if (event.type === 'session-lost' || event.type === 'closed') return;
    this.told += 1;
    this.#claim(seen !== undefined, `${what} was told of ${event.type} before its read`);
    if (seen === undefined || seen === null)
      this.#claim(event.type === 'created', `${what}, which is missing, was told of ${event.type}`);
    else if (event.zxid !== undefined)
      this.#claim(event.zxid > (kind === 'children' ? seen.pzxid : seen.mzxid), `${what} was told of what it had seen`);
  }

  /** The watches that nobody has told anything: what they wait for has not happened. To be called when all is quiet. */
  async verify(read: (path: string) => Promise<Stat | null>): Promise<number> {
    const quiet = [...this.#shots];
    await Promise.all(
      quiet.map(async ({ kind, path, seen }) => {
        const now = await read(path);
        const same =
          kind === 'children' ? now?.pzxid === seen?.pzxid && now?.czxid === seen?.czxid : now?.mzxid === seen?.mzxid;
        this.#claim(
          same,
          `the ${kind} watch on ${path} was not told: ${now === null ? 'it is gone' : 'it has changed'}`,
        );
      }),
    );
    return quiet.length;
  }
}
