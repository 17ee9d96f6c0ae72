import { ErrorCode } from '@zookit/protocol';
import { Refusal } from './refusal.ts';

/** Nodes that the server itself owns: nobody deletes them. */
const ownedByServer: readonly string[] = ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config'];

/** The rules of Java's PathUtils, by UTF-16 unit: supplementary characters are refused because their surrogates are. */
export function isValidPath(path: string): boolean {
  if (path === '/') return true;
  if (!path.startsWith('/') || path.endsWith('/')) return false;
  for (const name of path.slice(1).split('/')) {
    if (name === '' || name === '.' || name === '..') return false;
    for (let i = 0; i < name.length; i += 1) {
      if (isForbidden(name.charCodeAt(i))) return false;
    }
  }
  return true;
}

function isForbidden(unit: number): boolean {
  return unit <= 0x1f || (unit >= 0x7f && unit <= 0x9f) || (unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0;
}

export function checkPath(path: string): void {
  if (!isValidPath(path)) throw new Refusal(ErrorCode.BAD_ARGUMENTS);
}

/** What the server checks before it looks for the parent of a node to be made; '' is the root's other name. */
export function parentOfNew(path: string): string {
  const slash = path.lastIndexOf('/');
  if (slash < 0 || path.includes('\0')) throw new Refusal(ErrorCode.BAD_ARGUMENTS);
  return path.slice(0, slash);
}

/** What the server checks before it looks for the parent of a node to be deleted. */
export function parentOfDoomed(path: string): string {
  if (ownedByServer.includes(path)) throw new Refusal(ErrorCode.BAD_ARGUMENTS);
  return parentOfNew(path);
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The path, its parent and so on up to the root. */
export function* selfAndAncestors(path: string): Generator<string> {
  let at = path;
  while (at !== '') {
    yield at;
    if (at === '/') return;
    at = at.slice(0, at.lastIndexOf('/')) || '/';
  }
}
