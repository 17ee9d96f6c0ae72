import { EventType } from '@zookit/protocol';
import type { Acl } from './acl.ts';
import { selfAndAncestors } from './paths.ts';
import type { ServerEvent, Watcher } from './watch-event.ts';

export const WatchMode = { standard: 1, persistent: 2, recursive: 4 } as const;
export type WatchMode = (typeof WatchMode)[keyof typeof WatchMode];

/** Who watches which path, and how: one table for the nodes' data, another for their children. */
export class WatchTable {
  /** For each path its watchers, each with the modes it has there as a set of bits. */
  readonly #byPath = new Map<string, Map<Watcher, number>>();
  readonly #pathsOf = new Map<Watcher, Set<string>>();
  /** Up to 3.8 a watcher has one mode on a path, whichever came last (ZOOKEEPER-4466). */
  readonly #oneMode: boolean;

  constructor(oneMode: boolean) {
    this.#oneMode = oneMode;
  }

  add(path: string, watcher: Watcher, mode: WatchMode): void {
    let watchers = this.#byPath.get(path);
    if (watchers === undefined) {
      watchers = new Map();
      this.#byPath.set(path, watchers);
    }
    const before = this.#oneMode ? 0 : (watchers.get(watcher) ?? 0);
    watchers.set(watcher, before | mode);
    const paths = this.#pathsOf.get(watcher);
    if (paths === undefined) this.#pathsOf.set(watcher, new Set([path]));
    else paths.add(path);
  }

  has(path: string, watcher: Watcher, mode: WatchMode | null): boolean {
    const modes = this.modesOf(path, watcher);
    return mode === null || this.#oneMode ? modes !== 0 : (modes & mode) !== 0;
  }

  /** Whether anybody watches that path. */
  hasAny(path: string): boolean {
    return this.#byPath.has(path);
  }

  /** The modes that a watcher has on a path, as a set of bits. */
  modesOf(path: string, watcher: Watcher): number {
    return this.#byPath.get(path)?.get(watcher) ?? 0;
  }

  /** How many pairs of a path and a watcher there are, whatever their modes. */
  get size(): number {
    let size = 0;
    for (const watchers of this.#byPath.values()) size += watchers.size;
    return size;
  }

  /** Takes one mode back, or all of them; false when there was nothing to take. */
  remove(path: string, watcher: Watcher, mode: WatchMode | null): boolean {
    if (!this.has(path, watcher, mode)) return false;
    const left = mode === null || this.#oneMode ? 0 : this.modesOf(path, watcher) & ~mode;
    this.#set(path, watcher, left);
    return true;
  }

  removeAll(watcher: Watcher): void {
    for (const path of this.#pathsOf.get(watcher) ?? []) this.#set(path, watcher, 0);
  }

  /**
   * Tells everybody whom the event concerns, except those told already, and uses their one-shot watches up.
   * @returns those whom it concerned
   */
  trigger(event: ServerEvent, acl: readonly Acl[], told?: ReadonlySet<Watcher>): Set<Watcher> {
    const concerned = new Set<Watcher>();
    for (const path of selfAndAncestors(event.path)) {
      for (const [watcher, modes] of this.#byPath.get(path) ?? []) {
        const recursive = (modes & WatchMode.recursive) !== 0 && event.type !== EventType.children;
        const here = path === event.path && (modes & (WatchMode.standard | WatchMode.persistent)) !== 0;
        if (recursive || here) concerned.add(watcher);
        if (here) this.#set(path, watcher, modes & ~WatchMode.standard);
      }
    }
    for (const watcher of concerned) {
      if (told?.has(watcher) !== true) watcher.notify(event, acl);
    }
    return concerned;
  }

  *entries(): Generator<{ path: string; watcher: Watcher; modes: number }> {
    for (const [path, watchers] of this.#byPath) {
      for (const [watcher, modes] of watchers) yield { path, watcher, modes };
    }
  }

  get watchers(): Iterable<Watcher> {
    return this.#pathsOf.keys();
  }

  #set(path: string, watcher: Watcher, modes: number): void {
    const watchers = this.#byPath.get(path);
    if (watchers === undefined) return;
    if (modes !== 0) {
      watchers.set(watcher, modes);
      return;
    }
    watchers.delete(watcher);
    if (watchers.size === 0) this.#byPath.delete(path);
    const paths = this.#pathsOf.get(watcher);
    paths?.delete(path);
    if (paths?.size === 0) this.#pathsOf.delete(watcher);
  }
}
