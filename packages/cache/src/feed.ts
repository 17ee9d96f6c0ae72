import type { Stat } from '@zookit/client';
import type { CachedNode } from './image.ts';

/** What a feed has to tell. Events and the replies of reads come in the order in which the server sent them. */
export interface FeedHandlers {
  /** A znode is new, or its data are. */
  onTouched(path: string): void;
  /** A znode's children are others than before. */
  onChildren(path: string): void;
  onGone(path: string): void;
  /** Changes may have been missed; from now on none is. */
  onResync(): void;
  /** The feed is over: nothing is told any more. */
  onEnd(): void;
}

/** Reads znodes and hears of their changes. */
export interface Feed {
  /** Null when it is missing. */
  get(path: string): Promise<CachedNode | null>;
  /** Null when the znode is missing. */
  children(path: string): Promise<string[] | null>;
  /** Whether the children must be asked for; otherwise there are none. */
  mayHaveChildren(stat: Stat): boolean;
  /** Resolves when the server has forgotten what was set for it. */
  close(): Promise<void>;
}
