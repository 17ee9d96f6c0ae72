import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RealServer } from '@zookit/testing';
import { ZooKeeper } from 'zookit';
import { now } from './clock.ts';
import type { Contender } from './contender.ts';
import { Corner } from './corner.ts';
import { LineFile } from './history.ts';
import type { Kind } from './kinds.ts';
import { Resource } from './resource.ts';

export interface ArenaOptions {
  kind: Kind;
  contenders: number;
  /** In ms. */
  sessionTimeout: number;
  /** Of the servers, in ms. */
  tickTime: number;
  /** How long a holder works, in ms; default 20. */
  work?: number;
  /** Where the records are kept. */
  folder: string;
}

export const PATH = '/chaos/contest';
export const RESOURCE = '/chaos/resource';
const WORK = 20;
/** Longer than anything takes that must come, in ms. */
const PATIENCE = 60_000;

/** An ensemble of three, and contenders around it. */
export class Arena {
  readonly server: RealServer;
  readonly sessionTimeout: number;
  readonly tickTime: number;
  readonly #log: LineFile<{ at: string; what: string; about: string }>;
  readonly #resource: Resource;
  readonly #corners: Corner[] = [];
  readonly #waiting = new Set<(contender: Contender, at: bigint) => void>();
  /** A process that stands still does not notice that this one has gone. */
  readonly #onExit = (): void => {
    for (const { contender } of this.#corners) contender.abandon();
  };
  #holder: Contender | null = null;

  static async open(options: ArenaOptions): Promise<Arena> {
    const { tickTime } = options;
    const server = await RealServer.start({ members: 3, tickTime });
    const arena = new Arena(server, options);
    try {
      await arena.#fill(options);
    } catch (error) {
      await arena.close();
      throw error;
    }
    return arena;
  }

  private constructor(server: RealServer, { sessionTimeout, tickTime, folder }: ArenaOptions) {
    this.server = server;
    this.sessionTimeout = sessionTimeout;
    this.tickTime = tickTime;
    this.#log = new LineFile(join(folder, 'arena.jsonl'));
    this.#resource = new Resource(join(folder, 'resource.jsonl'));
    process.on('exit', this.#onExit);
  }

  get corners(): readonly Corner[] {
    return this.#corners;
  }

  /** The corner of the one that was granted last. */
  get holder(): Corner | null {
    return this.corners.find(({ contender }) => contender === this.#holder) ?? null;
  }

  note(what: string, about: string): void {
    this.#log.write({ at: String(now()), what, about });
  }

  pause(ms: number): Promise<void> {
    return sleep(ms);
  }

  /** Resolves with the time of the next grant that comes after this moment. */
  nextGrant(): Promise<bigint> {
    return this.#granted('nobody was', () => true);
  }

  /** Resolves once each of the contenders has been granted after this moment. */
  async everyGrant(): Promise<void> {
    const missing = new Set(this.#corners.map(({ contender }) => contender));
    await this.#granted('not everybody was', (contender) => missing.delete(contender) && missing.size === 0);
  }

  /** Resolves when all servers answer, and one leads. */
  async settled(): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const modes = await Promise.all(this.server.members.map((_member, index) => this.server.mode(index)));
      if (!modes.includes(null) && modes.filter((mode) => mode === 'leader').length === 1) return;
      if (performance.now() > deadline) throw new Error(`the servers are ${modes.join(', ')}`);
      await sleep(50);
    }
  }

  /** Ends the contenders in good order; says what went wrong. */
  async dismiss(): Promise<string[]> {
    const ends = await Promise.all(this.corners.map(({ contender }) => contender.stop(PATIENCE)));
    return ends.filter((end) => end !== null);
  }

  /** The contenders' znodes that are there once every session has had the time to end. */
  async leftBehind(): Promise<string[]> {
    const zk = await ZooKeeper.connect(this.server.connectString);
    try {
      const deadline = performance.now() + this.sessionTimeout + 4 * this.tickTime + PATIENCE;
      for (;;) {
        await zk.sync('/');
        const stat = await zk.exists(PATH);
        const names = stat === null ? [] : (await zk.children(PATH)).children;
        if (names.length === 0 || performance.now() > deadline) return names.map((name) => `${PATH}/${name}`);
        await sleep(50);
      }
    } finally {
      await zk.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.corners.map((corner) => corner.close()));
    await this.server.stop();
    process.off('exit', this.#onExit);
    this.#log.close();
    this.#resource.close();
  }

  async #fill({ kind, contenders, sessionTimeout, folder, work = WORK }: ArenaOptions): Promise<void> {
    const zk = await ZooKeeper.connect(this.server.connectString);
    await zk.create(RESOURCE, null, { parents: true });
    await zk.close();
    const servers = this.server.members.map(({ connectString }) => connectString);
    const common = { kind, sessionTimeout, path: PATH, resource: RESOURCE, work };
    for (let index = 0; index < contenders; index += 1) {
      const corner = await Corner.open(
        servers,
        (generation, connectString) => {
          const name = `contender-${index}.${generation}`;
          return { ...common, name, connectString, record: join(folder, `${name}.jsonl`) };
        },
        {
          onGranted: (contender, at) => this.#onGranted(contender, at),
          onWrite: ({ name }, token) => this.#resource.write(name, token),
        },
      );
      this.#corners.push(corner);
    }
    await Promise.all(this.corners.map(({ contender }) => contender.ready));
  }

  /** Resolves with the time of a grant for which the condition holds. */
  #granted(otherwise: string, condition: (contender: Contender) => boolean): Promise<bigint> {
    const since = now();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(onGrant);
        reject(new Error(`${otherwise} granted anything within ${PATIENCE} ms`));
      }, PATIENCE);
      const onGrant = (contender: Contender, at: bigint): void => {
        if (at <= since || !condition(contender)) return;
        clearTimeout(timer);
        this.#waiting.delete(onGrant);
        resolve(at);
      };
      this.#waiting.add(onGrant);
    });
  }

  #onGranted(contender: Contender, at: bigint): void {
    this.#holder = contender;
    for (const each of [...this.#waiting]) each(contender, at);
  }
}
