import { type Paint, paintFor } from './paint.ts';

/** Where the demo writes. */
export interface Terminal {
  write: (text: string) => void;
  paint: Paint;
  /** Characters a line. */
  columns: number;
}

const NARROW = 50;
const USUAL = 90;

export function terminalOn(stream: NodeJS.WriteStream, noColor: boolean): Terminal {
  const columns = stream.isTTY ? Math.min(USUAL, Math.max(NARROW, stream.columns)) : USUAL;
  return { write: (text) => stream.write(text), paint: paintFor(stream, noColor), columns };
}
