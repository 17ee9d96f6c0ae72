import { BadArgumentsError, ZooKeeperError, zooKeeperError } from '@zookit/protocol';
import type { Core } from './core.ts';
import type { Operation } from './operations/operation.ts';
import { getChildren } from './operations/read.ts';
import { deleteNode } from './operations/write.ts';
import type { PathRoot } from './paths.ts';
import { pause } from './session/attempt.ts';

/** Requests on the wire at once, where `maxInFlight` allows so many. */
const WINDOW = 128;
/** How often a znode may turn out to have children again before it is given up. */
const ROUNDS = 20;
/** Between rounds, in ms; doubled each time up to this. */
const LONGEST_PAUSE = 100;

// Gone is gone, however often it was asked for.
const deleteBelow: Operation<{ path: string; version: number }, void> = { ...deleteNode, repeatable: true };
const list = { ...getChildren, name: 'delete' };

/** A znode that is to go. */
interface Doomed {
  /** The server's. */
  path: string;
  above: Doomed | null;
  /** Its children, and how many of them have been taken up. */
  names: readonly string[];
  next: number;
  /** Children that are not known to be gone. */
  left: number;
  /** How often it was found to have children. */
  rounds: number;
}

/**
 * Deletes a znode and all below it, children before parents, many at a time. `version` is that of the znode itself, and is
 * looked at before anything is deleted. Children that appear meanwhile are deleted too.
 *
 * Rejects with NotEmptyError when they keep appearing, NoNodeError, BadVersionError, NoAuthError, …; `maybeApplied` is true when
 * some of it may be gone.
 */
export function deleteRecursive(
  core: Core,
  root: PathRoot,
  path: string,
  version: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (path !== '/') return new Removal(core, root, path, version, signal).run();
  return Promise.reject(
    new BadArgumentsError('BAD_ARGUMENTS', { operation: 'delete', path, message: 'the root can not be deleted' }),
  );
}

class Removal {
  readonly #core: Core;
  readonly #root: PathRoot;
  readonly #version: number;
  readonly #signal: AbortSignal | undefined;
  readonly #top: Doomed;
  readonly #window: number;
  /** Znodes with children that have not been taken up; the deepest is the last. */
  readonly #open: Doomed[] = [];
  #active = 0;
  #failure: { error: unknown } | null = null;
  #changed = false;
  #settle: () => void = () => {};

  constructor(core: Core, root: PathRoot, path: string, version: number, signal: AbortSignal | undefined) {
    this.#core = core;
    this.#root = root;
    this.#version = version;
    this.#signal = signal;
    this.#top = doomed(path, null);
    this.#window = Math.min(WINDOW, core.settings.maxInFlight);
  }

  /** Settles once nothing more is on the wire. */
  async run(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#settle = resolve;
      this.#begin(this.#top);
    });
    if (this.#failure !== null) throw this.#inDoubt(this.#failure.error);
  }

  #begin(node: Doomed): void {
    this.#active += 1;
    this.#remove(node)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#active -= 1;
        if (this.#failure === null) this.#fill();
        if (this.#active === 0) this.#settle();
      });
  }

  /** Takes up children, deepest first, so that few lists are kept. */
  #fill(): void {
    while (this.#active < this.#window) {
      const parent = this.#open.at(-1);
      if (parent === undefined) return;
      const name = parent.names[parent.next];
      if (name === undefined) {
        this.#open.pop();
        continue;
      }
      parent.next += 1;
      this.#begin(doomed(`${parent.path}/${name}`, parent));
    }
  }

  /** Deletes a znode, or finds its children, the last of which will come back to it. */
  async #remove(node: Doomed): Promise<void> {
    while (!(await this.#delete(node))) {
      node.rounds += 1;
      if (node.rounds > ROUNDS) throw this.#neverEmpty(node);
      if (node.rounds > 1) await this.#pause(node.rounds);
      node.names = await this.#list(node);
      node.next = 0;
      node.left = node.names.length;
      if (node.left === 0) continue;
      this.#open.push(node);
      return;
    }
    const { above } = node;
    if (above === null) return;
    above.left -= 1;
    if (above.left === 0 && this.#failure === null) this.#begin(above);
  }

  /** Whether it is gone; false: it has children. */
  async #delete(node: Doomed): Promise<boolean> {
    const isTop = node === this.#top;
    try {
      await this.#core.dispatcher.call(
        isTop ? deleteNode : deleteBelow,
        { path: node.path, version: isTop ? this.#version : -1 },
        this.#root.toView(node.path),
        { signal: this.#signal },
      );
    } catch (error) {
      const { code } = error as ZooKeeperError;
      if (code === 'NOT_EMPTY') return false;
      if (code !== 'NO_NODE' || (isTop && node.rounds === 0)) throw error;
    }
    this.#changed = true;
    return true;
  }

  async #list(node: Doomed): Promise<readonly string[]> {
    try {
      const args = { path: node.path, watch: false };
      const path = this.#root.toView(node.path);
      return (await this.#core.dispatcher.call(list, args, path, { signal: this.#signal })).children;
    } catch (error) {
      // Somebody else has deleted it; the next look at it says so.
      if ((error as ZooKeeperError).code === 'NO_NODE') return [];
      throw error;
    }
  }

  async #pause(round: number): Promise<void> {
    const { settings, over } = this.#core;
    await pause(settings, Math.min(LONGEST_PAUSE, 2 ** (round - 2)), this.#signal ?? over);
  }

  #neverEmpty(node: Doomed): ZooKeeperError {
    return zooKeeperError('NOT_EMPTY', {
      operation: 'delete',
      path: this.#root.toView(node.path),
      maybeApplied: true,
      message: `it had children again after ${ROUNDS} rounds of deleting them; somebody keeps creating them`,
    });
  }

  /** What has been deleted stays deleted, whatever ended the rest. */
  #inDoubt(error: unknown): unknown {
    if (!(error instanceof ZooKeeperError) || !this.#changed || error.maybeApplied === true) return error;
    const { code, errno, path, operation } = error;
    return zooKeeperError(code, {
      errno,
      path,
      operation,
      maybeApplied: true,
      cause: error,
      message: 'only some of what lies below was deleted',
    });
  }
}

function doomed(path: string, above: Doomed | null): Doomed {
  return { path, above, names: [], next: 0, left: 0, rounds: 0 };
}
