import { BadArgumentsError } from '@zookit/client';
import { childOf } from '@zookit/recipe-core/internal';

export interface ScopeOptions {
  /** How many levels below the root are kept. */
  depth: number;
  /** False leaves a znode out, and all below it. The root is not asked about. */
  filter?: ((path: string) => boolean) | undefined;
}

/** Which znodes a cache keeps. */
export class Scope {
  readonly root: string;
  readonly #depth: number;
  readonly #filter: ((path: string) => boolean) | undefined;
  readonly #onError: (error: unknown) => void;

  /** Throws BadArgumentsError. `onError` hears what the filter throws; the znode is left out then. */
  constructor(root: string, { depth, filter }: ScopeOptions, onError: (error: unknown) => void) {
    if (!(typeof depth === 'number' && depth >= 0))
      throw bad(root, `depth must be a number from 0 on, not ${String(depth)}`);
    if (filter !== undefined && typeof filter !== 'function') throw bad(root, 'filter must be a function');
    this.root = root;
    this.#depth = depth;
    this.#filter = filter;
    this.#onError = onError;
  }

  /** Whether it is kept, if its parents are there. */
  includes(path: string): boolean {
    const names = this.#namesBelow(path);
    if (names.length > this.#depth) return false;
    if (this.#filter === undefined) return true;
    let above = this.root;
    for (const name of names) {
      above = childOf(above, name);
      if (!this.includesChild(above)) return false;
    }
    return true;
  }

  /** Whether a child of a znode that is kept may be kept. */
  includesChild(path: string): boolean {
    try {
      return this.#filter === undefined || this.#filter(path);
    } catch (error) {
      this.#onError(error);
      return false;
    }
  }

  /** Whether children of a znode may be kept. */
  reachesBelow(path: string): boolean {
    return this.#depth === Number.POSITIVE_INFINITY || this.#namesBelow(path).length < this.#depth;
  }

  #namesBelow(path: string): string[] {
    if (path === this.root) return [];
    return path.slice(this.root === '/' ? 1 : this.root.length + 1).split('/');
  }
}

function bad(path: string, message: string): BadArgumentsError {
  return new BadArgumentsError('BAD_ARGUMENTS', { path, message });
}
