import type { ZooKeeper } from '@zookit/client';
import { type Core, coreOf } from '@zookit/client/internal';

/** What is known of znodes by one client; its views share it. */
export class ClientMap<Value> {
  readonly #maps = new WeakMap<Core, Map<string, Value>>();

  get(zk: ZooKeeper, path: string): Value | undefined {
    return this.#maps.get(coreOf(zk))?.get(serverPath(zk, path));
  }

  set(zk: ZooKeeper, path: string, value: Value): void {
    const core = coreOf(zk);
    let map = this.#maps.get(core);
    if (map === undefined) {
      map = new Map();
      this.#maps.set(core, map);
    }
    map.set(serverPath(zk, path), value);
  }

  delete(zk: ZooKeeper, path: string): void {
    this.#maps.get(coreOf(zk))?.delete(serverPath(zk, path));
  }
}

/** The server's path for a path of a client's view. */
export function serverPath(zk: ZooKeeper, path: string): string {
  if (zk.chroot === '/') return path;
  return path === '/' ? zk.chroot : zk.chroot + path;
}
