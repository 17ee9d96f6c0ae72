import { type ZooKeeperError, zooKeeperError } from '@zookit/protocol';
import type { Core } from './core.ts';
import type { Operation } from './operations/operation.ts';
import type { CallOptions } from './options.ts';

/** Whether the server of a client's last session ends sessions with their connection. */
const endsWithConnection = new WeakMap<Core, boolean>();

/**
 * Whether the server is asked for nothing but what every ZooKeeper since 3.4 knows.
 *
 * ClickHouse Keeper, whose sessions end with their connection, ends both without a word over a request that it doesn't know: to
 * find out by trying would cost the session, and all that is held by it.
 */
function onlyBasics(core: Core): boolean {
  const { settings, session } = core;
  if (settings.sessionEnds !== 'auto') return settings.sessionEnds === 'connection';
  // Between two sessions the next one is taken to be of the same kind.
  const password = session.grant?.password;
  if (password !== undefined) {
    const isZero = password.every((byte) => byte === 0);
    endsWithConnection.set(core, isZero);
  }
  return endsWithConnection.get(core) ?? false;
}

/** Whether the present server may know a request that came after 3.4. */
export function mayKnow(core: Core, opcode: number): boolean {
  return !onlyBasics(core) && !core.dispatcher.lacks(opcode);
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
      message: onlyBasics(core)
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
