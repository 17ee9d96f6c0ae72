import { ErrorCode } from '@zookit/protocol';
import type { Acl } from './acl.ts';
import type { DataTree } from './data-tree.ts';
import { Refusal } from './refusal.ts';

/** A node as the next operation of a transaction will find it. */
export interface NodeOutlook {
  readonly acl: readonly Acl[];
  readonly version: number;
  readonly aversion: number;
  readonly creates: number;
  readonly childCount: number;
  readonly ephemeral: boolean;
}

/** The tree with the changes of a transaction that is being prepared: what is found wrong later leaves no trace. */
export class PendingChanges {
  readonly #tree: DataTree;
  readonly #changed = new Map<string, NodeOutlook | null>();

  constructor(tree: DataTree) {
    this.#tree = tree;
  }

  find(path: string): NodeOutlook | null {
    const changed = this.#changed.get(keyOf(path));
    if (changed !== undefined) return changed;
    const node = this.#tree.get(path);
    if (node === undefined) return null;
    const { acl, version, aversion, creates, kind } = node;
    return { acl, version, aversion, creates, childCount: node.children.size, ephemeral: kind === 'ephemeral' };
  }

  /** The node, or a refusal with NO_NODE. */
  expect(path: string): NodeOutlook {
    const node = this.find(path);
    if (node === null) throw new Refusal(ErrorCode.NO_NODE);
    return node;
  }

  change(path: string, outlook: NodeOutlook | null): void {
    this.#changed.set(keyOf(path), outlook);
  }
}

/** Both '' and '/' are the root. */
function keyOf(path: string): string {
  return path === '' ? '/' : path;
}

/** The version after this one, when it is the expected one (-1: any). Versions are signed and wrap. */
export function nextVersion(current: number, expected: number): number {
  if (expected !== -1 && expected !== current) throw new Refusal(ErrorCode.BAD_VERSION);
  return (current + 1) | 0;
}
