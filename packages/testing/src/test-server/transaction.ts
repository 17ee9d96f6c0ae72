import type { Stat } from '@zookit/protocol';
import type { Acl } from './acl.ts';
import type { DataTree } from './data-tree.ts';
import type { NodeOrigin } from './node.ts';

/** A change that was found valid. */
export type Change =
  | { readonly kind: 'create'; path: string; parent: string; origin: NodeOrigin; creates: number }
  | { readonly kind: 'delete'; path: string; parent: string }
  | { readonly kind: 'set-data'; path: string; data: Buffer | null; version: number }
  | { readonly kind: 'set-acl'; path: string; acl: readonly Acl[]; aversion: number }
  | { readonly kind: 'check'; path: string };

export interface Applied {
  readonly path: string;
  /** Null where the change has none: delete and check. */
  readonly stat: Stat | null;
}

export function applyChange(tree: DataTree, change: Change, zxid: bigint, time: number): Applied {
  const { path } = change;
  switch (change.kind) {
    case 'create':
      return { path, stat: tree.create(path, change.parent, change.origin, change.creates, zxid, time) };
    case 'delete':
      tree.delete(path, change.parent, zxid);
      return { path, stat: null };
    case 'set-data':
      return { path, stat: tree.setData(path, change.data, change.version, zxid, time) };
    case 'set-acl':
      return { path, stat: tree.setAcl(path, change.acl, change.aversion) };
    case 'check':
      return { path, stat: null };
  }
}
