import { createHash } from 'node:crypto';
import { BadArgumentsError } from '@zookit/protocol';
import type { ACL as WireAcl } from '@zookit/protocol/internal';

/** Permissions of an ACL entry, to be added up. */
export const Perms = { READ: 1, WRITE: 2, CREATE: 4, DELETE: 8, ADMIN: 16, ALL: 31 } as const;

/** Who may do what with one znode. */
export interface ACL {
  perms: number;
  scheme: string;
  id: string;
}

/** One entry, or lists of them, nested at will. */
export type AclInput = ACL | readonly AclInput[];

interface AclHelpers {
  /** Everybody may do everything. */
  readonly OPEN: readonly ACL[];
  /** Everybody may read, nobody may change. */
  readonly READ: readonly ACL[];
  /** Whoever this connection has authenticated as may do everything; needs auth. */
  readonly CREATOR: readonly ACL[];
  /** An entry for one user of the digest scheme. `perms` defaults to all. */
  digest(user: string, password: string, perms?: number): ACL;
}

export const ACL: AclHelpers = {
  OPEN: Object.freeze([Object.freeze({ perms: Perms.ALL, scheme: 'world', id: 'anyone' })]),
  READ: [{ perms: Perms.READ, scheme: 'world', id: 'anyone' }],
  CREATOR: [{ perms: Perms.ALL, scheme: 'auth', id: '' }],
  digest(user, password, perms = Perms.ALL) {
    const hash = createHash('sha1').update(`${user}:${password}`).digest('base64');
    return { perms, scheme: 'digest', id: `${user}:${hash}` };
  },
};

/** The usual one needs no looking at, and no records of its own for each create. */
const openOnWire: WireAcl[] = [{ perms: Perms.ALL, id: { scheme: 'world', id: 'anyone' } }];

/** The records that go over the wire. Throws BadArgumentsError on what is no ACL. */
export function toWire(input: AclInput, operation: string, path: string): WireAcl[] {
  if (input === ACL.OPEN) return openOnWire;
  const entries = ([input] as readonly unknown[]).flat(Number.POSITIVE_INFINITY) as ACL[];
  return entries.map((entry) => {
    const { perms, scheme, id } = entry ?? {};
    const isMask = Number.isInteger(perms) && perms >= 0 && perms <= Perms.ALL;
    if (!isMask || typeof scheme !== 'string' || typeof id !== 'string') {
      throw new BadArgumentsError('BAD_ARGUMENTS', {
        operation,
        path,
        message: `an ACL entry is { perms: 0 to ${Perms.ALL}, scheme: string, id: string }`,
      });
    }
    return { perms, id: { scheme, id } };
  });
}

export function fromWire(acl: readonly WireAcl[] | null): ACL[] {
  return (acl ?? []).map(({ perms, id }) => ({ perms, scheme: id.scheme ?? '', id: id.id ?? '' }));
}
