import type { ZooKeeperError } from '@zookit/protocol';
import type { Core } from './core.ts';
import { underDeadline } from './deadline.ts';
import { callOrElse } from './known-calls.ts';
import { getAllChildrenNumber } from './operations/count-descendants.ts';
import { getChildren } from './operations/read.ts';
import { type CallOptions, checkCallOptions } from './options.ts';
import { checkPath, type PathRoot } from './paths.ts';

/** Lists that are asked for ahead of the walk, on each level, where `maxInFlight` allows so many. */
const AHEAD = 32;

const list = { ...getChildren, name: 'walk' };

/** A znode's children; null: it is gone. */
type Listing = { names: string[] | null } | { error: unknown };

interface Ahead {
  /** The server's, as all paths in here. */
  path: string;
  listing: Promise<Listing>;
}

/** Children of one znode, in order, of which some have been asked for. */
interface Level {
  path: string;
  names: string[];
  next: number;
  ahead: Ahead[];
}

/** The paths at and under a znode, parents before children, siblings by name. Znodes that vanish meanwhile are left out. */
export async function* walk(
  core: Core,
  root: PathRoot,
  path: string,
  given: CallOptions,
): AsyncGenerator<string, void, undefined> {
  checkPath(path, 'walk');
  const options = checkCallOptions(given, 'walk');
  const { signal } = options;
  const most = Math.min(AHEAD, core.settings.maxInFlight);
  const start = root.toServer(path);
  const look = (at: string): Ahead => ({ path: at, listing: listingOf(core, root, at, options) });
  const top = await core.dispatcher.call(list, { path: start, watch: false }, path, options);
  yield path;
  const levels: Level[] = [{ path: start, names: top.children.sort(), next: 0, ahead: [] }];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    signal?.throwIfAborted();
    while (level.ahead.length < most && level.next < level.names.length) {
      level.ahead.push(look(`${level.path === '/' ? '' : level.path}/${level.names[level.next]}`));
      level.next += 1;
    }
    const child = level.ahead.shift();
    if (child === undefined) {
      levels.pop();
      continue;
    }
    const listing = await child.listing;
    if ('error' in listing) throw listing.error;
    if (listing.names === null) continue;
    yield root.toView(child.path);
    if (listing.names.length > 0) levels.push({ path: child.path, names: listing.names, next: 0, ahead: [] });
  }
}

/** Never rejects: it may be that nobody waits for it any more. */
async function listingOf(core: Core, root: PathRoot, path: string, options: CallOptions): Promise<Listing> {
  try {
    const { children } = await core.dispatcher.call(list, { path, watch: false }, root.toView(path), options);
    return { names: children.sort() };
  } catch (error) {
    return (error as ZooKeeperError | null)?.code === 'NO_NODE' ? { names: null } : { error };
  }
}

/** How many znodes lie under one. A server that can't tell is walked. */
export async function countDescendants(
  core: Core,
  root: PathRoot,
  path: string,
  options: CallOptions,
): Promise<number> {
  checkPath(path, getAllChildrenNumber.name);
  const args = { path: root.toServer(path) };
  return underDeadline(core, options, { operation: getAllChildrenNumber.name, path }, (inner) =>
    callOrElse(core, getAllChildrenNumber, args, path, inner, async () => {
      let count = -1;
      for await (const _ of walk(core, root, path, inner)) count += 1;
      return count;
    }),
  );
}
