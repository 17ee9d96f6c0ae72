import { expect } from '@jest/globals';
import { judge } from '@zookit/quickstart/judge';
import type { FaultProxy } from '@zookit/testing';
import { zookitProgram } from '../../src/zookit.ts';
import type { Bench } from './bench.ts';
import type { ContenderProcess } from './contender-process.ts';

/**
 * The link of a zookit process breaks while it holds locks for which Curator waits. Its signals abort before Curator is granted, by
 * the records of both; and when the link is whole again, it stands in line like anybody else.
 */
export async function loseSession(
  bench: Bench,
  curator: ContenderProcess,
  paths: readonly string[],
  fault: (proxy: FaultProxy) => Promise<void>,
): Promise<void> {
  const proxy = await bench.proxy();
  const terms = { connectString: proxy.connectString, sessionTimeout: 2_000 };
  const zookit = await bench.process(await zookitProgram(), terms);
  const locks = paths.map((path) => ({ path, holder: zookit.contender(), waiter: curator.contender() }));
  await Promise.all(locks.map(({ path, holder }) => holder.acquire(path)));
  const granted = Promise.all(locks.map(({ path, waiter }) => waiter.acquire(path)));
  await Promise.all(paths.map((path) => bench.queued(path, 2)));

  await fault(proxy);
  await Promise.all(locks.map(({ holder }) => holder.lost()));
  await granted;
  await proxy.restore();
  const again = Promise.all(locks.map(({ path, holder }) => holder.acquire(path)));
  await Promise.all(paths.map((path) => bench.queued(path, 2)));
  await Promise.all(locks.map(({ waiter }) => waiter.release()));
  await again;
  await Promise.all(locks.map(({ holder }) => holder.release()));

  for (const { holder, waiter } of locks) {
    const all = [holder, waiter].flatMap((each) => each.records().holds);
    const { holds, overlaps, tokensGrew } = judge({ holds: all, kill: null, grants: 3 });
    expect(holds.map(({ service, end }) => [service, end])).toEqual([
      [holder.id, 'lost'],
      [waiter.id, 'released'],
      [holder.id, 'released'],
    ]);
    expect(overlaps).toEqual([]);
    expect(tokensGrew).toBe(true);
  }
}
