import { type Connection, OpCode } from '@zookit/protocol';

/** Ends the session on the server; resolves when the server has answered or hung up. */
export function endSession(connection: Connection): Promise<void> {
  return new Promise((resolve) => {
    if (connection.closed) {
      resolve();
      return;
    }
    connection.send({
      opcode: OpCode.closeSession,
      xid: 0,
      sentAt: 0,
      write: () => {},
      onReply: () => resolve(),
      onFailure: () => resolve(),
    });
  });
}
