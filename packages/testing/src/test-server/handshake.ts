import { readConnectRequest, writeConnectResponse } from '@zookit/protocol/internal';
import { JuteError, JuteReader, type JuteWriter } from 'jute-ts';
import type { ConnectionHost } from './connection-host.ts';
import type { Session } from './sessions.ts';

export interface Handshake {
  readonly lastZxidSeen: bigint;
  readonly timeout: number;
  /** 0 for a new session. */
  readonly sessionId: bigint;
  readonly password: Buffer | null;
  readonly readOnly: boolean;
  /** Clients up to 3.3 know nothing of read-only servers, and their reply says nothing of it either. */
  readonly knowsReadOnly: boolean;
}

/** What a handshake comes to. `cut`: the connection ends without a byte; `refused`: there is no such session. */
export type HandshakeOutcome =
  | { readonly kind: 'session'; readonly session: Session; readonly resumed: boolean; readonly timeout: number }
  | { readonly kind: 'cut' }
  | { readonly kind: 'refused' };

/** The body of the first frame; null when it is no handshake. */
export function readHandshake(frame: Buffer): Handshake | null {
  const r = new JuteReader(frame);
  try {
    const { lastZxidSeen, timeOut: timeout, sessionId, passwd } = readConnectRequest(r);
    const knowsReadOnly = r.remaining > 0;
    const readOnly = knowsReadOnly && r.readBoolean('ConnectRequest.readOnly');
    return { lastZxidSeen, timeout, sessionId, password: passwd, readOnly, knowsReadOnly };
  } catch (error) {
    if (error instanceof JuteError) return null;
    throw error;
  }
}

/** Makes or resumes a session. A resume takes the session from whatever connection of this member has it. */
export function openSession(handshake: Handshake, host: ConnectionHost): HandshakeOutcome {
  const { database, readOnly, member, minSessionTimeout, maxSessionTimeout } = host;
  const { sessionId: id } = handshake;
  if (readOnly && !handshake.readOnly) return { kind: 'cut' };
  if (handshake.lastZxidSeen > database.tree.lastZxid) return { kind: 'cut' };
  const timeout = Math.min(Math.max(handshake.timeout, minSessionTimeout), maxSessionTimeout);
  if (id === 0n || !database.profile.sessionOutlivesConnection) {
    const session = readOnly
      ? host.createLocalSession(timeout)
      : database.createSession(host.serverId, member, timeout);
    return { kind: 'session', session, resumed: false, timeout };
  }
  // Before the password is looked at: so does Apache's server.
  host.cutSession(id);
  const session = readOnly ? host.localSession(id) : database.sessions.get(id);
  if (session === undefined) {
    // A session of the quorum lives, but whoever could confirm that cannot be reached.
    return readOnly && database.sessions.get(id) !== undefined ? { kind: 'cut' } : { kind: 'refused' };
  }
  if (handshake.password === null || !session.password.equals(handshake.password)) return { kind: 'refused' };
  session.timeout = timeout;
  session.owner = member;
  database.sessions.touch(session);
  return { kind: 'session', session, resumed: true, timeout };
}

/** The body of the first frame to the client; zeros in the place of a session that is not granted. */
export function writeHandshakeReply(
  w: JuteWriter,
  handshake: Handshake,
  outcome: HandshakeOutcome,
  host: ConnectionHost,
): void {
  const granted = outcome.kind === 'session';
  const resumable = granted && host.database.profile.sessionOutlivesConnection;
  writeConnectResponse(w, {
    protocolVersion: 0,
    timeOut: granted ? outcome.timeout : 0,
    sessionId: granted ? outcome.session.id : 0n,
    passwd: resumable ? outcome.session.password : Buffer.alloc(16),
  });
  if (handshake.knowsReadOnly) w.writeBoolean(host.readOnly);
}
