import { expect } from '@jest/globals';
import type { Bench } from './bench.ts';
import type { ContenderProcess, Kind } from './contender-process.ts';
import { expectFair, sharedRace } from './shared-race.ts';
import { breachesOf, oneWriter } from './sharing.ts';

/** Two writers and four readers of two libraries, each so many grants. */
export async function readWriteRace(
  processes: readonly ContenderProcess[],
  path: string,
  grants: number,
): Promise<void> {
  const kinds: Kind[] = ['write', 'read', 'read'];
  const entries = processes.flatMap((each) => kinds.map((kind) => [each.contender(), kind] as const));
  const holds = await sharedRace(oneWriter, entries, path, grants);
  // More readers than gaps between writers: some came together.
  expect(breachesOf((together) => together.length < 2, holds).length).toBeGreaterThan(0);
}

/** One holds, and the other waits for it. */
export async function waitsFor(
  bench: Bench,
  [holding, held]: readonly [ContenderProcess, Kind],
  [waiting, wanted]: readonly [ContenderProcess, Kind],
  path: string,
): Promise<void> {
  const [holder, waiter] = [holding.contender(), waiting.contender()];
  const node = await holder.acquire(path, { kind: held });
  const granted = waiter.acquire(path, { kind: wanted });
  await bench.watched(node);
  await holder.release(held);
  await granted;
  await waiter.release(wanted);
  const holds = expectFair(oneWriter, [
    [holder, held],
    [waiter, wanted],
  ]);
  expect(holds).toHaveLength(2);
}

/**
 * A writer takes the read lock while another writer waits, and lets go of the write lock: the other one is granted when
 * it has read, and not before.
 */
export async function downgrade(
  bench: Bench,
  downgrading: ContenderProcess,
  waiting: ContenderProcess,
  path: string,
): Promise<{ write: string; read: string }> {
  const [holder, next] = [downgrading.contender(), waiting.contender()];
  const write = await holder.acquire(path, { kind: 'write' });
  const granted = next.acquire(path, { kind: 'write' });
  await bench.watched(write);
  const read = await holder.acquire(path, { kind: 'read' });
  await holder.release('write');
  await bench.watched(read);
  await holder.release('read');
  await granted;
  await next.release('write');
  const [first, second, ...others] = [
    ...expectFair(oneWriter, [
      [holder, 'write'],
      [next, 'write'],
    ]),
    ...holder.records('read').holds,
  ];
  expect(others).toHaveLength(1);
  // It reads before it stops writing, and stops reading before the other writes.
  expect(others[0]!.from).toBeLessThan(first!.to);
  expect(others[0]!.to).toBeLessThan(second!.from);
  return { write, read };
}
