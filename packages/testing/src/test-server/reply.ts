import { ErrorCode, OpCode, Xid } from '@zookit/protocol';
import { type RequestHeader, writeReplyHeader } from '@zookit/protocol/internal';
import type { JuteWriter } from 'jute-ts';
import type { Body } from './operations/operation.ts';

export interface Reply {
  readonly xid: number;
  readonly zxid: bigint;
  readonly err: number;
  readonly body: Body;
  /** Whether the connection ends behind this reply. */
  readonly last?: true;
}

/** An ordinary reply. A ping's carries its own xid, whatever was sent. */
export function replyTo(header: RequestHeader, zxid: bigint, err: number, body: Body): Reply {
  return { xid: header.type === OpCode.ping ? Xid.ping : header.xid, zxid, err, body };
}

export function unimplemented(header: RequestHeader): Reply {
  return { xid: header.xid, zxid: -1n, err: ErrorCode.UNIMPLEMENTED, body: null, last: true };
}

export function writeReply(w: JuteWriter, { xid, zxid, err, body }: Reply): void {
  writeFrame(w, () => {
    writeReplyHeader(w, { xid, zxid, err });
    body?.(w);
  });
}

/** Writes a frame behind what is written already. */
export function writeFrame(w: JuteWriter, write: () => void): void {
  const start = w.length;
  w.writeInt(0);
  write();
  w.patchInt(start, w.length - start - 4);
}
