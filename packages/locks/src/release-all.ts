import type { Held } from '@zookit/recipe-core';
import { withSuppressed } from './suppressed.ts';

/** What came of letting go of several. */
export interface Releases {
  /** How those ended that the server did not refuse: `lost` when any was. */
  readonly end: 'released' | 'lost';
  readonly errors: readonly unknown[];
}

/** Lets go of all, the last one first, whatever becomes of the others. */
export async function releaseAll(holds: readonly Held[]): Promise<Releases> {
  const settled = await Promise.allSettled(holds.toReversed().map(async (held) => held.release()));
  const errors = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  const isLost = settled.some((each) => each.status === 'fulfilled' && each.value === 'lost');
  return { end: isLost ? 'lost' : 'released', errors };
}

/** As a hold's own release: rejects with the first refusal. */
export function endOf({ end, errors: [first, ...others] }: Releases): 'released' | 'lost' {
  if (first !== undefined) throw withSuppressed(first, others);
  return end;
}
