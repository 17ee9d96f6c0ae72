import type { Kind } from './kinds.ts';

/** What a contender is started with. */
export interface ContenderTerms {
  name: string;
  kind: Kind;
  connectString: string;
  /** In ms. */
  sessionTimeout: number;
  /** What is fought for. */
  path: string;
  /** A znode that holders write to. */
  resource: string;
  /** How long it works under a hold, in ms. */
  work: number;
  record: string;
}

/** What a contender tells the arena. `write`: to the resource that checks tokens; answered by a `written` with the same number. */
export type ContenderMessage =
  | { what: 'ready' }
  | { what: 'granted'; at: bigint }
  | { what: 'ended' }
  | { what: 'write'; number: number; token: bigint };

export type Order = { order: 'written'; number: number; accepted: boolean } | { order: 'stop' };
