import { CreateFlag, type CreateMode, OpCode, type Stat } from '@zookit/protocol';
import {
  type ACL,
  readCreate2Response,
  readCreateResponse,
  writeCreateRequest,
  writeCreateTTLRequest,
} from '@zookit/protocol/internal';
import type { Operation } from './operation.ts';

export interface CreateArgs {
  path: string;
  data: Uint8Array | null;
  acl: ACL[];
  mode: CreateMode;
  ttl: number;
}

/** The created znode; `stat` is null from servers without create2 (3.4). `path` is null where a server sends null. */
export interface Created {
  path: string;
  stat: Stat | null;
}

// create2, createContainer: path ustring, data buffer, acl vector<ACL>, flags int -> path ustring, stat Stat
// create: the same -> path ustring
// createTTL: path, data, acl, flags, ttl long (ms) -> path, stat

function plain(opcode: number, read: Operation<CreateArgs, Created>['read']): Operation<CreateArgs, Created> {
  return {
    name: 'create',
    opcode,
    repeatable: false,
    write: (writer, { path, data, acl, mode }) =>
      writeCreateRequest(writer, { path, data, acl, flags: CreateFlag[mode] }),
    read,
  };
}

const readWithStat: Operation<CreateArgs, Created>['read'] = (reader, args) => {
  const { path, stat } = readCreate2Response(reader);
  return { path: path ?? args.path, stat };
};

export const create2: Operation<CreateArgs, Created> = plain(OpCode.create2, readWithStat);
export const createContainer: Operation<CreateArgs, Created> = plain(OpCode.createContainer, readWithStat);

/** For servers without create2: the stat stays unknown. */
export const create: Operation<CreateArgs, Created> = plain(OpCode.create, (reader, args) => {
  return { path: readCreateResponse(reader).path ?? args.path, stat: null };
});

export const createTtl: Operation<CreateArgs, Created> = {
  name: 'create',
  opcode: OpCode.createTTL,
  repeatable: false,
  write: (writer, { path, data, acl, mode, ttl }) =>
    writeCreateTTLRequest(writer, { path, data, acl, flags: CreateFlag[mode], ttl: BigInt(ttl) }),
  read: readWithStat,
};

/** The request for a mode, on a server that knows all of them. */
export function createFor(mode: CreateMode): Operation<CreateArgs, Created> {
  if (mode === 'container') return createContainer;
  return isTtl(mode) ? createTtl : create2;
}

export function isTtl(mode: CreateMode): boolean {
  return mode === 'persistent-ttl' || mode === 'persistent-sequential-ttl';
}

export function isSequential(mode: CreateMode): boolean {
  return mode === 'persistent-sequential' || mode === 'ephemeral-sequential' || mode === 'persistent-sequential-ttl';
}
