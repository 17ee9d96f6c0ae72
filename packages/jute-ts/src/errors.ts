/**
 * Bytes that are not the record they should be: too few of them, or a length that cannot be true.
 * The message says which record, which field and where.
 */
export class JuteError extends Error {
  override readonly name: string = 'JuteError';
  /** The record being read; absent where a bare value was read. */
  readonly record?: string;
  readonly field: string;
  /** Where the field starts, in bytes from where the reader started. */
  readonly offset: number;

  /** @param path `Record.field`, or a field alone */
  constructor(path: string, offset: number, problem: string) {
    super(`${path} at byte ${offset}: ${problem}`);
    const dot = path.lastIndexOf('.');
    if (dot > 0) this.record = path.slice(0, dot);
    this.field = path.slice(dot + 1);
    this.offset = offset;
  }
}

/** Text that is not Jute, or Jute that TypeScript cannot be made of. Lines and columns count from 1. */
export class JuteSyntaxError extends Error {
  override readonly name: string = 'JuteSyntaxError';
  readonly file: string;
  readonly line: number;
  readonly column: number;

  constructor(problem: string, at: { file: string; line: number; column: number }) {
    super(`${at.file}:${at.line}:${at.column}: ${problem}`);
    this.file = at.file;
    this.line = at.line;
    this.column = at.column;
  }
}
