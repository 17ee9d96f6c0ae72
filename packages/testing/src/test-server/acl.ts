import { createHash } from 'node:crypto';
import { ErrorCode } from '@zookit/protocol';
import { ipMatches, isIpPattern } from './ip-pattern.ts';
import { Refusal } from './refusal.ts';

export const Perm = { read: 1, write: 2, create: 4, delete: 8, admin: 16, all: 31 } as const;

export interface Identity {
  scheme: string;
  id: string;
}

export interface Acl {
  perms: number;
  id: Identity;
}

/** An ACL as it came off the wire: anything in it may be null. */
export type UncheckedAcl = readonly {
  perms: number;
  id: { scheme: string | null; id: string | null } | null;
}[];

export const openAcl: readonly Acl[] = [{ perms: Perm.all, id: { scheme: 'world', id: 'anyone' } }];
export const readOnlyAcl: readonly Acl[] = [{ perms: Perm.read, id: { scheme: 'world', id: 'anyone' } }];

/** The identity that "user:password" proves. */
export function digestIdentity(credentials: string): Identity {
  const user = credentials.split(':', 1)[0] ?? '';
  return { scheme: 'digest', id: `${user}:${createHash('sha1').update(credentials).digest('base64')}` };
}

/** Refuses an empty or malformed ACL and puts the caller's own identities in the place of the scheme `auth`. */
export function resolveAcl(acl: UncheckedAcl | null, caller: readonly Identity[]): Acl[] {
  const resolved: Acl[] = [];
  for (const { perms, id } of withoutDuplicates(acl ?? [])) {
    if (id === null || id.scheme === null) throw new Refusal(ErrorCode.INVALID_ACL);
    const { scheme } = id;
    if (scheme === 'auth') {
      const proven = caller.filter((identity) => identity.scheme === 'digest');
      if (proven.length === 0) throw new Refusal(ErrorCode.INVALID_ACL);
      for (const identity of proven) resolved.push({ perms, id: identity });
    } else {
      if (id.id === null || !isKnownIdentity(scheme, id.id)) throw new Refusal(ErrorCode.INVALID_ACL);
      resolved.push({ perms, id: { scheme, id: id.id } });
    }
  }
  if (resolved.length === 0) throw new Refusal(ErrorCode.INVALID_ACL);
  return resolved;
}

function withoutDuplicates(acl: UncheckedAcl): UncheckedAcl {
  const seen = new Set<string>();
  return acl.filter(({ perms, id }) => {
    const key = JSON.stringify([perms, id?.scheme, id?.id]);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function isKnownIdentity(scheme: string, id: string): boolean {
  if (scheme === 'world') return id === 'anyone';
  if (scheme === 'digest') return /^[^:]*:[^:]+$/.test(id);
  return scheme === 'ip' && isIpPattern(id);
}

export function isAllowed(acl: readonly Acl[], perm: number, caller: readonly Identity[]): boolean {
  return acl.some(({ perms, id }) => (perms & perm) !== 0 && caller.concat(anyone).some((who) => matches(who, id)));
}

export function requirePerm(acl: readonly Acl[], perm: number, caller: readonly Identity[]): void {
  if (!isAllowed(acl, perm, caller)) throw new Refusal(ErrorCode.NO_AUTH);
}

const anyone: Identity = { scheme: 'world', id: 'anyone' };

function matches(who: Identity, wanted: Identity): boolean {
  if (who.scheme !== wanted.scheme) return false;
  return who.scheme === 'ip' ? ipMatches(who.id, wanted.id) : who.id === wanted.id;
}

/** What a caller without ADMIN gets to see: digests without their hashes. */
export function withoutHashes(acl: readonly Acl[]): Acl[] {
  return acl.map((entry) =>
    entry.id.scheme === 'digest'
      ? { perms: entry.perms, id: { scheme: 'digest', id: entry.id.id.replace(/:.*/, ':x') } }
      : entry,
  );
}
