import { randomUUID } from 'node:crypto';
import { BadArgumentsError, type CreateMode, type CreateOptions, type Data } from '@zookit/client';
import { nameOf, PROTECTED_PREFIX, parentOf } from '@zookit/client/internal';
import type { RecipeOptions } from '@zookit/recipe-core';
import { childOf, requirePolicy } from '@zookit/recipe-core/internal';

export interface PersistentNodeOptions extends RecipeOptions {
  /** Default `ephemeral`. */
  mode?: CreateMode | undefined;
  /** What the znode says. Default: this end's address as text. */
  data?: Data | undefined;
  /** Put Curator's `_c_UUID-` in front of the name, so that it is nobody else's. Default false. */
  protected?: boolean | undefined;
  /** For the TTL modes: ms after which the server removes the znode when nobody keeps it any more. */
  ttl?: number | undefined;
  /** Make missing parents, as containers; also those that somebody deletes later on. Default true. */
  parents?: boolean | undefined;
}

/** The mode of a znode that has its number already. */
const PLAIN = {
  persistent: 'persistent',
  'persistent-sequential': 'persistent',
  ephemeral: 'ephemeral',
  'ephemeral-sequential': 'ephemeral',
  container: 'container',
  'persistent-ttl': 'persistent-ttl',
  'persistent-sequential-ttl': 'persistent-ttl',
} as const satisfies Partial<Record<CreateMode, CreateMode>>;

/** How a znode is made, for the first time and again. */
export interface NodeKind {
  /** As the caller gave it. */
  readonly given: string;
  /** Where it is; null as long as the server has not given it a number. */
  readonly path: string | null;
  /** In front of a protected name. */
  readonly mark: string | null;
  readonly isEphemeral: boolean;
  readonly isContainer: boolean;
  readonly ttl: number | null;
  /** For the first create, where it gets its number. */
  readonly first: CreateOptions;
  /** For all later ones. */
  readonly again: CreateOptions;
}

/** Throws BadArgumentsError. */
export function kindOf(given: string, options: PersistentNodeOptions): NodeKind {
  const { mode = 'ephemeral', ttl, acl, parents = true } = options;
  const bad = (message: string): BadArgumentsError => new BadArgumentsError('BAD_ARGUMENTS', { path: given, message });
  requirePolicy(options, given);
  if (!Object.hasOwn(PLAIN, mode))
    throw bad(`mode must be one of ${Object.keys(PLAIN).join(', ')}, not ${String(mode)}`);
  const plain = PLAIN[mode];
  const hasTtl = plain === 'persistent-ttl';
  if (hasTtl !== (ttl !== undefined)) throw bad(hasTtl ? `mode ${mode} needs a ttl` : `mode ${mode} takes no ttl`);
  if (ttl !== undefined && !(Number.isInteger(ttl) && ttl >= 1)) {
    throw bad(`ttl must be a whole number of milliseconds of at least 1, not ${String(ttl)}`);
  }
  const mark = options.protected === true ? `${PROTECTED_PREFIX}${randomUUID()}-` : null;
  const shared: CreateOptions = {
    parents: parents ? 'container' : false,
    ...(acl === undefined ? {} : { acl }),
    ...(ttl === undefined ? {} : { ttl }),
  };
  return {
    given,
    path: mode === plain ? childOf(parentOf(given), `${mark ?? ''}${nameOf(given)}`) : null,
    mark,
    isEphemeral: plain === 'ephemeral',
    isContainer: plain === 'container',
    ttl: ttl ?? null,
    first: { ...shared, mode },
    again: { ...shared, mode: plain },
  };
}
