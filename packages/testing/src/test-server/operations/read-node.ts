import { ErrorCode } from '@zookit/protocol';
import {
  readExistsRequest,
  readGetACLRequest,
  readGetAllChildrenNumberRequest,
  readGetChildren2Request,
  readGetChildrenRequest,
  readGetDataRequest,
  writeExistsResponse,
  writeGetACLResponse,
  writeGetAllChildrenNumberResponse,
  writeGetChildren2Response,
  writeGetChildrenResponse,
  writeGetDataResponse,
} from '@zookit/protocol/internal';
import type { JuteReader } from 'jute-ts';
import { isAllowed, Perm, requirePerm, withoutHashes } from '../acl.ts';
import { requirePath } from '../malformed.ts';
import type { Znode } from '../node.ts';
import { Refusal } from '../refusal.ts';
import { WatchMode } from '../watch-table.ts';
import type { Body, ReadContext } from './operation.ts';

/** exists: path, watch. A watch on a missing node waits for its creation. */
export function exists(r: JuteReader, { database, caller }: ReadContext): Body {
  const request = readExistsRequest(r);
  const path = requirePath(request.path);
  if (path.includes('\0')) throw new Refusal(ErrorCode.BAD_ARGUMENTS);
  const node = database.tree.get(path);
  if (node !== undefined && database.profile.eventsNeedRead) requirePerm(node.acl, Perm.read, caller.identities);
  if (request.watch) database.watches.data.add(path, caller, WatchMode.standard);
  const stat = database.tree.expect(path).stat();
  return (w) => writeExistsResponse(w, { stat });
}

/** getData: path, watch. */
export function getData(r: JuteReader, context: ReadContext): Body {
  const request = readGetDataRequest(r);
  const path = requirePath(request.path);
  const node = readable(path, context);
  if (request.watch) context.database.watches.data.add(path, context.caller, WatchMode.standard);
  return dataBody(node);
}

/** getChildren: path, watch. */
export function getChildren(r: JuteReader, context: ReadContext): Body {
  const request = readGetChildrenRequest(r);
  const path = requirePath(request.path);
  const node = readable(path, context);
  if (request.watch) context.database.watches.child.add(path, context.caller, WatchMode.standard);
  return childrenBody(node);
}

/** getChildren2: path, watch. */
export function getChildren2(r: JuteReader, context: ReadContext): Body {
  const request = readGetChildren2Request(r);
  const path = requirePath(request.path);
  const node = readable(path, context);
  if (request.watch) context.database.watches.child.add(path, context.caller, WatchMode.standard);
  return (w) => writeGetChildren2Response(w, { children: node.children.list(), stat: node.stat() });
}

/** getAllChildrenNumber: path. */
export function getAllChildrenNumber(r: JuteReader, context: ReadContext): Body {
  const path = requirePath(readGetAllChildrenNumberRequest(r).path);
  readable(path, context);
  const totalNumber = context.database.tree.countDescendants(path);
  return (w) => writeGetAllChildrenNumberResponse(w, { totalNumber });
}

/** getACL: path. Without ADMIN the hashes of digests are hidden. */
export function getAcl(r: JuteReader, { database, caller }: ReadContext): Body {
  const node = database.tree.expect(requirePath(readGetACLRequest(r).path));
  requirePerm(node.acl, Perm.read | Perm.admin, caller.identities);
  const acl = isAllowed(node.acl, Perm.admin, caller.identities) ? [...node.acl] : withoutHashes(node.acl);
  return (w) => writeGetACLResponse(w, { acl, stat: node.stat() });
}

/** The node, if it is there and the caller may read it. */
export function readable(path: string, { database, caller }: ReadContext): Znode {
  const node = database.tree.expect(path);
  requirePerm(node.acl, Perm.read, caller.identities);
  return node;
}

export function dataBody(node: Znode): Body {
  return (w) => writeGetDataResponse(w, { data: node.data, stat: node.stat() });
}

export function childrenBody(node: Znode): Body {
  return (w) => writeGetChildrenResponse(w, { children: node.children.list() });
}
