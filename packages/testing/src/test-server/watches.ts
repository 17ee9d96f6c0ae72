import { EventType, WatcherType } from '@zookit/protocol';
import type { Acl } from './acl.ts';
import { noZxid, type ServerEvent, type Watcher } from './watch-event.ts';
import { WatchMode, WatchTable } from './watch-table.ts';

/** What a client brings when it comes back on a new connection. */
export interface WatchesToRestore {
  relativeZxid: bigint;
  data: readonly string[];
  exist: readonly string[];
  child: readonly string[];
  persistent: readonly string[];
  recursive: readonly string[];
}

/** What catching up needs to know of a node. */
export type LastChanges = (path: string) => { mzxid: bigint; pzxid: bigint } | undefined;

/** All watches of the server, set, fired and taken back as Apache's DataTree does. */
export class Watches {
  readonly data: WatchTable;
  readonly child: WatchTable;
  readonly #oneMode: boolean;
  readonly #checksAnybody: boolean;

  /** @param checksAnybody whether checkWatches takes anybody's watch on the path for the caller's, of whatever kind */
  constructor(oneMode: boolean, checksAnybody: boolean) {
    this.#oneMode = oneMode;
    this.#checksAnybody = checksAnybody;
    this.data = new WatchTable(oneMode);
    this.child = new WatchTable(oneMode);
  }

  addPersistent(path: string, watcher: Watcher): void {
    this.data.add(path, watcher, WatchMode.persistent);
    this.child.add(path, watcher, WatchMode.persistent);
  }

  addRecursive(path: string, watcher: Watcher): void {
    this.data.add(path, watcher, WatchMode.recursive);
    // Before 3.9 it also took the one place that the path has in the child table.
    if (this.#oneMode) this.child.add(path, watcher, WatchMode.recursive);
  }

  /** Tells the watcher what it missed; what did not change is watched again. Persistent watches miss without notice. */
  restore(wanted: WatchesToRestore, watcher: Watcher, lastChanges: LastChanges): void {
    const tell = (type: number, path: string): void => watcher.notify({ type, path, zxid: noZxid }, null);
    for (const path of wanted.data) {
      const node = lastChanges(path);
      if (node === undefined) tell(EventType.deleted, path);
      else if (node.mzxid > wanted.relativeZxid) tell(EventType.changed, path);
      else this.data.add(path, watcher, WatchMode.standard);
    }
    for (const path of wanted.exist) {
      if (lastChanges(path) !== undefined) tell(EventType.created, path);
      else this.data.add(path, watcher, WatchMode.standard);
    }
    for (const path of wanted.child) {
      const node = lastChanges(path);
      if (node === undefined) tell(EventType.deleted, path);
      else if (node.pzxid > wanted.relativeZxid) tell(EventType.children, path);
      else this.child.add(path, watcher, WatchMode.standard);
    }
    for (const path of wanted.persistent) this.addPersistent(path, watcher);
    for (const path of wanted.recursive) this.addRecursive(path, watcher);
  }

  has(path: string, type: number, watcher: Watcher): boolean {
    return this.#tablesOf(type).some(({ table, mode }) =>
      this.#checksAnybody ? table.hasAny(path) : table.has(path, watcher, mode),
    );
  }

  remove(path: string, type: number, watcher: Watcher): boolean {
    const removed = this.#tablesOf(type).map(({ table, mode }) => table.remove(path, watcher, mode));
    return removed.includes(true);
  }

  removeAll(watcher: Watcher): void {
    this.data.removeAll(watcher);
    this.child.removeAll(watcher);
  }

  created(path: string, parent: string, zxid: bigint, acl: readonly Acl[], parentAcl: readonly Acl[]): void {
    this.data.trigger({ type: EventType.created, path, zxid }, acl);
    this.child.trigger({ type: EventType.children, path: parent, zxid }, parentAcl);
  }

  deleted(path: string, parent: string, zxid: bigint, acl: readonly Acl[], parentAcl: readonly Acl[]): void {
    const event: ServerEvent = { type: EventType.deleted, path, zxid };
    const told = this.data.trigger(event, acl);
    this.child.trigger(event, acl, told);
    this.child.trigger({ type: EventType.children, path: parent, zxid }, parentAcl);
  }

  dataChanged(path: string, zxid: bigint, acl: readonly Acl[]): void {
    this.data.trigger({ type: EventType.changed, path, zxid }, acl);
  }

  // Every table that the type names, so that none is left half removed.
  #tablesOf(type: number): { table: WatchTable; mode: WatchMode | null }[] {
    const both = (mode: WatchMode | null) => [this.child, this.data].map((table) => ({ table, mode }));
    switch (type) {
      case WatcherType.children:
        return [{ table: this.child, mode: WatchMode.standard }];
      case WatcherType.data:
        return [{ table: this.data, mode: WatchMode.standard }];
      case WatcherType.persistent:
        return both(WatchMode.persistent);
      case WatcherType.persistentRecursive:
        return [{ table: this.data, mode: WatchMode.recursive }];
      default:
        return both(null);
    }
  }
}
