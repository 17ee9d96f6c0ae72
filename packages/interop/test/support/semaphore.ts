import type { ContenderProcess, Kind } from './contender-process.ts';
import { sharedRace } from './shared-race.ts';
import { atMost } from './sharing.ts';

/**
 * Three leases: each process contends for one, and for two, so many grants each. Of Curator only one asks for two: it takes them one by
 * one, and two that have one each would wait for each other.
 */
export async function leaseRace(processes: readonly ContenderProcess[], path: string, grants: number): Promise<void> {
  const kinds: Kind[] = ['semaphore:3', 'semaphore:3:2'];
  const entries = processes.flatMap((each) => kinds.map((kind) => [each.contender(), kind] as const));
  await sharedRace(atMost(3), entries, path, grants);
}
