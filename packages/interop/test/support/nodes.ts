import { isIP } from 'node:net';
import type { ZooKeeper } from 'zookit';

const CONTENDER =
  /^_c_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}-(?:lock-|lease-|__READ__|__WRIT__)\d{10}$/;

/** A znode, without what differs from one to the next by its nature. */
export interface Look {
  name: string;
  /** Null is not empty. */
  data: string | null;
  isEphemeral: boolean;
  acl: unknown;
  version: number;
  aclVersion: number;
}

/** The znodes from the root down to a contender's. Its name, where that has the right form, and addresses are replaced by words. */
export async function looks(zk: ZooKeeper, path: string): Promise<Look[]> {
  const names = path.slice(1).split('/');
  return Promise.all(
    names.map(async (name, i) => {
      const node = `/${names.slice(0, i + 1).join('/')}`;
      const [{ data, stat }, { acl }] = await Promise.all([zk.get(node), zk.getAcl(node)]);
      const text = data === null ? null : data.toString('latin1');
      return {
        name: name.replace(CONTENDER, 'CONTENDER'),
        data: text !== null && isIP(text) > 0 ? 'ADDRESS' : text,
        isEphemeral: stat.ephemeralOwner !== 0n,
        acl,
        version: stat.version,
        aclVersion: stat.aversion,
      };
    }),
  );
}
