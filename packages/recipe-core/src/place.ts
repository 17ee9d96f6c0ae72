import type { Grant } from '@zookit/client/internal';

/** A znode of ours in a line, made in a session that was ours at that time. */
export interface Place {
  readonly path: string;
  readonly name: string;
  readonly czxid: bigint;
  /** The session that owns it. */
  readonly grant: Grant;
}
