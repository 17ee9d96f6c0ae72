import {
  readGetEphemeralsRequest,
  readSyncRequest,
  writeGetEphemeralsResponse,
  writeSyncResponse,
  writeWhoAmIResponse,
} from '@zookit/protocol/internal';
import type { JuteReader } from 'jute-ts';
import type { Body, ReadContext } from './operation.ts';

/** sync: path. With one tree for all members there is nothing to wait for. */
export function sync(r: JuteReader): Body {
  const { path } = readSyncRequest(r);
  return (w) => writeSyncResponse(w, { path });
}

/** getEphemerals: prefix; null, empty and "/" mean all. A prefix is one of characters, not of path components. */
export function getEphemerals(r: JuteReader, { database, caller }: ReadContext): Body {
  const prefix = readGetEphemeralsRequest(r).prefixPath ?? '';
  const all = database.tree.ephemeralsOf(caller.sessionId);
  const everything = ['', '/'].includes(prefix.trim());
  const ephemerals = everything ? all : all.filter((path) => path.startsWith(prefix));
  return (w) => writeGetEphemeralsResponse(w, { ephemerals });
}

/** whoAmI: the identities of this connection, without hashes. */
export function whoAmI(_r: JuteReader, { caller }: ReadContext): Body {
  const clientInfo = caller.identities.map(({ scheme, id }) => ({
    authScheme: scheme,
    user: scheme === 'digest' ? (id.split(':', 1)[0] ?? '') : id,
  }));
  return (w) => writeWhoAmIResponse(w, { clientInfo });
}
