import { closeSync, openSync, writeSync } from 'node:fs';

/** How a hold ended: the service let go of it, was told that it is lost, or died under it. `open`: nobody knows. */
export type HoldEnd = 'released' | 'lost' | 'killed' | 'open';

/** A stretch of the monotonic clock, in nanoseconds. */
export interface Span {
  from: bigint;
  to: bigint;
}

export interface Hold extends Span {
  service: string;
  token: bigint;
  end: HoldEnd;
}

/** What one service has written down about itself. */
export interface ServiceRecords {
  service: string;
  holds: Hold[];
  waits: Span[];
  /** When the process was surely gone; null for one that ended in good order. */
  deadAt: bigint | null;
}

/** After every time that a record may name. */
export const FOREVER: bigint = 2n ** 63n;

type Line =
  | { what: 'queued'; at: string }
  | { what: 'granted'; token: string; from: string }
  | { what: 'ended'; token: string; to: string; why: 'released' | 'lost' };

/** A service's own record, one JSON object a line. Each write is with the system before the call returns: kill -9 takes nothing back. */
export class RecordFile {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'ax');
  }

  queued(at: bigint): void {
    this.#write({ what: 'queued', at: String(at) });
  }

  granted(token: bigint, from: bigint): void {
    this.#write({ what: 'granted', token: String(token), from: String(from) });
  }

  ended(token: bigint, to: bigint, why: 'released' | 'lost'): void {
    this.#write({ what: 'ended', token: String(token), to: String(to), why });
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(line: Line): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

/**
 * Holds and waits out of a record's text. What a dead process left open ends at `deadAt`, when it was surely gone: that may
 * be later than its last instruction and is never earlier. What one that is not known to be dead left open has no end.
 *
 * Throws on a line that is not whole.
 */
export function readRecords(service: string, text: string, deadAt: bigint | null): ServiceRecords {
  const holds: Hold[] = [];
  const waits: Span[] = [];
  let queuedAt: bigint | null = null;
  let last: Hold | null = null;
  for (const source of text.split('\n').filter((each) => each !== '')) {
    const line = JSON.parse(source) as Line;
    if (line.what === 'queued') {
      queuedAt = BigInt(line.at);
    } else if (line.what === 'granted') {
      const from = BigInt(line.from);
      if (queuedAt !== null) waits.push({ from: queuedAt, to: from });
      queuedAt = null;
      const end: HoldEnd = deadAt === null ? 'open' : 'killed';
      last = { service, token: BigInt(line.token), from, to: deadAt ?? FOREVER, end };
      holds.push(last);
    } else {
      if (last === null || last.token !== BigInt(line.token)) throw new Error(`${service} ended what it never held`);
      last.to = BigInt(line.to);
      last.end = line.why;
      last = null;
    }
  }
  if (queuedAt !== null) waits.push({ from: queuedAt, to: deadAt ?? FOREVER });
  return { service, holds, waits, deadAt };
}
