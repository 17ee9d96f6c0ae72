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
