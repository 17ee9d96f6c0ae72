import type { Connection, ConnectionHandlers } from '@zookit/protocol';

/** The handlers of a connection that is being opened. */
export interface OpeningHandlers extends ConnectionHandlers {
  /** The connection is there; it has delivered nothing yet. */
  opened(connection: Connection): void;
}

/** The handlers of one connection, which fall silent once it isn't the present one any more. */
export function whilePresent(present: () => Connection | null, handlers: ConnectionHandlers): OpeningHandlers {
  let mine: Connection | null = null;
  const isPresent = (): boolean => mine !== null && mine === present();
  return {
    opened: (connection) => {
      mine = connection;
    },
    onWake: () => {
      if (isPresent()) handlers.onWake();
    },
    onInputRead: () => {
      if (isPresent()) handlers.onInputRead();
    },
    onNotification: (event, zxid) => {
      if (isPresent()) handlers.onNotification(event, zxid);
    },
    onDrain: () => {
      if (isPresent()) handlers.onDrain();
    },
    onClosed: (cause) => (isPresent() ? handlers.onClosed(cause) : cause),
  };
}
