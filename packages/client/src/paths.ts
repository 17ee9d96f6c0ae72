import { PathError } from '@zookit/protocol';

// The characters that PathUtils of the Java server refuses, in UTF-16 units: controls, surrogates and private use, specials.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/;

/** Paths that are beyond doubt, told at one look; of the others each rule is asked. */
const PLAIN = /^(?:\/[\w-][\w.-]*)+$/;

/**
 * Throws PathError unless ZooKeeper accepts the path: absolute, no trailing slash, no empty, `.` or `..` part, no control
 * characters, no characters beyond U+FFFF.
 */
export function checkPath(path: string, operation?: string): void {
  if (typeof path === 'string' && PLAIN.test(path)) return;
  const why = fault(path);
  if (why !== null) {
    throw new PathError({
      path: typeof path === 'string' ? path : String(path),
      operation,
      message: `the path ${why}`,
    });
  }
}

/** As `checkPath`, for a path that the server will append a sequence number to: `/queue/` is allowed. */
export function checkSequentialPath(path: string, operation?: string): void {
  if (typeof path === 'string' && path.endsWith('/')) checkPath(`${path}1`, operation);
  else checkPath(path, operation);
}

function fault(path: string): string | null {
  if (typeof path !== 'string') return `must be a string, not ${path === null ? 'null' : typeof path}`;
  if (path === '/') return null;
  if (path === '') return 'is empty; the root is "/"';
  if (path[0] !== '/') return 'must start with "/"';
  if (path.endsWith('/')) return 'must not end with "/"';
  const forbidden = FORBIDDEN.exec(path);
  if (forbidden !== null) {
    const unit = path.charCodeAt(forbidden.index).toString(16).toUpperCase().padStart(4, '0');
    return `holds the character U+${unit} at ${forbidden.index}, which ZooKeeper does not allow`;
  }
  if (path.includes('//')) return 'has an empty part ("//")';
  if (path.includes('/.')) {
    const part = path.split('/').find((name) => name === '.' || name === '..');
    if (part !== undefined) return `has the part "${part}"; ZooKeeper knows no relative paths`;
  }
  return null;
}

/** Where a view of the tree begins, and how paths go into and out of it. */
export class PathRoot {
  /** `/` or a path without a trailing slash. */
  readonly path: string;
  /** The chroot of the connect string, in which namespaces lie. */
  readonly chroot: string;

  constructor(path: string, chroot: string = path) {
    this.path = path;
    this.chroot = chroot;
  }

  /** The server's path for a path of the view. */
  toServer(path: string): string {
    if (this.path === '/') return path;
    return path === '/' ? this.path : this.path + path;
  }

  /** The view's path for a server path. One that lies outside, such as `/zookeeper/config`, comes through whole. */
  toView(path: string): string {
    if (this.path === '/' || !path.startsWith(this.path)) return path;
    if (path.length === this.path.length) return '/';
    return path[this.path.length] === '/' ? path.slice(this.path.length) : path;
  }

  /** Whether a server path lies in the view. */
  contains(path: string): boolean {
    return this.path === '/' || path === this.path || path.startsWith(`${this.path}/`);
  }

  /** Whether a server path is one that may be made along the way: all below the chroot, which only `createChroot` makes. */
  mayMake(path: string): boolean {
    return path !== this.chroot && path.startsWith(this.chroot === '/' ? '/' : `${this.chroot}/`);
  }

  /** The root of a view under this one. */
  under(path: string): PathRoot {
    return new PathRoot(this.toServer(path), this.chroot);
  }
}

/** Where the ensemble's configuration lies: a server path, whatever the chroot. */
export const CONFIG_NODE = '/zookeeper/config';

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
