import { type Connection, OpCode } from '@zookit/protocol';

/** Ends the session on the server. True when the server has answered; false when the connection broke first, as some servers answer. */
export function endSession(connection: Connection): Promise<boolean> {
  return new Promise((resolve) => {
    if (connection.closed) {
      resolve(false);
      return;
    }
    connection.send({
      opcode: OpCode.closeSession,
      xid: 0,
      sentAt: 0,
      write: () => {},
      onReply: () => resolve(true),
      onFailure: () => resolve(false),
    });
  });
}
