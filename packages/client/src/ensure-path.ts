import type { ZooKeeperError } from '@zookit/protocol';
import type { ACL as WireAcl } from '@zookit/protocol/internal';
import { ACL, type AclInput, toWire } from './acl.ts';
import type { Core } from './core.ts';
import { underDeadline } from './deadline.ts';
import { optionsOf } from './given.ts';
import { mayKnow } from './known-calls.ts';
import { type CreateArgs, type Created, create, createContainer } from './operations/create.ts';
import type { Operation } from './operations/operation.ts';
import { exists } from './operations/read.ts';
import type { CallOptions } from './options.ts';
import { checkPath, type PathRoot, parentOf } from './paths.ts';

// An empty znode that was made twice is the same znode, so these may be sent again.
const persistent: Operation<CreateArgs, Created> = { ...create, name: 'ensurePath', repeatable: true };
const container: Operation<CreateArgs, Created> = { ...createContainer, name: 'ensurePath', repeatable: true };
const look = { ...exists, name: 'ensurePath' };

export interface EnsurePathOptions extends CallOptions {
  /** Make container znodes, which the server removes once they are empty again; persistent ones where it doesn't know them. Default false. */
  container?: boolean;
  /** Of the znodes that are made. Default: the client's, which is `ACL.OPEN` by default. */
  acl?: AclInput;
}

/** As a caller asks for it. */
export async function ensureRequested(
  core: Core,
  root: PathRoot,
  path: string,
  given: EnsurePathOptions,
): Promise<void> {
  checkPath(path, persistent.name);
  const requested = optionsOf(given, persistent.name, path, 'container: true');
  const { acl = core.settings.acl ?? ACL.OPEN, container, ...options } = requested;
  const records = toWire(acl, persistent.name, path);
  await underDeadline(core, options, { operation: persistent.name, path }, (inner) =>
    ensurePath(core, root, root.toServer(path), records, { ...inner, container: container === true }),
  );
}

/** Answers of a server that refuses a create before it looks whether the znode is there. */
const REFUSALS: ReadonlySet<string> = new Set(['NO_AUTH', 'NOT_READ_ONLY']);

/**
 * Makes a znode and those above it, as far as they are missing; the chroot is never made. `path` is the server's.
 *
 * Tries from the bottom up, and again when somebody removes a parent meanwhile.
 */
export async function ensurePath(
  core: Core,
  root: PathRoot,
  path: string,
  acl: WireAcl[],
  options: CallOptions & { container?: boolean },
): Promise<void> {
  const missing = root.mayMake(path) ? [path] : [];
  for (let target = missing.at(-1); target !== undefined; target = missing.at(-1)) {
    try {
      await makeOne(core, root, target, acl, options);
      missing.pop();
    } catch (error) {
      const { code } = error as ZooKeeperError;
      if (code === 'NODE_EXISTS') missing.pop();
      else if (code === 'NO_NODE' && root.mayMake(parentOf(target))) missing.push(parentOf(target));
      else if (REFUSALS.has(code) && (await isThere(core, root, target, options))) missing.pop();
      else throw error;
    }
  }
}

async function makeOne(
  core: Core,
  root: PathRoot,
  path: string,
  acl: WireAcl[],
  { container: wanted = false, signal, timeout }: CallOptions & { container?: boolean },
): Promise<void> {
  // Curator's containers have data of length 0.
  const args: CreateArgs = { path, data: wanted ? Buffer.alloc(0) : null, acl, mode: 'persistent', ttl: 0 };
  const name = root.toView(path);
  if (wanted && mayKnow(core, container.opcode)) {
    try {
      await core.dispatcher.call(container, { ...args, mode: 'container' }, name, { signal, timeout });
      return;
    } catch (error) {
      if ((error as ZooKeeperError).code !== 'UNIMPLEMENTED') throw error;
    }
  }
  await core.dispatcher.call(persistent, args, name, { signal, timeout });
}

async function isThere(core: Core, root: PathRoot, path: string, { signal, timeout }: CallOptions): Promise<boolean> {
  try {
    return (await core.dispatcher.call(look, { path, watch: false }, root.toView(path), { signal, timeout })) !== null;
  } catch (error) {
    // A server that keeps even this from those without READ says by it that the znode is there (CVE-2024-23944).
    if ((error as ZooKeeperError).code === 'NO_AUTH') return true;
    throw error;
  }
}
