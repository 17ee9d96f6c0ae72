import type { ZooKeeper } from '@zookit/client';
import { childOf } from '@zookit/recipe-core/internal';
import { type InvalidInstance, ServiceWatch } from './service-watch.ts';

interface Shared {
  watch: ServiceWatch;
  users: number;
}

/** One watch for each service, however many providers and caches there are of it. */
export class SharedWatches {
  readonly zk: ZooKeeper;
  readonly #basePath: string;
  readonly #onInvalid: (invalid: InvalidInstance) => void;
  readonly #shared = new Map<string, Shared>();

  constructor(zk: ZooKeeper, basePath: string, onInvalid: (invalid: InvalidInstance) => void) {
    this.zk = zk;
    this.#basePath = basePath;
    this.#onInvalid = onInvalid;
  }

  /** Where a service is. */
  pathOf(name: string): string {
    return childOf(this.#basePath, name);
  }

  /** The watch on a service. Let go of it again with `release()`. */
  take(name: string): ServiceWatch {
    const present = this.#shared.get(name);
    if (present !== undefined) {
      present.users += 1;
      return present.watch;
    }
    const watch = new ServiceWatch(this.zk, this.pathOf(name), this.#onInvalid);
    this.#shared.set(name, { watch, users: 1 });
    // One that can't be started is of no use to whoever comes next.
    watch.start().catch(() => this.#forget(name, watch));
    return watch;
  }

  async release(name: string, watch: ServiceWatch): Promise<void> {
    const present = this.#shared.get(name);
    if (present?.watch !== watch) return;
    present.users -= 1;
    if (present.users > 0) return;
    this.#forget(name, watch);
    await watch.close();
  }

  #forget(name: string, watch: ServiceWatch): void {
    if (this.#shared.get(name)?.watch === watch) this.#shared.delete(name);
  }
}
