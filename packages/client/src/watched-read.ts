import { BadArgumentsError } from '@zookit/protocol';
import { onAbort } from './abort.ts';
import type { WatchIntent } from './calls/call.ts';
import type { ClientParts } from './client-parts.ts';
import { optionsOf } from './given.ts';
import type { ReadOptions } from './method-options.ts';
import type { Operation } from './operations/operation.ts';
import type { ReadArgs } from './operations/read.ts';
import { type CallOptions, checkSignal } from './options.ts';
import { checkPath, type PathRoot } from './paths.ts';
import { type Watcher, watcherOf } from './watches/registry.ts';

/** A read that may set a one-shot watch. */
export async function readNode<Result>(
  client: ClientParts,
  root: PathRoot,
  operation: Operation<ReadArgs, Result>,
  path: string,
  given: ReadOptions,
): Promise<Result> {
  checkPath(path, operation.name);
  const server = root.toServer(path);
  const options = optionsOf(given, operation.name, path, 'watch: (event) => …');
  const { watch, watchSignal } = options;
  const { dispatcher, watches } = client;
  if (watch === undefined) return await dispatcher.call(operation, { path: server, watch: false }, path, options);
  if (typeof watch !== 'function') {
    throw new BadArgumentsError('BAD_ARGUMENTS', {
      operation: operation.name,
      path,
      message: 'watch must be a function',
    });
  }
  checkSignal(watchSignal, operation.name, 'watchSignal');
  watchSignal?.throwIfAborted();
  const watcher = watcherOf(watch, root);
  if (watchSignal !== undefined) {
    watcher.onEnd = onAbort(watchSignal, () => {
      watcher.cancelled = true;
      const set = (['data', 'exist', 'child'] as const).find((each) => watches.remove(each, server, watcher));
      if (set !== undefined) dispatcher.unwatch(set, server);
    });
  }
  try {
    return await readAndWatch(client, operation, server, path, options, watcher);
  } catch (error) {
    watcher.onEnd?.();
    throw error;
  }
}

/** `server` is the server's path, `path` the caller's. */
export function readAndWatch<Result>(
  client: ClientParts,
  operation: Operation<ReadArgs, Result>,
  server: string,
  path: string,
  options: CallOptions,
  watcher: Watcher,
): Promise<Result> {
  const kind = operation.watches ?? 'data';
  const intent: WatchIntent = {
    path: server,
    watcher,
    expected: client.watches.expect(kind, server),
    onServer: true,
  };
  const args = {
    path: server,
    // Asked when the request is written, each time that it is: before 3.9 it would put an end to a persistent watch.
    get watch(): boolean {
      intent.onServer = !client.persistent.covers(kind, server);
      return intent.onServer;
    },
  };
  return client.dispatcher.call(operation, args, path, options, intent);
}
