import { BadArgumentsError, type SocketTarget, type ZooKeeperError, zooKeeperError } from '@zookit/protocol';
import { onAbort } from '../abort.ts';
import type { ClientParts, Coverage } from '../client-parts.ts';
import { optionsOf } from '../given.ts';
import { type CallOptions, checkCallOptions } from '../options.ts';
import { checkPath, type PathRoot, parentOf } from '../paths.ts';
import { waitFor } from '../wait.ts';
import type { Change } from './event.ts';
import { type Watch, WatchHandle, type WatchOptions, type WatchOwner } from './watch.ts';
import { WatchedPath } from './watched-path.ts';

/** The persistent watches of one client, by server path. */
export class PersistentWatches implements WatchOwner, Coverage {
  readonly #client: ClientParts;
  readonly #paths = new Map<string, WatchedPath>();
  #size = 0;

  constructor(client: ClientParts) {
    this.#client = client;
  }

  /** Watches that are open. */
  get size(): number {
    return this.#size;
  }

  /** Sets a watch. Rejects, and leaves nothing behind, when it can't be set. */
  async open(root: PathRoot, path: string, options: WatchOptions): Promise<Watch> {
    checkPath(path, 'watch');
    const { recursive = false, signal, timeout } = optionsOf(options, 'watch', path, 'recursive: true');
    checkCallOptions({ signal, timeout }, 'watch');
    if (typeof recursive !== 'boolean') {
      throw new BadArgumentsError('BAD_ARGUMENTS', {
        operation: 'watch',
        path,
        message: 'recursive must be a boolean',
      });
    }
    signal?.throwIfAborted();
    this.#client.dispatcher.admit('watch', path);
    const watch = new WatchHandle(this, root, path, recursive);
    return new Promise((resolve, reject) => {
      const give = (reason: unknown): void => {
        reject(reason);
        void watch.close();
      };
      const offs: (() => void)[] = [];
      if (signal !== undefined) offs.push(onAbort(signal, () => give(signal.reason)));
      watch.onEnd = () => {
        for (const off of offs) off();
        this.#size -= 1;
      };
      const offTimeout =
        timeout === undefined
          ? null
          : this.#client.dispatcher.setTimeout(
              () =>
                give(zooKeeperError('TIMEOUT', { operation: 'watch', path, message: `not set within ${timeout} ms` })),
              timeout,
            );
      watch.onSettled = (error) => {
        offTimeout?.();
        if (error === null) resolve(watch);
        else reject(about(error, path));
      };
      this.#size += 1;
      this.#at(watch.target).add(watch);
    });
  }

  report(error: unknown): void {
    this.#client.events.report(error);
  }

  release(watch: WatchHandle, options: CallOptions): Promise<void> {
    return waitFor(
      this.#client,
      this.#paths.get(watch.target)?.remove(watch) ?? Promise.resolve(),
      options,
      'watch.close',
    );
  }

  covers(kind: 'data' | 'child', path: string): boolean {
    return this.#paths.size > 0 && (this.#paths.get(path)?.covers(kind) ?? false);
  }

  /** Whether taking one-shot watches of that kind back on the server could harm a persistent one. */
  endangeredBy(kind: 'data' | 'child', path: string): boolean {
    return this.#paths.size > 0 && (this.#paths.get(path)?.endangeredBy(kind) ?? false);
  }

  /** Tells of an event from the wire. Returns the path whose children it has changed without a word of the server, if any. */
  dispatch(type: Change, path: string, zxid: bigint): string | null {
    if (this.#paths.size === 0) return null;
    this.#paths.get(path)?.onChange(type, zxid);
    if (type === 'children') return null;
    for (let at = path; ; at = parentOf(at)) {
      this.#paths.get(at)?.tellRecursive(type, path, zxid);
      if (at === '/') break;
    }
    if (type === 'changed') return null;
    const parent = parentOf(path);
    const above = this.#paths.get(parent);
    if (path === '/' || above?.infersChildren(zxid) !== true) return null;
    above.tell('children', zxid);
    return parent;
  }

  /** The connection is gone. */
  detach(): void {
    for (const watched of this.#paths.values()) watched.detach();
  }

  attach(server: SocketTarget): { plain: string[]; recursive: string[] } {
    const again = { plain: [] as string[], recursive: [] as string[] };
    for (const watched of [...this.#paths.values()]) {
      const { plain, recursive } = watched.attach(server);
      if (plain) again.plain.push(watched.path);
      if (recursive) again.recursive.push(watched.path);
    }
    return again;
  }

  rearmed(refused: ReadonlySet<string>): void {
    for (const watched of [...this.#paths.values()]) watched.rearmed(refused.has(watched.path));
  }

  /** No session will come, or the client is over. */
  endAll(reason: ZooKeeperError): void {
    for (const watched of [...this.#paths.values()]) watched.end(reason);
  }

  #at(path: string): WatchedPath {
    let watched = this.#paths.get(path);
    if (watched === undefined) {
      const made = new WatchedPath(this.#client, path, () => {
        if (this.#paths.get(path) === made) this.#paths.delete(path);
      });
      watched = made;
      this.#paths.set(path, made);
    }
    return watched;
  }
}

/** An error that ends all watches, as the one on that path reports it. */
function about(error: ZooKeeperError, path: string): ZooKeeperError {
  if (error.operation === 'watch' && error.path === path) return error;
  return zooKeeperError(error.code, { operation: 'watch', path, message: error.reason, cause: error });
}
