import { parentOf } from '@zookit/client/internal';
import { childOf } from '@zookit/recipe-core/internal';
import type { Feed } from './feed.ts';
import type { CachedNode, Image } from './image.ts';
import type { Scope } from './scope.ts';

/** Reads under way at once: enough to keep the link busy, few enough to leave room for the client's other calls. */
const WINDOW = 256;

// What is to be read of a znode, and whether a load waits for it.
const NODE = 1;
const CHILDREN = 2;
const LOAD = 4;

export interface LoaderHandlers {
  /** All that was there when the load began has been read. */
  onLoaded(): void;
  /** A read failed; true when it says nothing of the znode, and the load must be done again. */
  onFailure(path: string, error: unknown): boolean;
}

/**
 * Reads znodes into an image: on request, many at a time, and each in the order in which it became known that it has to be read. A reply
 * shows the znode later than all events before it, so what arrives last is right.
 */
export class Loader {
  readonly #feed: Feed;
  readonly #image: Image;
  readonly #scope: Scope;
  readonly #handlers: LoaderHandlers;
  /** What is to be read, by path, in order. */
  readonly #queue = new Map<string, number>();
  /** One iterator for as long as it lasts: finding the first of a map from which many were deleted takes long. */
  #next: Iterator<[string, number]> | null = null;
  #reading = 0;
  /** Number of the present load; reads of an earlier one don't count for it. */
  #load = 0;
  /** Reads that the present load waits for. */
  #awaited = 0;
  #isClosed = false;

  constructor(feed: Feed, image: Image, scope: Scope, handlers: LoaderHandlers) {
    this.#feed = feed;
    this.#image = image;
    this.#scope = scope;
    this.#handlers = handlers;
  }

  /** Reads everything (again). */
  load(): void {
    this.interrupt();
    this.#add(this.#scope.root, NODE | LOAD);
    this.#pump();
  }

  /** Gives the present load up. */
  interrupt(): void {
    this.#queue.clear();
    this.#next = null;
    this.#load += 1;
    this.#awaited = 0;
  }

  /** What is being read comes to nothing. */
  close(): void {
    this.interrupt();
    this.#isClosed = true;
  }

  readNode(path: string): void {
    this.#add(path, NODE);
    this.#pump();
  }

  readChildren(path: string): void {
    this.#add(path, CHILDREN);
    this.#pump();
  }

  #add(path: string, need: number): void {
    const before = this.#queue.get(path) ?? 0;
    if ((need & ~before & LOAD) !== 0) this.#awaited += 1;
    this.#queue.set(path, before | need);
  }

  #pump(): void {
    while (this.#reading < WINDOW && this.#queue.size > 0) {
      this.#next ??= this.#queue.entries();
      const { done, value } = this.#next.next();
      if (done === true) {
        this.#next = null;
        continue;
      }
      const [path, need] = value;
      this.#queue.delete(path);
      this.#reading += 1;
      const load = (need & LOAD) === 0 ? null : this.#load;
      this.#read(path, need, load).then(
        () => this.#done(load, false),
        (error: unknown) => {
          if (!this.#isClosed) this.#done(load, this.#handlers.onFailure(path, error));
        },
      );
    }
  }

  #done(load: number | null, again: boolean): void {
    this.#reading -= 1;
    if (load === this.#load) {
      if (again) this.interrupt();
      else {
        this.#awaited -= 1;
        if (this.#awaited === 0) this.#handlers.onLoaded();
      }
    }
    this.#pump();
  }

  async #read(path: string, need: number, load: number | null): Promise<void> {
    let lists = (need & CHILDREN) !== 0;
    if ((need & NODE) !== 0) {
      const node = await this.#feed.get(path);
      if (this.#isClosed) return;
      if (this.#take(path, node, load !== null)) lists = true;
    }
    if (!lists || !this.#scope.reachesBelow(path)) return;
    const names = await this.#feed.children(path);
    if (names !== null && !this.#isClosed) this.#takeChildren(path, names, load);
  }

  /** True when its children must be read. */
  #take(path: string, node: CachedNode | null, isLoad: boolean): boolean {
    if (node === null) {
      this.#image.delete(path);
      return false;
    }
    // Its parent is on its way, or not in the cache. When it comes, its children are read.
    if (path !== this.#scope.root && !this.#image.has(parentOf(path))) return false;
    const isNew = this.#image.put(path, node);
    if (!isNew && !isLoad) return false;
    if (this.#feed.mayHaveChildren(node.stat)) return true;
    this.#image.keepChildren(path, new Set());
    return false;
  }

  #takeChildren(path: string, names: readonly string[], load: number | null): void {
    if (!this.#image.has(path)) return;
    this.#image.keepChildren(path, new Set(names));
    const isLoad = load !== null && load === this.#load;
    for (const name of names) {
      const child = childOf(path, name);
      if (!isLoad && this.#image.has(child)) continue;
      if (this.#scope.includesChild(child)) this.#add(child, isLoad ? NODE | LOAD : NODE);
    }
  }
}
