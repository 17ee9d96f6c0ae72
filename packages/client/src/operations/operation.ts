import type { JuteReader, JuteWriter } from 'jute-ts';

/** What one kind of request is: its wire form, and what may be done with it when things go wrong. */
export interface Operation<Args, Result> {
  /** The client's method, for messages. */
  readonly name: string;
  readonly opcode: number;
  /** Whether it may be sent again when its reply was lost: it changes nothing, or nothing more the second time. */
  readonly repeatable: boolean;
  /** Whether it may be sent again after an answer that says that it was not executed; default true. */
  readonly mayWait?: boolean;
  /** What the watch waits for that it may set. */
  readonly watches?: 'data' | 'child';
  /** Whether a missing znode is an answer (null) rather than an error; a watch then waits for the znode to appear. */
  readonly absentIsNull?: boolean;
  write(writer: JuteWriter, args: Args): void;
  read(reader: JuteReader, args: Args): Result;
}
