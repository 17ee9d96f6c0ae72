import {
  BadArgumentsError,
  CreateFlag,
  type CreateMode,
  UnimplementedError,
  type ZooKeeperError,
  zooKeeperError,
} from '@zookit/protocol';
import { ACL, type AclInput, toWire } from './acl.ts';
import type { Core } from './core.ts';
import { type Data, toBytes } from './data.ts';
import { remainder } from './deadline.ts';
import { ensurePath } from './ensure-path.ts';
import { optionsOf } from './given.ts';
import { mayKnow } from './known-calls.ts';
import { type CreateArgs, type Created, create, create2, createFor, isSequential, isTtl } from './operations/create.ts';
import { type CallOptions, checkCallOptions } from './options.ts';
import { checkPath, checkSequentialPath, type PathRoot, parentOf } from './paths.ts';
import { createProtected, type OwnMark } from './protected-create.ts';

export interface CreateOptions extends CallOptions {
  /** Default `persistent`. */
  mode?: CreateMode;
  /** For the TTL modes: ms after its last change at which the childless znode is removed, 1 to 2^40 - 1. */
  ttl?: number;
  /** Default: the client's, which is `ACL.OPEN` by default. */
  acl?: AclInput;
  /**
   * Make missing parents, a namespace's own path included, without data: persistent ones, or containers, which the server removes once
   * they are empty again. Default false.
   */
  parents?: boolean | 'container';
  /** Put Curator's `_c_UUID-` in front of the name, so that a create whose reply was lost finds its own znode. Default false. */
  protected?: boolean;
}

const MAX_TTL = 2 ** 40 - 1;

/** The whole of a create: checks, request, parents, protection, and the way around what a server doesn't know. */
export async function createNode(
  core: Core,
  root: PathRoot,
  path: string,
  data: Data | undefined,
  given: CreateOptions,
  mark?: OwnMark,
): Promise<Created> {
  const options = optionsOf(given, 'create', path, "mode: 'ephemeral'");
  const args = createArgs(core, root, path, data, options);
  checkCallOptions(options, 'create');
  const left = remainder(core, options);
  const isProtected = options.protected === true;
  let operation = operationFor(core, args.mode);
  for (;;) {
    try {
      const created = await (isProtected
        ? createProtected(core, args, path, left(), (protectedArgs) => start(core, protectedArgs, path), mark)
        : core.dispatcher.call(operation, args, path, left()));
      return { path: root.toView(created.path), stat: created.stat };
    } catch (error) {
      const instead = isProtected ? null : insteadOf(operation, error);
      if (instead !== null) {
        operation = instead;
        continue;
      }
      const { code } = error as ZooKeeperError;
      if (code !== 'NO_NODE' || !options.parents || !root.mayMake(parentOf(args.path)))
        throw about(error as ZooKeeperError, root, args.path);
    }
    const parent = parentOf(args.path);
    const acl = toWire(options.acl ?? core.settings.acl ?? ACL.OPEN, 'create', path);
    await ensurePath(core, root, parent, acl, { ...left(), container: options.parents === 'container' });
  }
}

/** The request for what a caller wants created. Throws BadArgumentsError or PathError. */
export function createArgs(
  core: Core,
  root: PathRoot,
  path: string,
  data: Data | undefined,
  options: CreateOptions,
): CreateArgs {
  const { mode = 'persistent', ttl, acl = core.settings.acl ?? ACL.OPEN } = options;
  if (!Object.hasOwn(CreateFlag, mode))
    throw bad(path, `mode must be one of ${Object.keys(CreateFlag).join(', ')}, not ${String(mode)}`);
  if (isSequential(mode)) checkSequentialPath(path, 'create');
  else checkPath(path, 'create');
  if (isTtl(mode) !== (ttl !== undefined))
    throw bad(path, isTtl(mode) ? `mode ${mode} needs a ttl` : `mode ${mode} takes no ttl`);
  if (ttl !== undefined && !(Number.isInteger(ttl) && ttl >= 1 && ttl <= MAX_TTL)) {
    throw bad(path, `ttl must be a whole number of milliseconds from 1 to ${MAX_TTL}, not ${String(ttl)}`);
  }
  return {
    // "/" as the prefix of a sequential znode means one right under the view's root, not one beside it.
    path: path === '/' && root.path !== '/' ? `${root.path}/` : root.toServer(path),
    data: toBytes(data, 'create', path),
    acl: toWire(acl, 'create', path),
    mode,
    ttl: ttl ?? 0,
  };
}

function bad(path: string, message: string): BadArgumentsError {
  return new BadArgumentsError('BAD_ARGUMENTS', { operation: 'create', path, message });
}

/** Plain modes work on servers without create2 (3.4), at the price of the stat. */
function operationFor(core: Core, mode: CreateMode): typeof create2 {
  const operation = createFor(mode);
  return operation === create2 && !mayKnow(core, create2.opcode) ? create : operation;
}

/** What is to be sent now that the server has said that it doesn't know the request; null when that isn't the matter, or nothing will do. */
function insteadOf(operation: typeof create2, error: unknown): typeof create2 | null {
  return operation === create2 && error instanceof UnimplementedError ? create : null;
}

async function withFallback(
  core: Core,
  args: CreateArgs,
  send: (operation: typeof create2) => Promise<Created>,
): Promise<Created> {
  const operation = operationFor(core, args.mode);
  try {
    return await send(operation);
  } catch (error) {
    const instead = insteadOf(operation, error);
    if (instead === null) throw error;
    return send(instead);
  }
}

function start(
  core: Core,
  args: CreateArgs,
  path: string,
): { promise: Promise<Created>; withdraw(reason: unknown): boolean } {
  let present: { withdraw(reason: unknown): boolean } | null = null;
  let withdrawn: { reason: unknown } | null = null;
  const promise = withFallback(core, args, (operation) => {
    if (withdrawn !== null) return Promise.reject(withdrawn.reason);
    const call = core.dispatcher.start(operation, args, path);
    present = call;
    return call.promise;
  });
  return {
    promise,
    withdraw: (reason) => {
      withdrawn = { reason };
      return present?.withdraw(reason) ?? true;
    },
  };
}

/** A missing chroot or namespace looks like a missing parent; it is named, because the caller's path doesn't show it. */
function about(error: ZooKeeperError, root: PathRoot, serverPath: string): ZooKeeperError {
  if (error.code !== 'NO_NODE' || root.path === '/' || parentOf(serverPath) !== root.path) return error;
  const isChroot = root.path === root.chroot;
  return zooKeeperError('NO_NODE', {
    path: error.path,
    operation: 'create',
    errno: error.errno,
    cause: error,
    message: `the ${isChroot ? 'chroot' : 'namespace'} ${JSON.stringify(root.path)} does not exist; make it, or ${isChroot ? 'connect with createChroot: true' : 'create with parents: true'}`,
  });
}
