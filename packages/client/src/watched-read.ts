import { BadArgumentsError } from '@zookit/protocol';
import { onAbort } from './abort.ts';
import type { Core } from './core.ts';
import type { ReadOptions } from './method-options.ts';
import type { Operation } from './operations/operation.ts';
import type { ReadArgs } from './operations/read.ts';
import { checkPath, type PathRoot } from './paths.ts';
import { watcherOf } from './watches/registry.ts';

/** A read that may set a one-shot watch. */
export async function readNode<Result>(
  core: Core,
  root: PathRoot,
  operation: Operation<ReadArgs, Result>,
  path: string,
  options: ReadOptions,
): Promise<Result> {
  checkPath(path, operation.name);
  const server = root.toServer(path);
  const { watch, watchSignal } = options;
  const { dispatcher, watches } = core;
  if (watch === undefined) return dispatcher.call(operation, { path: server, watch: false }, path, options);
  if (typeof watch !== 'function') {
    throw new BadArgumentsError('BAD_ARGUMENTS', {
      operation: operation.name,
      path,
      message: 'watch must be a function',
    });
  }
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
    return await dispatcher.call(operation, { path: server, watch: true }, path, options, {
      path: server,
      watcher,
      expected: watches.expect(operation.watches ?? 'data', server),
    });
  } catch (error) {
    watcher.onEnd?.();
    throw error;
  }
}
