import { ErrorCode, type Stat } from '@zookit/protocol';
import { type Acl, openAcl, readOnlyAcl } from './acl.ts';
import { type NodeOrigin, Znode } from './node.ts';
import { nameOf } from './paths.ts';
import { Refusal } from './refusal.ts';
import type { Watches } from './watches.ts';

const serverOwn: NodeOrigin = { data: Buffer.alloc(0), acl: openAcl, kind: 'persistent', owner: 0n, ttl: 0 };

/** The znodes. Applies changes that were already found valid, and tells the watches. */
export class DataTree {
  /** The zxid of the last transaction that was processed, whether it changed anything or not. */
  lastZxid: bigint;
  readonly #nodes = new Map<string, Znode>();
  readonly #watches: Watches;
  /** By session. */
  readonly #ephemerals = new Map<bigint, Set<string>>();
  /** Paths of containers and TTL nodes, which the server deletes by itself. */
  readonly #reapable = new Set<string>();

  readonly #sequenceWraps: boolean;

  constructor(watches: Watches, lastZxid: bigint, sequenceWraps: boolean) {
    this.#watches = watches;
    this.#sequenceWraps = sequenceWraps;
    this.lastZxid = lastZxid;
    this.#addOwn('/');
    this.#addOwn('/zookeeper');
    this.#addOwn('/zookeeper/quota');
    this.#addOwn('/zookeeper/config');
    this.setAcl('/zookeeper/config', readOnlyAcl, -1);
  }

  /** Both '' and '/' are the root. */
  get(path: string): Znode | undefined {
    return this.#nodes.get(path === '' ? '/' : path);
  }

  /** The node, or a refusal with NO_NODE. */
  expect(path: string): Znode {
    const node = this.get(path);
    if (node === undefined) throw new Refusal(ErrorCode.NO_NODE);
    return node;
  }

  get size(): number {
    return this.#nodes.size;
  }

  paths(): IterableIterator<string> {
    return this.#nodes.keys();
  }

  get reapable(): ReadonlySet<string> {
    return this.#reapable;
  }

  ephemeralsOf(session: bigint): string[] {
    return [...(this.#ephemerals.get(session) ?? [])];
  }

  countDescendants(path: string): number {
    if (path === '/') return this.#nodes.size - 1;
    let count = 0;
    for (const candidate of this.#nodes.keys()) {
      if (candidate.startsWith(`${path}/`)) count += 1;
    }
    return count;
  }

  /** @param creates what the parent has counted once this child is made */
  create(path: string, parentPath: string, origin: NodeOrigin, creates: number, zxid: bigint, time: number): Stat {
    const parent = this.expect(parentPath);
    const node = new Znode(origin, zxid, time);
    // After 2^31 - 1 the count turns negative, which is never larger: from 3.6 on it stays where it is.
    if (creates > parent.creates || this.#sequenceWraps) {
      parent.creates = creates;
      parent.pzxid = zxid;
    }
    parent.children.add(nameOf(path));
    this.#nodes.set(path, node);
    if (origin.kind === 'ephemeral') this.#ephemeralSet(origin.owner).add(path);
    else if (origin.kind !== 'persistent') this.#reapable.add(path);
    const stat = node.stat();
    this.#watches.created(path, parentPath === '' ? '/' : parentPath, zxid, node.acl, parent.acl);
    return stat;
  }

  delete(path: string, parentPath: string, zxid: bigint): void {
    const node = this.expect(path);
    const parent = this.expect(parentPath);
    parent.children.remove(nameOf(path));
    if (zxid > parent.pzxid) parent.pzxid = zxid;
    this.#nodes.delete(path);
    this.#reapable.delete(path);
    if (node.kind === 'ephemeral') {
      const own = this.#ephemeralSet(node.owner);
      own.delete(path);
      if (own.size === 0) this.#ephemerals.delete(node.owner);
    }
    this.#watches.deleted(path, parentPath === '' ? '/' : parentPath, zxid, node.acl, parent.acl);
  }

  setData(path: string, data: Buffer | null, version: number, zxid: bigint, time: number): Stat {
    const node = this.expect(path);
    node.data = data;
    node.version = version;
    node.mzxid = zxid;
    node.mtime = time;
    const stat = node.stat();
    this.#watches.dataChanged(path, zxid, node.acl);
    return stat;
  }

  setAcl(path: string, acl: readonly Acl[], aversion: number): Stat {
    const node = this.expect(path);
    node.acl = acl;
    node.aversion = aversion;
    return node.stat();
  }

  #ephemeralSet(session: bigint): Set<string> {
    const known = this.#ephemerals.get(session);
    if (known !== undefined) return known;
    const fresh = new Set<string>();
    this.#ephemerals.set(session, fresh);
    return fresh;
  }

  #addOwn(path: string): void {
    this.#nodes.set(path, new Znode(serverOwn, 0n, 0));
    if (path !== '/') this.#nodes.get(path.slice(0, path.lastIndexOf('/')) || '/')?.children.add(nameOf(path));
  }
}
