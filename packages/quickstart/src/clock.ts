/** Nanoseconds of the system's monotonic clock: the same clock in every process of this machine. */
export function now(): bigint {
  return process.hrtime.bigint();
}

export function milliseconds(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1e6;
}

export function nanoseconds(milliseconds: number): bigint {
  return BigInt(Math.round(milliseconds * 1e6));
}

/** '412 ms', '3.0 s' */
export function duration(nanoseconds: bigint): string {
  const ms = milliseconds(nanoseconds);
  return ms < 995 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(ms < 9_950 ? 2 : 1)} s`;
}

/** A setting in ms: '3 s', '3.5 s' */
export function seconds(milliseconds: number): string {
  return `${milliseconds / 1_000} s`;
}

export function earlier(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

export function later(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}
