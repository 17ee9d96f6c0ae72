import type { Stat } from '@zookit/protocol';
import type { Acl } from './acl.ts';
import { Children } from './children.ts';

export type NodeKind = 'persistent' | 'ephemeral' | 'container' | 'ttl';

export interface NodeOrigin {
  data: Buffer | null;
  acl: readonly Acl[];
  kind: NodeKind;
  /** The session of an ephemeral node, else 0. */
  owner: bigint;
  /** Milliseconds without a change after which a TTL node without children goes, else 0. */
  ttl: number;
}

export class Znode {
  data: Buffer | null;
  acl: readonly Acl[];
  readonly kind: NodeKind;
  readonly owner: bigint;
  readonly ttl: number;
  readonly children: Children = new Children();
  readonly czxid: bigint;
  readonly ctime: number;
  mzxid: bigint;
  mtime: number;
  pzxid: bigint;
  version = 0;
  aversion = 0;
  /** How many children were ever made here: the number of the next sequential one. */
  creates = 0;

  constructor(origin: NodeOrigin, zxid: bigint, time: number) {
    this.data = origin.data;
    this.acl = origin.acl;
    this.kind = origin.kind;
    this.owner = origin.owner;
    this.ttl = origin.ttl;
    this.czxid = zxid;
    this.mzxid = zxid;
    this.pzxid = zxid;
    this.ctime = time;
    this.mtime = time;
  }

  stat(): Stat {
    return {
      czxid: this.czxid,
      mzxid: this.mzxid,
      ctime: BigInt(this.ctime),
      mtime: BigInt(this.mtime),
      version: this.version,
      // Clients see creates and deletes; for every create there was a delete, except for the children still here.
      cversion: (this.creates * 2 - this.children.size) | 0,
      aversion: this.aversion,
      ephemeralOwner: this.owner,
      dataLength: this.data === null ? 0 : this.data.length,
      numChildren: this.children.size,
      pzxid: this.pzxid,
    };
  }
}
