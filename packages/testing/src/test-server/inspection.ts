import type { Stat } from '@zookit/protocol';
import type { Acl } from './acl.ts';
import type { Database } from './database.ts';
import type { NodeKind } from './node.ts';
import type { Watcher } from './watch-event.ts';
import { WatchMode } from './watch-table.ts';

export interface NodeView {
  readonly path: string;
  readonly data: Buffer | null;
  readonly acl: readonly Acl[];
  readonly stat: Stat;
  readonly kind: NodeKind;
  /** Milliseconds, of a TTL node; else 0. */
  readonly ttl: number;
  /** In the order in which the server lists them, which is no order. */
  readonly children: readonly string[];
}

export interface WatchView {
  readonly path: string;
  /** `exist` is a data watch on a node that is not there. */
  readonly kind: 'data' | 'exist' | 'child' | 'persistent' | 'recursive';
  readonly sessionId: bigint;
}

export function viewNode({ tree }: Database, path: string): NodeView | null {
  const node = tree.get(path);
  if (node === undefined) return null;
  const { kind, ttl, acl } = node;
  const data = node.data === null ? null : Buffer.from(node.data);
  return { path, data, acl: structuredClone(acl), stat: node.stat(), kind, ttl, children: node.children.list() };
}

/** All nodes at and under the path with their data as text, by path in order; the server's own /zookeeper left out. */
export function dumpTree({ tree }: Database, root: string): Record<string, string | null> {
  const prefix = root === '/' ? '/' : `${root}/`;
  const inside = (path: string) => path === root || path.startsWith(prefix);
  const own = (path: string) => path === '/' || path === '/zookeeper' || path.startsWith('/zookeeper/');
  const paths = [...tree.paths()].filter((path) => inside(path) && !own(path)).sort();
  return Object.fromEntries(paths.map((path) => [path, tree.get(path)?.data?.toString() ?? null]));
}

/** Every watch once, though a persistent one sits in two tables; also one that has lost one half. */
export function listWatches(database: Database, sessionOf: (watcher: Watcher) => bigint): WatchView[] {
  const { tree, watches } = database;
  const views: WatchView[] = [];
  for (const { path, watcher, modes } of watches.data.entries()) {
    const sessionId = sessionOf(watcher);
    const kind = tree.get(path) === undefined ? 'exist' : 'data';
    if ((modes & WatchMode.standard) !== 0) views.push({ path, kind, sessionId });
    if ((modes & WatchMode.persistent) !== 0) views.push({ path, kind: 'persistent', sessionId });
    if ((modes & WatchMode.recursive) !== 0) views.push({ path, kind: 'recursive', sessionId });
  }
  for (const { path, watcher, modes } of watches.child.entries()) {
    const sessionId = sessionOf(watcher);
    const alone = modes & ~watches.data.modesOf(path, watcher);
    if ((modes & WatchMode.standard) !== 0) views.push({ path, kind: 'child', sessionId });
    if ((alone & WatchMode.persistent) !== 0) views.push({ path, kind: 'persistent', sessionId });
    if ((alone & WatchMode.recursive) !== 0) views.push({ path, kind: 'recursive', sessionId });
  }
  return views;
}
