import { LeaseLostError } from '@zookit/client';
import type { Held } from './held.ts';

/**
 * Works under a hold and releases it. Resolves with what the work returns; rejects with LeaseLostError when the hold
 * did not last until the work was done, and with the work's own error when that fails. A release that is refused after
 * such an error goes to `report`.
 */
export async function runHeld<T>(
  held: Held,
  work: (held: Held) => T | PromiseLike<T>,
  report: (error: unknown) => void,
): Promise<T> {
  let lost: LeaseLostError | null = null;
  held.on('lost', (reason) => {
    lost = reason;
  });
  let result: T;
  try {
    result = await work(held);
  } catch (error) {
    await held.release().catch(report);
    throw error;
  }
  if ((await held.release()) === 'released') return result;
  throw lost ?? new LeaseLostError('LEASE_LOST', { path: held.path, message: 'no longer held when the work was done' });
}
