import type { ZooKeeper } from '@zookit/client';
import { ClientMap } from './client-map.ts';

const waiting = new ClientMap<WaitingPlace>();

/**
 * A znode of this client's that waits in line. Who is behind it in the same client needs no watch on it: it is told
 * when the wait ends.
 */
export class WaitingPlace {
  readonly #zk: ZooKeeper;
  readonly #path: string;
  #behind: Set<() => void> | null = null;

  constructor(zk: ZooKeeper, path: string) {
    this.#zk = zk;
    this.#path = path;
    waiting.set(zk, path, this);
  }

  /** Calls back once this one has been granted, or leaves the line. Returns how to take that back. */
  onEnd(callback: () => void): () => void {
    this.#behind ??= new Set();
    this.#behind.add(callback);
    return () => this.#behind?.delete(callback);
  }

  end(): void {
    waiting.delete(this.#zk, this.#path);
    for (const callback of this.#behind ?? []) callback();
  }
}

/** This client's wait at that znode, while it waits. */
export function waitingAt(zk: ZooKeeper, path: string): WaitingPlace | undefined {
  return waiting.get(zk, path);
}
