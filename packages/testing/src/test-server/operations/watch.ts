import { AddWatchMode, ErrorCode } from '@zookit/protocol';
import {
  readAddWatchRequest,
  readCheckWatchesRequest,
  readRemoveWatchesRequest,
  readSetWatches,
  readSetWatches2,
  writeErrorResponse,
} from '@zookit/protocol/internal';
import type { JuteReader } from 'jute-ts';
import { MalformedRequest, requirePath } from '../malformed.ts';
import { Refusal } from '../refusal.ts';
import type { Body, ReadContext } from './operation.ts';

/** addWatch: path, mode. The path need not exist. */
export function addWatch(r: JuteReader, { database, caller }: ReadContext): Body {
  const request = readAddWatchRequest(r);
  const path = requirePath(request.path);
  if (request.mode === AddWatchMode.persistent) database.watches.addPersistent(path, caller);
  else if (request.mode === AddWatchMode.persistentRecursive) database.watches.addRecursive(path, caller);
  else throw new MalformedRequest(`watch mode ${request.mode}`);
  return (w) => writeErrorResponse(w, { err: 0 });
}

/** setWatches: relative zxid, paths of data, exist and child watches. */
export function setWatches(r: JuteReader, context: ReadContext): Body {
  const request = readSetWatches(r);
  return restore({ ...request, persistentWatches: [], persistentRecursiveWatches: [] }, context);
}

/** setWatches2: the same, and paths of persistent and of recursive watches. */
export function setWatches2(r: JuteReader, context: ReadContext): Body {
  return restore(readSetWatches2(r), context);
}

function restore(request: ReturnType<typeof readSetWatches2>, { database, caller }: ReadContext): Body {
  const { tree, watches } = database;
  watches.restore(
    {
      relativeZxid: request.relativeZxid,
      data: requirePaths(request.dataWatches),
      exist: requirePaths(request.existWatches),
      child: requirePaths(request.childWatches),
      persistent: requirePaths(request.persistentWatches),
      recursive: requirePaths(request.persistentRecursiveWatches),
    },
    caller,
    (path) => tree.get(path),
  );
  return null;
}

function requirePaths(paths: readonly (string | null)[] | null): string[] {
  if (paths === null) throw new MalformedRequest('null vector of paths');
  return paths.map(requirePath);
}

/** checkWatches: path, watcher type. */
export function checkWatches(r: JuteReader, context: ReadContext): Body {
  const request = readCheckWatchesRequest(r);
  requireType(request.type, context);
  if (!context.database.watches.has(requirePath(request.path), request.type, context.caller)) {
    throw new Refusal(ErrorCode.NO_WATCHER);
  }
  return null;
}

/** removeWatches: path, watcher type. */
export function removeWatches(r: JuteReader, context: ReadContext): Body {
  const request = readRemoveWatchesRequest(r);
  requireType(request.type, context);
  if (!context.database.watches.remove(requirePath(request.path), request.type, context.caller)) {
    throw new Refusal(ErrorCode.NO_WATCHER);
  }
  return null;
}

function requireType(type: number, { database }: ReadContext): void {
  if (type < 1 || type > database.profile.lastWatcherType) throw new MalformedRequest(`watcher type ${type}`);
}
