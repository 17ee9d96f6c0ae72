import type { Held } from '@zookit/recipe-core';
import type { LeaderLatch } from '../../src/index.ts';

/** What a latch tells, in order: `leader`, and `not-leader` with the word that says why. */
export function record(latch: LeaderLatch): { told: string[]; terms: Held[]; errors: unknown[] } {
  const told: string[] = [];
  const terms: Held[] = [];
  const errors: unknown[] = [];
  latch.on('leader', (held) => {
    told.push('leader');
    terms.push(held);
  });
  latch.on('not-leader', ({ message }) => {
    told.push(`not-leader: ${/released|deleted|session|doubt|time/.exec(message)?.[0] ?? message}`);
  });
  latch.on('error', (error) => errors.push(error));
  return { told, terms, errors };
}

export const own = (held: Held): string => held.path.slice(held.path.lastIndexOf('/') + 1);
