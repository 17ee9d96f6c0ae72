import type { ZooKeeper } from '@zookit/client';
import type { Held } from '@zookit/recipe-core';
import { Partitioner, type PartitionerOptions } from '../../src/index.ts';

export const PATH = '/split/a';

export const names = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `item-${String(at).padStart(4, '0')}`);

/** Who owned what, by one clock that counts events. */
export class Ledger {
  readonly #owners = new Map<string, string>();
  /** Grants of an item to another one than had it before. */
  moves = 0;
  /** Grants while another one held. */
  overlaps: string[] = [];
  readonly #held = new Map<string, string>();
  readonly #expired = new Set<string>();

  /** Notes what a partitioner gets, and when each of it ends. */
  follow(partitioner: Partitioner): void {
    const seen = new Set<Held>();
    partitioner.on('change', (mine) => {
      for (const [item, held] of mine) {
        if (seen.has(held)) continue;
        seen.add(held);
        this.#grant(item, partitioner.id);
        const end = (): void => {
          if (this.#held.get(item) === partitioner.id) this.#held.delete(item);
        };
        held.signal.addEventListener('abort', end, { once: true });
      }
    });
  }

  /** The server ends its session before its time: until it hears of that, no client can know, and the next may have its items. */
  expire(partitioner: Partitioner): void {
    this.#expired.add(partitioner.id);
  }

  #grant(item: string, id: string): void {
    const holder = this.#held.get(item);
    const isExcused = this.#expired.has(id) || (holder !== undefined && this.#expired.has(holder));
    if (holder !== undefined && !isExcused) this.overlaps.push(`${item}: ${id} while ${holder}`);
    this.#held.set(item, id);
    if (this.#owners.get(item) !== id) this.moves += 1;
    this.#owners.set(item, id);
  }
}

export function split(zk: ZooKeeper, id: string, options: Partial<PartitionerOptions> = {}): Partitioner {
  return new Partitioner(zk, PATH, { items: names(12), id, ...options });
}

export const sizes = (...partitioners: Partitioner[]): number[] => partitioners.map((each) => each.mine().size);

/** Whether these have all items, each one of them, in equal shares. */
export function isSettled(count: number, partitioners: readonly Partitioner[]): boolean {
  const all = partitioners.flatMap((each) => [...each.mine().keys()]);
  const counts = sizes(...partitioners);
  return all.length === count && new Set(all).size === count && Math.max(...counts) - Math.min(...counts) <= 1;
}
