import type { Stat } from '@zookit/client';
import { nameOf, parentOf } from '@zookit/client/internal';
import { childOf } from '@zookit/recipe-core/internal';

/** A znode as it was when it was last read. */
export interface CachedNode {
  readonly data: Buffer | null;
  /** Of that read: what it says of children and of the ACL may be older than the data. */
  readonly stat: Stat;
}

/** What a cache tells of a znode; of a deleted one, its last known data and stat. */
export interface CachedChange extends CachedNode {
  readonly path: string;
}

export type ChangeType = 'created' | 'changed' | 'deleted';

interface Entry {
  node: CachedNode;
  /** By name; null while there are none. */
  children: Set<string> | null;
}

/** A tree as a cache knows it. Every change to it is told, so that whoever replays them has the same tree: parents first, or last when they go. */
export class Image {
  readonly #root: string;
  readonly #entries = new Map<string, Entry>();
  readonly #tell: (type: ChangeType, change: CachedChange) => void;

  constructor(root: string, tell: (type: ChangeType, change: CachedChange) => void) {
    this.#root = root;
    this.#tell = tell;
  }

  has(path: string): boolean {
    return this.#entries.has(path);
  }

  get(path: string): CachedNode | undefined {
    return this.#entries.get(path)?.node;
  }

  /** The names of the children, sorted. */
  children(path: string): string[] {
    return [...(this.#entries.get(path)?.children ?? [])].sort();
  }

  *entries(): Iterable<[string, CachedNode]> {
    for (const [path, { node }] of this.#entries) yield [path, node];
  }

  /** Takes what was read; true when it is another znode than before at that path, or the first. The parent must be there. */
  put(path: string, node: CachedNode): boolean {
    const known = this.#entries.get(path);
    if (known !== undefined && isSameNode(known.node.stat, node.stat)) {
      const isChanged = !isSameData(known.node.stat, node.stat);
      known.node = node;
      if (isChanged) this.#tell('changed', { path, ...node });
      return false;
    }
    if (known !== undefined) this.delete(path);
    this.#entries.set(path, { node, children: null });
    const parent = this.#parent(path);
    if (parent !== undefined) {
      parent.children ??= new Set();
      parent.children.add(nameOf(path));
    }
    this.#tell('created', { path, ...node });
    return true;
  }

  /** Takes a znode away, with all that is below it. */
  delete(path: string): void {
    const entry = this.#entries.get(path);
    if (entry === undefined) return;
    for (const name of entry.children ?? []) this.delete(childOf(path, name));
    this.#entries.delete(path);
    this.#parent(path)?.children?.delete(nameOf(path));
    this.#tell('deleted', { path, ...entry.node });
  }

  /** Takes those children away that are not among the names. */
  keepChildren(path: string, names: ReadonlySet<string>): void {
    for (const name of this.#entries.get(path)?.children ?? []) {
      if (!names.has(name)) this.delete(childOf(path, name));
    }
  }

  /** Forgets everything and tells nothing. */
  clear(): void {
    this.#entries.clear();
  }

  #parent(path: string): Entry | undefined {
    return path === this.#root ? undefined : this.#entries.get(parentOf(path));
  }
}

/** The times are for an ensemble whose data were wiped, and which counts its zxids anew. */
function isSameNode(a: Stat, b: Stat): boolean {
  return a.czxid === b.czxid && a.ctime === b.ctime;
}

function isSameData(a: Stat, b: Stat): boolean {
  return a.mzxid === b.mzxid && a.mtime === b.mtime;
}
