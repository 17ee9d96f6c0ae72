import { ErrorCode, OpCode } from '@zookit/protocol';
import { type RequestHeader, readAuthPacket, writeSetSASLResponse } from '@zookit/protocol/internal';
import { JuteError, type JuteReader } from 'jute-ts';
import { digestIdentity, type Identity } from './acl.ts';
import type { ConnectionHost } from './connection-host.ts';
import type { Caller } from './database.ts';
import { MalformedRequest } from './malformed.ts';
import { decodeMulti, multiBody } from './operations/multi.ts';
import { reads, writes } from './operations/table.ts';
import { Refusal } from './refusal.ts';
import { type Reply, replyTo, unimplemented } from './reply.ts';

export interface Asker extends Caller {
  addIdentity(identity: Identity): void;
}

/** Performs a request. `cut`: the connection ends without a reply. */
export function answerRequest(header: RequestHeader, r: JuteReader, asker: Asker, host: ConnectionHost): Reply | 'cut' {
  const { database } = host;
  const answer = (err: number): Reply => replyTo(header, database.tree.lastZxid, err, null);
  if (!database.profile.opcodes.has(header.type)) return unknownRequest(header, host);
  try {
    return perform(header, r, asker, host);
  } catch (error) {
    if (error instanceof Refusal) return error.code === ErrorCode.SESSION_MOVED ? 'cut' : answer(error.code);
    if (error instanceof JuteError || error instanceof MalformedRequest) return answer(ErrorCode.MARSHALLING_ERROR);
    throw error;
  }
}

function perform(header: RequestHeader, r: JuteReader, asker: Asker, host: ConnectionHost): Reply | 'cut' {
  const { database } = host;
  const { type } = header;
  switch (type) {
    case OpCode.ping:
      return replyTo(header, database.tree.lastZxid, 0, null);
    case OpCode.auth:
      return authenticate(header, r, asker);
    case OpCode.sasl:
      // No SASL here: no token, and the connection goes on unauthenticated.
      return replyTo(header, 0n, 0, (w) => writeSetSASLResponse(w, { token: null }));
    case OpCode.closeSession:
      host.endSession(asker.sessionId, asker);
      return database.profile.answersClose
        ? { ...replyTo(header, database.tree.lastZxid, 0, null), last: true }
        : 'cut';
  }
  const read = reads.get(type);
  if (host.readOnly && (read === undefined || type === OpCode.sync)) throw new Refusal(ErrorCode.NOT_READ_ONLY);
  if (read !== undefined) {
    const body = read(r, { database, caller: asker });
    return replyTo(header, database.tree.lastZxid, 0, body);
  }
  return type === OpCode.multi ? performMulti(header, r, asker, host) : performWrite(header, r, asker, host);
}

function performWrite(header: RequestHeader, r: JuteReader, asker: Asker, host: ConnectionHost): Reply | 'cut' {
  const { database } = host;
  const decode = writes.get(header.type);
  if (decode === undefined) return unknownRequest(header, host);
  const write = decode(r, header.type, database);
  const outcome = database.write(asker, [write.prepare]);
  if (outcome.applied === null) throw new Refusal(outcome.code);
  const [applied] = outcome.applied;
  return replyTo(header, database.tree.lastZxid, 0, applied === undefined ? null : write.reply(applied));
}

function performMulti(header: RequestHeader, r: JuteReader, asker: Asker, { database }: ConnectionHost): Reply {
  const list = decodeMulti(r, database);
  const outcome = database.write(
    asker,
    list.map((write) => write.prepare),
  );
  return replyTo(header, database.tree.lastZxid, 0, multiBody(list, outcome));
}

function authenticate(header: RequestHeader, r: JuteReader, asker: Asker): Reply {
  const { scheme, auth } = readAuthPacket(r);
  if (scheme === 'digest' && auth !== null) asker.addIdentity(digestIdentity(auth.toString()));
  if (scheme === 'digest' || scheme === 'ip') return replyTo(header, 0n, 0, null);
  return { ...replyTo(header, 0n, ErrorCode.AUTH_FAILED, null), last: true };
}

function unknownRequest(header: RequestHeader, { database }: ConnectionHost): Reply | 'cut' {
  return database.profile.unknownOpcode === 'unimplemented' ? unimplemented(header) : 'cut';
}
