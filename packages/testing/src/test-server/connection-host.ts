import type { Caller, Database } from './database.ts';
import type { ObservedRequest, ServerLogEntry } from './observe.ts';
import type { Session } from './sessions.ts';
import type { Ruling } from './verdict.ts';

/** What a connection needs from the member that accepted it. */
export interface ConnectionHost {
  readonly database: Database;
  readonly member: number;
  /** The highest byte of new session ids. */
  readonly serverId: number;
  readonly paused: boolean;
  /** Cut off from the quorum: reads only. */
  readonly readOnly: boolean;
  readonly minSessionTimeout: number;
  readonly maxSessionTimeout: number;
  readonly maxRequestBytes: number;
  /** Whether anybody wants to see requests; observing costs a second look at the bytes. */
  readonly observed: boolean;
  /** Never throws or rejects. */
  judge(request: ObservedRequest): Ruling | Promise<Ruling>;
  log(entry: Omit<ServerLogEntry, 'at' | 'member'>): void;
  /** The answer to a four-letter word; null when it is none. */
  fourLetterWord(word: string): string | null;
  /** A session that only this read-only member knows. */
  createLocalSession(timeout: number): Session;
  localSession(id: bigint): Session | undefined;
  /** Cuts whatever connection of the session this member has. */
  cutSession(id: bigint): void;
  /** Ends the session everywhere; its connections are cut, except the caller's. */
  endSession(id: bigint, caller: Caller): void;
  /** The connection is gone, or about to be. */
  left(caller: Caller): void;
}
