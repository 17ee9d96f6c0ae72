import type { Connection, ConnectionHandlers, ZooKeeperError } from '@zookit/protocol';
import type { State, StateEvent } from './machine.ts';

/** What the session asks of the rest of the client. */
export interface SessionHooks extends Pick<ConnectionHandlers, 'onNotification' | 'onDrain'> {
  /** The connection, if there is one, is not to be used any more: before anybody is told of the new state. */
  leave(state: State, cause: ZooKeeperError | null): void;
  /** Everybody is told of a change of state. */
  onState(state: State, previous: State, event: StateEvent | undefined): void;
  /** Whoever holds something is told that it is in doubt, though the state says nothing of it. */
  onSuspect(): void;
  /** A connection is ready: send credentials, watches and calls. Resolves with whether the credentials were accepted on it; never rejects. */
  serve(connection: Connection): Promise<boolean>;
  /** The session is over; what depends on it fails with the error. */
  endSession(error: ZooKeeperError): void;
  /** The client is over; everything fails with the error. */
  stop(error: ZooKeeperError): void;
}
