import type { ZooKeeperError } from '@zookit/protocol';
import type { ACL as WireAcl } from '@zookit/protocol/internal';
import type { Core } from './core.ts';
import { type CreateArgs, type Created, create2, createContainer } from './operations/create.ts';
import type { Operation } from './operations/operation.ts';
import type { CallOptions } from './options.ts';
import { parentOf } from './paths.ts';

// An empty znode that was made twice is the same znode, so these may be sent again.
const repeatablePersistent: Operation<CreateArgs, Created> = { ...create2, name: 'ensurePath', repeatable: true };
const repeatableContainer: Operation<CreateArgs, Created> = {
  ...createContainer,
  name: 'ensurePath',
  repeatable: true,
};

export interface EnsureOptions extends CallOptions {
  /** Make container znodes, which the server removes once they are empty again; persistent ones where it doesn't know them. */
  container?: boolean;
}

/**
 * Makes a znode and those above it, as far as they are missing; `top` is the view's root, which is never made.
 *
 * Tries from the bottom up, and again when somebody removes a parent meanwhile.
 */
export async function ensurePath(
  core: Core,
  path: string,
  top: string,
  acl: WireAcl[],
  options: EnsureOptions,
): Promise<void> {
  const missing = [path];
  while (missing.length > 0) {
    const target = missing[missing.length - 1] as string;
    if (target === '/' || target === top) {
      missing.pop();
      continue;
    }
    try {
      await makeOne(core, target, acl, options);
      missing.pop();
    } catch (error) {
      const { code } = error as ZooKeeperError;
      if (code === 'NODE_EXISTS') missing.pop();
      else if (code === 'NO_NODE' && parentOf(target) !== top && parentOf(target) !== '/')
        missing.push(parentOf(target));
      else throw error;
    }
  }
}

async function makeOne(
  core: Core,
  path: string,
  acl: WireAcl[],
  { container = false, signal, timeout }: EnsureOptions,
): Promise<void> {
  const args: CreateArgs = { path, data: null, acl, mode: 'persistent', ttl: 0 };
  if (container && !core.dispatcher.lacks(createContainer.opcode)) {
    try {
      await core.dispatcher.call(repeatableContainer, { ...args, mode: 'container' }, path, { signal, timeout });
      return;
    } catch (error) {
      if ((error as ZooKeeperError).code !== 'UNIMPLEMENTED') throw error;
    }
  }
  await core.dispatcher.call(repeatablePersistent, args, path, { signal, timeout });
}
