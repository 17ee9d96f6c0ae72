import { CreateFlag, ErrorCode, OpCode } from '@zookit/protocol';
import {
  type CreateTTLRequest,
  readCreateRequest,
  readCreateTTLRequest,
  writeCreate2Response,
  writeCreateResponse,
} from '@zookit/protocol/internal';
import type { JuteReader } from 'jute-ts';
import { Perm, requirePerm, resolveAcl } from '../acl.ts';
import type { Database, WriteContext } from '../database.ts';
import { MalformedRequest, requirePath } from '../malformed.ts';
import type { NodeOrigin } from '../node.ts';
import { checkPath, parentOfNew } from '../paths.ts';
import { Refusal } from '../refusal.ts';
import type { Applied, Change } from '../transaction.ts';
import type { Body, Write } from './operation.ts';

const noTtl = -1n;
const maxTtl = 2n ** 40n - 1n;
const lastFlag = CreateFlag['persistent-sequential-ttl'];

/** create, create2, createContainer: path, data, ACL, flags; createTTL: the same and the ttl. */
export function decodeCreate(r: JuteReader, opcode: number): Write {
  return createOf(readCreate(r, opcode), opcode);
}

/** In a multi the flags may make another operation of it, and flags that need a ttl are malformed without one. */
export function decodeCreateInMulti(r: JuteReader, opcode: number, database: Database): Write {
  const request = readCreate(r, opcode);
  const { flags } = request;
  if (opcode !== OpCode.createTTL && (flags < 0 || flags > lastFlag || isTtl(flags) || request.acl === null)) {
    throw new MalformedRequest(`flags ${flags} of a create in a multi`);
  }
  if (isTtl(flags)) return createOf(request, OpCode.createTTL);
  if (flags === CreateFlag.container) return createOf({ ...request, ttl: noTtl }, OpCode.createContainer);
  if (opcode === OpCode.createTTL) return createOf({ ...request, ttl: noTtl }, OpCode.create);
  return createOf(request, opcode === OpCode.create2 && !database.profile.create2InMulti ? OpCode.create : opcode);
}

function readCreate(r: JuteReader, opcode: number): CreateTTLRequest {
  return opcode === OpCode.createTTL ? readCreateTTLRequest(r) : { ...readCreateRequest(r), ttl: noTtl };
}

function createOf(request: CreateTTLRequest, opcode: number): Write {
  // The bytes lie in a chunk that belongs to the socket.
  const data = request.data === null ? null : Buffer.from(request.data);
  const body = opcode === OpCode.create ? pathOnly : pathAndStat;
  return {
    path: request.path,
    prepare: (context) => prepareCreate({ ...request, data }, opcode, context),
    reply: body,
    resultType: opcode === OpCode.create ? OpCode.create : OpCode.create2,
    result: body,
  };
}

function pathOnly({ path }: Applied): Body {
  return (w) => writeCreateResponse(w, { path });
}

function pathAndStat({ path, stat }: Applied): Body {
  return (w) => stat !== null && writeCreate2Response(w, { path, stat });
}

// The order of the checks decides which error a client sees, so it is Apache's.
function prepareCreate(request: CreateTTLRequest, opcode: number, context: WriteContext): Change {
  const { caller, pending, database } = context;
  const { flags, ttl } = request;
  if (flags < 0 || flags > lastFlag) throw new Refusal(ErrorCode.BAD_ARGUMENTS);
  if (isTtl(flags) && !database.ttlNodes) throw new Refusal(ErrorCode.UNIMPLEMENTED);
  if (isTtl(flags) ? ttl < 1n || ttl > maxTtl : ttl >= 0n) throw new Refusal(ErrorCode.BAD_ARGUMENTS);
  database.sessions.requireOwner(caller.sessionId, caller.member);
  const wanted = requirePath(request.path);
  const parentPath = parentOfNew(wanted);
  if (request.acl === null && database.profile.nullAclIsMalformed) throw new MalformedRequest('null ACL');
  const acl = resolveAcl(request.acl, caller.identities);
  const parent = pending.expect(parentPath);
  requirePerm(parent.acl, Perm.create, caller.identities);
  const path = isSequential(flags) ? wanted + sequenceSuffix(parent.creates) : wanted;
  checkPath(path);
  if (pending.find(path) !== null) throw new Refusal(ErrorCode.NODE_EXISTS);
  if (parent.ephemeral) throw new Refusal(ErrorCode.NO_CHILDREN_FOR_EPHEMERALS);
  const origin = originOf(request, opcode, acl, caller.sessionId);
  const creates = (parent.creates + 1) | 0;
  pending.change(parentPath, { ...parent, creates, childCount: parent.childCount + 1 });
  pending.change(path, {
    acl,
    version: 0,
    aversion: 0,
    creates: 0,
    childCount: 0,
    ephemeral: origin.kind === 'ephemeral',
  });
  return { kind: 'create', path, parent: parentPath, origin, creates };
}

/** Java's %010d: the sign counts as one of the ten characters. */
function sequenceSuffix(count: number): string {
  return count < 0 ? `-${String(-count).padStart(9, '0')}` : String(count).padStart(10, '0');
}

function isSequential(flags: number): boolean {
  return (
    flags === CreateFlag['persistent-sequential'] ||
    flags === CreateFlag['ephemeral-sequential'] ||
    flags === CreateFlag['persistent-sequential-ttl']
  );
}

function isTtl(flags: number): boolean {
  return flags === CreateFlag['persistent-ttl'] || flags === CreateFlag['persistent-sequential-ttl'];
}

// The request type decides the kind of node: flag 4 with a plain create makes a persistent one.
function originOf(request: CreateTTLRequest, opcode: number, acl: NodeOrigin['acl'], session: bigint): NodeOrigin {
  const { data, flags } = request;
  if (opcode === OpCode.createContainer) return { data, acl, kind: 'container', owner: 0n, ttl: 0 };
  if (opcode === OpCode.createTTL) {
    // Apache's server dies of a createTTL whose flags ask for no TTL node.
    if (!isTtl(flags)) throw new Refusal(ErrorCode.BAD_ARGUMENTS);
    return { data, acl, kind: 'ttl', owner: 0n, ttl: Number(request.ttl) };
  }
  const ephemeral = flags === CreateFlag.ephemeral || flags === CreateFlag['ephemeral-sequential'];
  return { data, acl, kind: ephemeral ? 'ephemeral' : 'persistent', owner: ephemeral ? session : 0n, ttl: 0 };
}
