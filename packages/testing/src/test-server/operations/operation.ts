import type { JuteReader, JuteWriter } from 'jute-ts';
import type { Caller, Database, Prepare } from '../database.ts';
import type { Applied } from '../transaction.ts';

/** Writes the body of a reply; null where the reply is its header alone. */
export type Body = ((w: JuteWriter) => void) | null;

export interface ReadContext {
  readonly database: Database;
  readonly caller: Caller;
}

/** Answers a request that changes nothing in the tree, or throws a Refusal. */
export type Read = (r: JuteReader, context: ReadContext) => Body;

/** A write as it came off the wire. */
export interface Write {
  /** Null where there is none to tell: a multi, say. */
  readonly path: string | null;
  readonly prepare: Prepare;
  readonly reply: (applied: Applied) => Body;
  /** The type in the header of its result in a multi, and what follows there. */
  readonly resultType: number;
  readonly result: (applied: Applied) => Body;
}

export type DecodeWrite = (r: JuteReader, opcode: number, database: Database) => Write;
