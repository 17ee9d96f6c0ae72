import { closeSync, openSync, writeSync } from 'node:fs';

/** A stretch in which a contender held, by its own record; times in nanoseconds of the system's monotonic clock. */
export interface Hold {
  contender: string;
  token: bigint;
  from: bigint;
  /** When it let go, was told that it holds no more, or was surely dead. */
  to: bigint;
  /** When it last looked and held. */
  seen: bigint;
  /** `open`: it left no word, and is not known to be dead. */
  end: 'released' | 'lost' | 'killed' | 'open';
}

/** A write to a resource that refuses tokens smaller than the largest that it has seen. */
export interface TokenWrite {
  contender: string;
  token: bigint;
  sent: bigint;
  answered: bigint;
  accepted: boolean;
}

/** A transaction to which the hold had added its guard. */
export interface GuardedWrite {
  contender: string;
  token: bigint;
  begun: bigint;
  /** The contender knew by then that it holds no more. */
  late: boolean;
  /** Of the write, when it was applied; null when it failed, or nobody knows. */
  zxid: bigint | null;
}

export interface ContenderHistory {
  contender: string;
  holds: Hold[];
  tokenWrites: TokenWrite[];
  guardedWrites: GuardedWrite[];
}

/** A line of a contender's record. Numbers are text: they may have 64 bits. */
export type Line =
  | { what: 'granted'; token: string; at: string }
  | { what: 'ended'; token: string; at: string; seen: string; end: 'released' | 'lost' }
  | { what: 'token write'; token: string; sent: string; answered: string; accepted: boolean }
  | { what: 'guarded write'; token: string; begun: string; late: boolean; zxid: string | null; outcome: string };

/** After every time that a record may name. */
export const FOREVER: bigint = 2n ** 63n;

/** One JSON object a line. Each is with the system before the call returns: kill -9 takes nothing back. */
export class LineFile<Entry> {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'ax');
  }

  write(entry: Entry): void {
    writeSync(this.#file, `${JSON.stringify(entry)}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/**
 * A contender's record. What a dead process left open ends at `deadAt`, when it was surely gone: that may be later than
 * its last instruction, and is never earlier. Throws on a line that is not whole.
 */
export function readHistory(contender: string, text: string, deadAt: bigint | null): ContenderHistory {
  const history: ContenderHistory = { contender, holds: [], tokenWrites: [], guardedWrites: [] };
  for (const source of text.split('\n').filter((each) => each !== '')) {
    const line = JSON.parse(source) as Line;
    const token = BigInt(line.token);
    if (line.what === 'granted') {
      const from = BigInt(line.at);
      const end = deadAt === null ? 'open' : 'killed';
      history.holds.push({ contender, token, from, to: deadAt ?? FOREVER, seen: from, end });
    } else if (line.what === 'ended') {
      const hold = history.holds.at(-1);
      if (hold?.token !== token) throw new Error(`${contender} ended what it never held: ${source}`);
      Object.assign(hold, { to: BigInt(line.at), seen: BigInt(line.seen), end: line.end });
    } else if (line.what === 'token write') {
      const [sent, answered] = [BigInt(line.sent), BigInt(line.answered)];
      history.tokenWrites.push({ contender, token, sent, answered, accepted: line.accepted });
    } else {
      const zxid = line.zxid === null ? null : BigInt(line.zxid);
      history.guardedWrites.push({ contender, token, begun: BigInt(line.begun), late: line.late, zxid });
    }
  }
  return history;
}
