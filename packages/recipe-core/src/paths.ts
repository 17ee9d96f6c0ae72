import { PathError, type ZooKeeper } from '@zookit/client';

/** The path of a child. */
export function childOf(base: string, name: string): string {
  return base === '/' ? `/${name}` : `${base}/${name}`;
}

/** Throws PathError unless the path is one that ZooKeeper allows. */
export function requirePath(zk: ZooKeeper, path: string): void {
  try {
    // The client checks a namespace at once, by the same rules as any path.
    zk.namespace(path);
  } catch (error) {
    if (!(error instanceof PathError)) throw error;
    const message = error.message.slice(error.message.indexOf(': ') + 2);
    throw new PathError({ path: error.path, message });
  }
}
