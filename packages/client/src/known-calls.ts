import { type ZooKeeperError, zooKeeperError } from '@zookit/protocol';
import type { Core } from './core.ts';
import type { Operation } from './operations/operation.ts';
import type { CallOptions } from './options.ts';

/**
 * Whether the present server may know a request that came after 3.4.
 *
 * ClickHouse Keeper, whose sessions end with their connection, ends both without a word over a request that it doesn't know: to
 * find out by trying would cost the session, and all that is held by it.
 */
export function mayKnow(core: Core, opcode: number): boolean {
  return !core.session.endsWithConnection && !core.dispatcher.lacks(opcode);
}

/** A call that rejects with UnimplementedError, unsent, where to send it would only cost the connection. */
export function callIfKnown<Args, Result>(
  core: Core,
  operation: Operation<Args, Result>,
  args: Args,
  path: string | undefined,
  options: CallOptions,
): Promise<Result> {
  if (core.over.aborted || mayKnow(core, operation.opcode)) return core.dispatcher.call(operation, args, path, options);
  return Promise.reject(
    zooKeeperError('UNIMPLEMENTED', {
      operation: operation.name,
      path,
      message: core.session.endsWithConnection
        ? 'nothing was sent: a server whose sessions end with their connection ends them over requests that it does not know'
        : 'nothing was sent: this server has said before that it does not know the request',
    }),
  );
}

/** A call, and what to do in its place on a server that doesn't know it. */
export async function callOrElse<Args, Result>(
  core: Core,
  operation: Operation<Args, Result>,
  args: Args,
  path: string | undefined,
  options: CallOptions,
  instead: () => Promise<Result>,
): Promise<Result> {
  if (!mayKnow(core, operation.opcode)) return instead();
  try {
    return await core.dispatcher.call(operation, args, path, options);
  } catch (error) {
    if ((error as ZooKeeperError).code !== 'UNIMPLEMENTED') throw error;
    return instead();
  }
}
