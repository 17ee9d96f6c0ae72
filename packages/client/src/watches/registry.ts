import { guarded } from '../emitter.ts';
import type { PathRoot } from '../paths.ts';
import type { Meaning, WatchEvent, WatchKind, WatchListener } from './event.ts';

/** One listener on one path and kind. Those of one path form a chain, which costs less than a set for the usual single one. */
export interface Watcher {
  readonly listener: WatchListener;
  /** The view that the listener's paths belong to. */
  readonly root: PathRoot;
  /** Taken back before it was set. */
  cancelled: boolean;
  /** Called when the watch is over, however it ended. */
  onEnd: (() => void) | null;
  next: Watcher | null;
}

export function watcherOf(listener: WatchListener, root: PathRoot): Watcher {
  return { listener, root, cancelled: false, onEnd: null, next: null };
}

type Chains = Map<string, Watcher>;

/** The one-shot watches that this client has on the server, by kind and server path. */
export class WatchRegistry {
  readonly #chains: Readonly<Record<WatchKind, Chains>> = { data: new Map(), exist: new Map(), child: new Map() };
  /** How many reads that will set a watch have not been answered, by flavour and path. */
  readonly #pending: Readonly<Record<'data' | 'child', Map<string, number>>> = { data: new Map(), child: new Map() };
  readonly #onError: (error: unknown) => void;
  #size = 0;
  #closed = false;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a watcher. The same function on the same path and kind is one watch: the newcomer ends at once. */
  add(kind: WatchKind, path: string, watcher: Watcher): void {
    if (this.#closed) {
      // Its read was answered while the client said goodbye.
      this.#tell(watcher, { type: 'closed', path: watcher.root.toView(path) });
      return;
    }
    const chains = this.#chains[kind];
    const first = chains.get(path) ?? null;
    for (let present = first; present !== null; present = present.next) {
      if (present.listener === watcher.listener && present.root.path === watcher.root.path) {
        watcher.onEnd?.();
        return;
      }
    }
    watcher.next = first;
    chains.set(path, watcher);
    this.#size += 1;
  }

  /** Takes one watcher back; true when it was there. */
  remove(kind: WatchKind, path: string, watcher: Watcher): boolean {
    const chains = this.#chains[kind];
    let before: Watcher | null = null;
    for (let present = chains.get(path) ?? null; present !== null; before = present, present = present.next) {
      if (present !== watcher) continue;
      if (before !== null) before.next = present.next;
      else if (present.next !== null) chains.set(path, present.next);
      else chains.delete(path);
      this.#size -= 1;
      watcher.onEnd?.();
      return true;
    }
    return false;
  }

  /** Notes a read on its way that sets a watch; returns what takes the note back. */
  expect(kind: WatchKind, path: string): () => void {
    const pending = this.#pending[flavour(kind)];
    pending.set(path, (pending.get(path) ?? 0) + 1);
    let noted = true;
    return () => {
      if (!noted) return;
      noted = false;
      const left = (pending.get(path) ?? 0) - 1;
      if (left > 0) pending.set(path, left);
      else pending.delete(path);
    };
  }

  /** Whether anything here relies on the server's watch for that path, now or soon. */
  needs(kind: WatchKind, path: string): boolean {
    if (this.#pending[flavour(kind)].has(path)) return true;
    return kind === 'child'
      ? this.#chains.child.has(path)
      : this.#chains.data.has(path) || this.#chains.exist.has(path);
  }

  has(kind: WatchKind, path: string): boolean {
    return this.#chains[kind].has(path);
  }

  /** Tells the watchers of an event from the wire; they are used up by it. */
  dispatch(meaning: Meaning, path: string, zxid: bigint): void {
    // Nearly always there is one.
    let firstTold: WatchListener | null = null;
    let told: Set<WatchListener> | undefined;
    for (const kind of meaning.kinds) {
      const chains = this.#chains[kind];
      const first = chains.get(path);
      if (first === undefined) continue;
      chains.delete(path);
      for (let watcher: Watcher | null = first, next: Watcher | null; watcher !== null; watcher = next) {
        next = watcher.next;
        this.#size -= 1;
        const { listener } = watcher;
        // One change is one event for one function, whichever of its watches brought it.
        if (listener === firstTold || told?.has(listener) === true) {
          watcher.onEnd?.();
          continue;
        }
        if (firstTold === null) firstTold = listener;
        else {
          told ??= new Set();
          told.add(listener);
        }
        this.#tell(watcher, eventOf(meaning.type, watcher.root.toView(path), zxid));
      }
    }
  }

  /** The server won't set it again: whoever watches is told what they would be after a loss of the session. */
  drop(kind: WatchKind, path: string): void {
    const first = this.#chains[kind].get(path) ?? null;
    this.#chains[kind].delete(path);
    for (const watcher of chain(first)) {
      this.#size -= 1;
      this.#tell(watcher, { type: 'session-lost', path: watcher.root.toView(path) });
    }
  }

  /** Ends every watch and says why. */
  endAll(type: 'session-lost' | 'closed'): void {
    this.#closed ||= type === 'closed';
    for (const kind of ['data', 'exist', 'child'] as const) {
      const chains = [...this.#chains[kind]];
      this.#chains[kind].clear();
      for (const [path, first] of chains) {
        for (const watcher of chain(first)) {
          this.#size -= 1;
          this.#tell(watcher, { type, path: watcher.root.toView(path) });
        }
      }
    }
  }

  /** The server paths that have watches of a kind. */
  paths(kind: WatchKind): Iterable<string> {
    return this.#chains[kind].keys();
  }

  #tell(watcher: Watcher, event: WatchEvent): void {
    watcher.onEnd?.();
    // Another listener of the same event may have taken it back.
    if (!watcher.cancelled) guarded(() => watcher.listener(event), this.#onError);
  }
}

function* chain(first: Watcher | null): Iterable<Watcher> {
  for (let watcher = first; watcher !== null; ) {
    const { next } = watcher;
    yield watcher;
    watcher = next;
  }
}

function flavour(kind: WatchKind): 'data' | 'child' {
  return kind === 'child' ? 'child' : 'data';
}

function eventOf(type: WatchEvent['type'], path: string, zxid: bigint): WatchEvent {
  return zxid > 0n ? { type, path, zxid } : { type, path };
}
