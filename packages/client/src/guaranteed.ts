import type { ZooKeeperError } from '@zookit/protocol';
import type { Core } from './core.ts';
import { exists } from './operations/read.ts';
import { deleteNode } from './operations/write.ts';
import { persevere } from './persevere.ts';

/**
 * Deletes a znode, however often the connection breaks, until it is gone or the client is over.
 *
 * After a lost reply the znode is looked at first: one that is younger than everything this client had seen when it began is not
 * the one that was meant. Rejects with what the server says of the first try, or ClosedError. `attempt` is one try.
 */
export function deleteGuaranteed(
  core: Core,
  path: string,
  version: number,
  name: string,
  attempt: () => Promise<void> = () => core.dispatcher.call(deleteNode, { path, version }, name, {}),
): Promise<void> {
  // 0n: nothing yet in this session, which says nothing of the znode's age.
  let seen = core.session.lastZxid;
  let doubt = false;
  return persevere(core, async () => {
    try {
      if (doubt || seen === 0n) {
        const stat = await core.dispatcher.call(exists, { path, watch: false }, name, {});
        if (doubt && (stat === null || stat.czxid > seen)) return;
        if (seen === 0n) seen = stat?.czxid ?? core.session.lastZxid;
      }
      await attempt();
    } catch (error) {
      const { code, maybeApplied } = error as ZooKeeperError;
      if (doubt && (code === 'NO_NODE' || code === 'BAD_VERSION')) return;
      doubt ||= maybeApplied === true;
      throw error;
    }
  });
}
