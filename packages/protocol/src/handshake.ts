import { JuteReader, type JuteWriter } from 'jute-ts';
import { errorFromReply, zooKeeperError } from './errors.ts';
import { readConnectResponse, readReplyHeader, writeConnectRequest } from './records.ts';

/** What a client asks of a server when it connects. */
export interface HandshakeRequest {
  lastZxidSeen: bigint;
  /** Wanted session timeout in ms; the server negotiates. */
  sessionTimeout: number;
  /** 0n for a new session. */
  sessionId: bigint;
  password: Uint8Array;
  readOnly: boolean;
}

/** What the server granted. */
export interface HandshakeResponse {
  sessionId: bigint;
  password: Buffer;
  /** Negotiated session timeout in ms. */
  sessionTimeout: number;
  /** Whether the server is cut off from its quorum. */
  readOnly: boolean;
}

export function writeHandshake(writer: JuteWriter, request: HandshakeRequest): void {
  const start = writer.length;
  writer.writeInt(0);
  writeConnectRequest(writer, {
    protocolVersion: 0,
    lastZxidSeen: request.lastZxidSeen,
    timeOut: request.sessionTimeout,
    sessionId: request.sessionId,
    passwd: request.password,
  });
  writer.writeBoolean(request.readOnly);
  writer.patchInt(start, writer.length - start - 4);
}

/** A bare reply header in place of a ConnectResponse: how a read-only server refuses a session that it can't make. */
const REFUSAL_LENGTH = 16;
/** ClickHouse Keeper's answer when it has no leader, or is behind the client. */
const NO_LEADER_VERSION = 42;

/**
 * Reads the first frame that a server sends.
 *
 * Throws SessionExpiredError (no such session, or not with this password), NotReadOnlyError and ConnectionLossError (this server
 * won't have us now: try another), ProtocolError or JuteError (not ZooKeeper).
 */
export function readHandshake(frame: Buffer): HandshakeResponse {
  const reader = new JuteReader(frame);
  if (frame.length === REFUSAL_LENGTH) {
    throw errorFromReply(readReplyHeader(reader).err, { operation: 'connect' });
  }
  const { protocolVersion, timeOut, sessionId, passwd } = readConnectResponse(reader);
  // Servers up to 3.3, and some others, end here.
  const readOnly = reader.remaining > 0 && reader.readBoolean('ConnectResponse.readOnly');
  if (protocolVersion === NO_LEADER_VERSION) {
    throw zooKeeperError('CONNECTION_LOSS', {
      operation: 'connect',
      message: 'the server has no leader or is behind this client',
    });
  }
  if (timeOut <= 0)
    throw zooKeeperError('SESSION_EXPIRED', { operation: 'connect', message: 'the server has no such session' });
  return { sessionId, password: Buffer.from(passwd ?? []), sessionTimeout: timeOut, readOnly };
}
