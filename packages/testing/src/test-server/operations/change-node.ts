import { ErrorCode, OpCode } from '@zookit/protocol';
import {
  readCheckVersionRequest,
  readDeleteRequest,
  readSetACLRequest,
  readSetDataRequest,
  writeSetACLResponse,
  writeSetDataResponse,
} from '@zookit/protocol/internal';
import type { JuteReader } from 'jute-ts';
import { Perm, requirePerm, resolveAcl } from '../acl.ts';
import { requirePath } from '../malformed.ts';
import { checkPath, parentOfDoomed } from '../paths.ts';
import { nextVersion } from '../pending-changes.ts';
import { Refusal } from '../refusal.ts';
import type { Applied } from '../transaction.ts';
import type { Body, Write } from './operation.ts';

const nothing = (): Body => null;

/** delete: path, version. */
export function decodeDelete(r: JuteReader): Write {
  const request = readDeleteRequest(r);
  return {
    path: request.path,
    prepare: ({ caller, pending, database }) => {
      database.sessions.requireOwner(caller.sessionId, caller.member);
      const path = requirePath(request.path);
      const parentPath = parentOfDoomed(path);
      const parent = pending.expect(parentPath);
      if (database.profile.deleteLooksFirst) pending.expect(path);
      requirePerm(parent.acl, Perm.delete, caller.identities);
      const node = pending.expect(path);
      nextVersion(node.version, request.version);
      if (node.childCount > 0) throw new Refusal(ErrorCode.NOT_EMPTY);
      pending.change(parentPath, { ...parent, childCount: parent.childCount - 1 });
      pending.change(path, null);
      return { kind: 'delete', path, parent: parentPath };
    },
    reply: nothing,
    resultType: OpCode.delete,
    result: nothing,
  };
}

/** deleteContainer: path. The server's own request, but nobody keeps clients from sending it. */
export function decodeDeleteContainer(r: JuteReader): Write {
  const wanted = r.readUstring('DeleteContainerRequest.path');
  return {
    path: wanted,
    prepare: ({ pending }) => {
      const path = requirePath(wanted);
      const parentPath = parentOfDoomed(path);
      const node = pending.expect(path);
      if (node.childCount > 0) throw new Refusal(ErrorCode.NOT_EMPTY);
      if (node.ephemeral) throw new Refusal(ErrorCode.BAD_VERSION);
      pending.expect(parentPath);
      return { kind: 'delete', path, parent: parentPath };
    },
    reply: nothing,
    resultType: OpCode.delete,
    result: nothing,
  };
}

/** setData: path, data, version. */
export function decodeSetData(r: JuteReader): Write {
  const request = readSetDataRequest(r);
  // The bytes lie in a chunk that belongs to the socket.
  const data = request.data === null ? null : Buffer.from(request.data);
  const body = ({ stat }: Applied): Body => (stat === null ? null : (w) => writeSetDataResponse(w, { stat }));
  return {
    path: request.path,
    prepare: ({ caller, pending, database }) => {
      database.sessions.requireOwner(caller.sessionId, caller.member);
      const path = requirePath(request.path);
      checkPath(path);
      const node = pending.expect(path);
      requirePerm(node.acl, Perm.write, caller.identities);
      const version = nextVersion(node.version, request.version);
      pending.change(path, { ...node, version });
      return { kind: 'set-data', path, data, version };
    },
    reply: body,
    resultType: OpCode.setData,
    result: body,
  };
}

/** setACL: path, ACL, aversion. */
export function decodeSetAcl(r: JuteReader): Write {
  const request = readSetACLRequest(r);
  return {
    path: request.path,
    prepare: ({ caller, pending, database }) => {
      database.sessions.requireOwner(caller.sessionId, caller.member);
      const path = requirePath(request.path);
      checkPath(path);
      const acl = resolveAcl(request.acl, caller.identities);
      const node = pending.expect(path);
      requirePerm(node.acl, Perm.admin, caller.identities);
      const aversion = nextVersion(node.aversion, request.version);
      pending.change(path, { ...node, acl, aversion });
      return { kind: 'set-acl', path, acl, aversion };
    },
    reply: ({ stat }) => (stat === null ? null : (w) => writeSetACLResponse(w, { stat })),
    resultType: OpCode.setACL,
    result: nothing,
  };
}

/** check: path, version. Only in a multi. */
export function decodeCheck(r: JuteReader): Write {
  const request = readCheckVersionRequest(r);
  return {
    path: request.path,
    prepare: ({ caller, pending, database }) => {
      database.sessions.requireOwner(caller.sessionId, caller.member);
      const path = requirePath(request.path);
      checkPath(path);
      const node = pending.expect(path);
      requirePerm(node.acl, Perm.read, caller.identities);
      nextVersion(node.version, request.version);
      return { kind: 'check', path };
    },
    reply: nothing,
    resultType: OpCode.check,
    result: nothing,
  };
}
