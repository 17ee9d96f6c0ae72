import { BadArgumentsError, type Stat, type ZooKeeperError } from '@zookit/protocol';
import type { Core } from './core.ts';
import { underDeadline } from './deadline.ts';
import { callOrElse } from './known-calls.ts';
import { multiRead, type Read, type ReadOutcome } from './operations/multi-read.ts';
import { getChildren, getData } from './operations/read.ts';
import type { CallOptions } from './options.ts';
import { checkPath, type PathRoot } from './paths.ts';

/** One read of `multiRead()`. */
export type ReadRequest = { readonly get: string } | { readonly children: string };

/** What became of one read of `multiRead()`: its value, or why there is none. */
export type ReadResult<Request extends ReadRequest = ReadRequest> =
  | ZooKeeperError
  | (Request extends { readonly get: string } ? { data: Buffer | null; stat: Stat } : { children: string[] });

/** The results of reads, each by its request. */
export type ReadResults<Requests extends readonly ReadRequest[]> = {
  -readonly [Index in keyof Requests]: ReadResult<Requests[Index]>;
};

/** Single reads on the wire at once where they stand in for a multiRead, if `maxInFlight` allows so many. */
const BATCH = 256;

/** Answers that concern one znode only. */
const OF_ONE_ZNODE: ReadonlySet<string> = new Set(['NO_NODE', 'NO_AUTH', 'BAD_ARGUMENTS']);

/** Several reads in one request; single ones, many at a time, on servers that don't know it. */
export async function readMany<const Requests extends readonly ReadRequest[]>(
  core: Core,
  root: PathRoot,
  requests: Requests,
  options: CallOptions,
): Promise<ReadResults<Requests>> {
  const reads = readsOf(root, requests);
  const outcomes = await underDeadline(core, options, { operation: multiRead.name }, async (inner) => {
    if (reads.length === 0 && !core.over.aborted) return [];
    return callOrElse(core, multiRead, reads, undefined, inner, () => oneByOne(core, reads, inner));
  });
  return outcomes as ReadResults<Requests>;
}

function readsOf(root: PathRoot, requests: readonly ReadRequest[]): Read[] {
  if (!Array.isArray(requests)) throw bad(`expects a list of reads, not ${typeof requests}`);
  return requests.map((request: { get?: string; children?: string } | null) => {
    const { get, children } = request ?? {};
    if ((get === undefined) === (children === undefined)) throw bad('a read is { get: path } or { children: path }');
    const name = get === undefined ? 'children' : 'get';
    const path = (get ?? children) as string;
    checkPath(path, name);
    return { name, path, serverPath: root.toServer(path) };
  });
}

async function oneByOne(core: Core, reads: readonly Read[], options: CallOptions): Promise<ReadOutcome[]> {
  const outcomes: ReadOutcome[] = [];
  const most = Math.min(BATCH, core.settings.maxInFlight);
  for (let from = 0; from < reads.length; from += most) {
    const batch = reads.slice(from, from + most).map((read) => one(core, read, options));
    outcomes.push(...(await Promise.all(batch)));
  }
  return outcomes;
}

async function one(core: Core, { name, path, serverPath }: Read, options: CallOptions): Promise<ReadOutcome> {
  const args = { path: serverPath, watch: false };
  try {
    if (name === 'get') return await core.dispatcher.call(getData, args, path, options);
    const { children } = await core.dispatcher.call(getChildren, args, path, options);
    return { children };
  } catch (error) {
    const { code } = error as ZooKeeperError;
    if (OF_ONE_ZNODE.has(code)) return error as ZooKeeperError;
    throw error;
  }
}

function bad(message: string): BadArgumentsError {
  return new BadArgumentsError('BAD_ARGUMENTS', { operation: multiRead.name, message });
}
