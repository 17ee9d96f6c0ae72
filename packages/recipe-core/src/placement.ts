import { randomUUID } from 'node:crypto';
import type { AclInput, CreateMode, Data, Stat, ZooKeeper } from '@zookit/client';
import { coreOf, createMarked, nameOf, PROTECTED_PREFIX } from '@zookit/client/internal';
import { dataOrAddress } from './default-data.ts';
import { departMarked, leaveLater } from './departures.ts';
import type { Layout } from './driver.ts';
import { type Listing, list } from './listing.ts';
import { childOf } from './paths.ts';
import type { Patience } from './patience.ts';
import type { Place } from './place.ts';

/** How a contender's znode is made. */
export interface Placement {
  readonly zk: ZooKeeper;
  /** The znode whose children stand in line. */
  readonly base: string;
  /** The name of ours, behind what makes it unique and before its number. */
  readonly nodeName: string;
  /**
   * Default `curator`: a protected name, containers as parents. `kazoo`: a name after its fashion, persistent parents.
   */
  readonly layout?: Layout | undefined;
  /** Default `ephemeral-sequential`. */
  readonly mode?: CreateMode | undefined;
  /** Default: this end's address. */
  readonly data?: Data | undefined;
  readonly acl?: AclInput | undefined;
}

/** A place that was taken, and who else is there, as far as that is known yet. */
export interface Placed {
  place: Place;
  /** The children of the base, asked for right behind the create; null when that failed. */
  listing: Listing | null;
}

/**
 * Takes a place in line. The list of children leaves in the same tick as the create, so that both are one round trip.
 * Call it while the client is connected; null when the session was lost on the way.
 */
export async function takePlace(placement: Placement, patience: Patience): Promise<Placed | null> {
  const { zk, base } = placement;
  const { signal } = patience;
  const creating = create(placement, signal);
  // It may come before the create is done, with parents to be made or a reply lost: it counts only if it shows ours.
  const listed = list(zk, base).catch(() => null);
  const { path, stat } = await creating;
  try {
    const known = stat ?? (await zk.exists(path, { signal }));
    const listing = await patience.for(listed);
    const { grant } = coreOf(zk).session;
    // What an earlier session owned goes with it, and must not be mistaken for ours.
    if (grant === null || known === null || known.ephemeralOwner !== grant.id) return null;
    return { place: { path, name: nameOf(path), czxid: known.czxid, grant }, listing };
  } catch (error) {
    leaveLater(zk, path);
    throw error;
  }
}

function create(placement: Placement, signal: AbortSignal): Promise<{ path: string; stat: Stat | null }> {
  const { zk, base, nodeName, layout = 'curator', mode = 'ephemeral-sequential', acl } = placement;
  const data = dataOrAddress(zk, placement.data);
  const options = acl === undefined ? {} : { acl };
  const isKazoo = layout === 'kazoo';
  const mark = isKazoo ? randomUUID().replaceAll('-', '') : `${PROTECTED_PREFIX}${randomUUID()}-`;
  const parents = isKazoo || 'container';
  return createMarked(zk, childOf(base, nodeName), data, { ...options, mode, parents, signal }, mark, (gone) =>
    departMarked(zk, childOf(base, mark), gone),
  );
}
