import type { Stat } from '@zookit/protocol';
import type { ZooKeeper } from '../../src/index.ts';

/** How often a znode's data and its children have changed since it was created, as its Stat says too. */
export interface Known {
  version: number;
  cversion: number;
}

interface Heard {
  type: string;
  path: string;
  zxid?: bigint;
}

interface ModelOptions {
  zk: ZooKeeper;
  /** For what is said of it. */
  name: string;
  root: string;
  recursive: boolean;
  /** Whether events carry their zxid. */
  zxids: boolean;
  claim(holds: boolean, what: string): void;
}

/**
 * The tree as one handle's events tell it, read again after each resync, and never otherwise. Every reply that shows a znode is
 * held against it: an event that was lost, doubled or late makes the two differ at once.
 */
export class TreeModel {
  readonly name: string;
  readonly root: string;
  readonly recursive: boolean;
  readonly nodes: Map<string, Known> = new Map<string, Known>();
  resyncs = 0;
  readonly #options: ModelOptions;
  readonly #told = new Set<string>();
  #readings = 0;
  #close: (() => Promise<void>) | null = null;

  constructor(options: ModelOptions) {
    this.#options = options;
    this.name = options.name;
    this.root = options.root;
    this.recursive = options.recursive;
  }

  /** Whether it has been read to the end since the last resync. */
  get settled(): boolean {
    return this.#close !== null && this.#readings === 0;
  }

  async start(): Promise<void> {
    const { zk, root, recursive } = this.#options;
    const watch = await zk.watch(root, { recursive });
    watch.on('event', (event) => this.#hear(event));
    this.#close = () => watch.close();
    this.#readAll();
  }

  async stop(): Promise<void> {
    const close = this.#close;
    this.#close = null;
    this.nodes.clear();
    await close?.();
  }

  /** Holds a znode that the same client has just read against the model; to be called in the continuation of the read. */
  compare(path: string, stat: Stat | null): void {
    const concerns = path === this.root || (this.recursive && path.startsWith(`${this.root}/`));
    if (!concerns || !this.settled) return;
    const known = this.nodes.get(path);
    if (stat === null) this.#claim(known === undefined, `${path} is gone, and nobody said so`);
    else
      this.#claim(
        known !== undefined && this.#agrees(known, stat),
        `${path} is at ${show(known)}, read: ${show(stat)}`,
      );
  }

  #hear(event: Heard): void {
    const { type, path } = event;
    if (this.#close === null) {
      this.#claim(false, `${type} ${path} after close()`);
      return;
    }
    if (type === 'resync') {
      this.resyncs += 1;
      this.nodes.clear();
      this.#readAll();
      return;
    }
    if (type === 'closed') return;
    this.#onceOnly(event);
    const known = this.nodes.get(path);
    // What is being read may not have come to this znode.
    const may = known !== undefined || this.#readings > 0;
    if (type === 'created') {
      this.#claim(known === undefined, `${path} was created, and is there already`);
      this.nodes.set(path, { version: 0, cversion: 0 });
    } else if (type === 'deleted') {
      this.#claim(may, `${path} was deleted, and is not there`);
      this.nodes.delete(path);
    } else if (type === 'changed') {
      this.#claim(may, `${path} was changed, and is not there`);
      if (known !== undefined) known.version += 1;
    } else if (type === 'children') {
      this.#claim(may && !this.recursive && path === this.root, `the children of ${path} have changed`);
      if (known !== undefined) known.cversion += 1;
    } else this.#claim(false, `an event ${type} ${path}`);
  }

  #onceOnly({ type, path, zxid }: Heard): void {
    this.#claim(!this.#options.zxids || zxid !== undefined, `${type} ${path} without a zxid`);
    if (zxid === undefined) return;
    const change = `${type} ${path} ${zxid}`;
    this.#claim(!this.#told.has(change), `told twice: ${change}`);
    this.#told.add(change);
  }

  #readAll(): void {
    this.#readings += 1;
    this.#read(this.root)
      .catch((error: { code?: string }) => {
        // A lost session brings another resync; a closed client needs none.
        const expected = error.code === 'CLOSED' || error.code === 'SESSION_EXPIRED';
        this.#claim(expected, `reading again failed: ${String(error)}`);
      })
      .finally(() => {
        this.#readings -= 1;
      });
  }

  async #read(path: string): Promise<void> {
    const { zk } = this.#options;
    const stat = await zk.exists(path);
    const known = this.nodes.get(path);
    if (stat === null) {
      this.#claim(known === undefined, `${path} is gone, and nobody said so`);
      return;
    }
    if (known === undefined) this.nodes.set(path, { version: stat.version, cversion: stat.cversion });
    else this.#claim(this.#agrees(known, stat), `${path} is at ${show(known)}, read: ${show(stat)}`);
    if (!this.recursive) return;
    const children = await zk.children(path).catch((error: { code?: string }) => {
      if (error.code === 'NO_NODE') return { children: [] };
      throw error;
    });
    await Promise.all(children.children.map((name) => this.#read(`${path}/${name}`)));
  }

  #agrees(known: Known, stat: Known): boolean {
    return known.version === stat.version && (this.recursive || known.cversion === stat.cversion);
  }

  #claim(holds: boolean, what: string): void {
    if (!holds) this.#options.claim(false, `${this.name}: ${what}`);
  }
}

function show(known: Known | undefined): string {
  return known === undefined ? 'nothing' : `version ${known.version}, cversion ${known.cversion}`;
}
