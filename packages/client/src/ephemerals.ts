import type { Core } from './core.ts';
import { callIfKnown } from './known-calls.ts';
import { getEphemerals } from './operations/ephemerals.ts';
import type { CallOptions } from './options.ts';
import { checkPath, type PathRoot } from './paths.ts';

/** This session's ephemeral znodes in the view whose paths begin with the characters of `prefix`, by path. */
export async function ephemerals(core: Core, root: PathRoot, prefix: string, options: CallOptions): Promise<string[]> {
  const isFolder = typeof prefix === 'string' && prefix.length > 1 && prefix.endsWith('/');
  checkPath(isFolder ? prefix.slice(0, -1) : prefix, getEphemerals.name);
  const prefixPath = root.toServer(prefix);
  const paths = await callIfKnown(core, getEphemerals, { prefixPath }, prefix, options);
  // The server goes by characters: the prefix /app brings what lies under /app2 as well.
  return paths
    .filter((path) => root.contains(path))
    .map((path) => root.toView(path))
    .sort();
}
