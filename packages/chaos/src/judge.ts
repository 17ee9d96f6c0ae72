import { milliseconds } from './clock.ts';
import type { ContenderHistory, GuardedWrite, Hold, TokenWrite } from './history.ts';

/** For what a busy machine may take to tell a process, in ns. */
const AT_ONCE = 3_000_000_000n;

/** A process stood still, from when it surely did until it was told to go on. */
export interface Stop {
  contender: string;
  from: bigint;
  to: bigint;
}

/** Somebody else deleted the znode by which the contender held. */
export interface Deposition {
  contender: string;
  /** Right before it was asked for. */
  at: bigint;
}

/** How things went on after the last fault. */
export interface Recovery {
  /** The last fault. */
  at: bigint;
  /** When an ensemble with one leader answered again. */
  electedAt: bigint;
  /** The next grant; null when there was none. */
  grantedAt: bigint | null;
  /** How long the grant may take from the fault, beside the election, in ms. */
  allowance: number;
}

export interface Case {
  histories: readonly ContenderHistory[];
  stops: readonly Stop[];
  depositions?: readonly Deposition[];
  /** The servers have lost their data on the way: what their numbers say of the order means nothing. */
  wiped?: boolean;
  recovery: Recovery | null;
  /** Znodes of contenders that were there when all of them had ended. */
  left: readonly string[];
  /** What went wrong with the run itself. */
  mishaps: readonly string[];
}

export interface Verdict {
  grants: number;
  lost: number;
  killed: number;
  /** Of writes with a token that was no longer the newest. */
  refusedTokens: number;
  /** Guarded writes that were begun after the hold had ended. */
  staleWrites: number;
  /** From the last fault to the next grant, and to the end of the election, in ms. */
  recovery: { grant: number | null; election: number } | null;
  /** In words; empty when all is well. */
  failures: readonly string[];
}

/** Judges a run by what its processes wrote down themselves, by one clock. */
export function judge({ histories, stops, depositions = [], wiped = false, recovery, left, mishaps }: Case): Verdict {
  const holds = histories.flatMap((history) =>
    history.holds.map((hold) => asDeposed(asItRan(hold, stops), depositions)),
  );
  holds.sort((a, b) => compare(a.from, b.from));
  const tokenWrites = histories.flatMap((history) => history.tokenWrites);
  const guardedWrites = histories.flatMap((history) => history.guardedWrites);
  const stale = guardedWrites.filter((write) => isStale(write, holds));
  const failures = [
    ...mishaps,
    ...overlaps(holds),
    ...(wiped ? [] : fallingTokens(holds)),
    ...holds.filter(({ end }) => end === 'open').map((hold) => `${named(hold)} left no word of how its hold ended`),
    ...(wiped ? [] : wronglyRefused(tokenWrites, holds)),
    ...(wiped ? [] : wronglyAccepted(tokenWrites)),
    ...stale.filter(({ zxid }) => zxid !== null).map(staleButApplied),
    ...(wiped ? [] : outOfOrder(guardedWrites)),
    ...(recovery === null ? [] : lateRecovery(recovery)),
    ...left.map((path) => `${path} was left behind`),
  ];
  return {
    grants: holds.length,
    lost: holds.filter(({ end }) => end === 'lost').length,
    killed: holds.filter(({ end }) => end === 'killed').length,
    refusedTokens: tokenWrites.filter(({ accepted }) => !accepted).length,
    staleWrites: guardedWrites.filter(({ late }) => late).length,
    recovery: recovery && {
      grant: recovery.grantedAt === null ? null : milliseconds(recovery.grantedAt - recovery.at),
      election: milliseconds(recovery.electedAt - recovery.at),
    },
    failures,
  };
}

/**
 * A process that stood still could not know: its hold ends at the last instant that it ran, unless it went on as a holder
 * afterwards.
 */
function asItRan(hold: Hold, stops: readonly Stop[]): Hold {
  const stop = stops.find(
    ({ contender, from, to }) =>
      contender === hold.contender && hold.end === 'lost' && hold.seen <= from && from > hold.from && to <= hold.to,
  );
  return stop === undefined ? hold : { ...hold, to: stop.from };
}

/**
 * Who takes a holder's znode away takes the hold, and nobody can be told of that before. The holder has to notice it at
 * once: what it takes a busy machine to tell it counts for nothing.
 */
function asDeposed(hold: Hold, depositions: readonly Deposition[]): Hold {
  const deposition = depositions.find(
    ({ contender, at }) =>
      contender === hold.contender && hold.end === 'lost' && hold.from < at && at < hold.to && hold.to - at < AT_ONCE,
  );
  return deposition === undefined ? hold : { ...hold, to: deposition.at };
}

/** Each hold against all that began before it, not only against the last one: a long hold may cover several. */
function overlaps(sorted: readonly Hold[]): string[] {
  const found: string[] = [];
  let running: Hold[] = [];
  for (const hold of sorted) {
    running = running.filter(({ to }) => to > hold.from);
    for (const other of running) {
      const [end = hold.to] = [other.to, hold.to].sort(compare);
      const ms = milliseconds(end - hold.from);
      found.push(`${named(other)} and ${named(hold)} held together for ${ms.toFixed(3)} ms`);
    }
    running.push(hold);
  }
  return found;
}

function fallingTokens(sorted: readonly Hold[]): string[] {
  return sorted.flatMap((hold, index) => {
    const before = sorted[index - 1];
    if (before === undefined || before.token < hold.token) return [];
    return [`the token did not grow from ${named(before)} to ${named(hold)}`];
  });
}

/** While it holds, nobody can have a larger token. */
function wronglyRefused(writes: readonly TokenWrite[], holds: readonly Hold[]): string[] {
  const holdOf = new Map(holds.map((hold) => [`${hold.contender} ${hold.token}`, hold]));
  return writes.flatMap((write) => {
    const hold = holdOf.get(`${write.contender} ${write.token}`);
    if (write.accepted || hold === undefined || write.sent < hold.from || write.answered > hold.to) return [];
    return [`${named(write)} held, and the resource had seen a larger token`];
  });
}

/** One write was answered before the next was sent, and still its token was larger. */
function wronglyAccepted(writes: readonly TokenWrite[]): string[] {
  const accepted = writes.filter((write) => write.accepted).sort((a, b) => compare(a.sent, b.sent));
  const answered = [...accepted].sort((a, b) => compare(a.answered, b.answered));
  const found: string[] = [];
  let largest: TokenWrite | null = null;
  let next = 0;
  for (const write of accepted) {
    for (let earlier = answered[next]; earlier && earlier.answered < write.sent; earlier = answered[next]) {
      if (largest === null || earlier.token > largest.token) largest = earlier;
      next += 1;
    }
    if (largest && largest.token > write.token) found.push(`the resource saw ${named(largest)}, then ${named(write)}`);
  }
  return found;
}

/** Another was granted after the writer, and before the write was begun. */
function isStale({ contender, token, begun }: GuardedWrite, holds: readonly Hold[]): boolean {
  const own = holds.find((hold) => hold.contender === contender && hold.token === token);
  return (
    own !== undefined && holds.some(({ token: other, from }) => other !== token && from > own.from && from < begun)
  );
}

function staleButApplied(write: GuardedWrite): string {
  return `a guarded write of ${named(write)} was applied when another had been granted`;
}

/** In the order in which the ensemble applied them, tokens never fall. */
function outOfOrder(writes: readonly GuardedWrite[]): string[] {
  const found: string[] = [];
  const applied = writes.flatMap((write) => (write.zxid === null ? [] : [{ ...write, zxid: write.zxid }]));
  applied.sort((a, b) => compare(a.zxid, b.zxid));
  for (const [index, write] of applied.entries()) {
    const before = applied[index - 1];
    if (before !== undefined && before.token > write.token) {
      found.push(`a guarded write of ${named(write)} was applied after one of ${named(before)}`);
    }
  }
  return found;
}

/** Says so when the next grant took longer than it may. */
export function lateRecovery({ at, electedAt, grantedAt, allowance }: Recovery): string[] {
  if (grantedAt === null) return ['nobody was granted anything after the last fault'];
  const late = milliseconds(grantedAt - electedAt) - allowance;
  if (late <= 0) return [];
  const [took, election] = [milliseconds(grantedAt - at), milliseconds(electedAt - at)];
  return [
    `the first grant came ${took.toFixed(0)} ms after the last fault: election ${election.toFixed(0)} ms, and ${late.toFixed(0)} ms more than ${allowance} ms`,
  ];
}

function named({ contender, token }: { contender: string; token: bigint }): string {
  return `${contender} (0x${token.toString(16)})`;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
