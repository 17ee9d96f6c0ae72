import type { Core } from './core.ts';
import type { Session } from './session/grant.ts';
import type { State } from './session/machine.ts';

/** The server that a client is connected to. */
export interface Server {
  /** As written in the connect string. */
  host: string;
  address: string;
  port: number;
}

/** How a client is, at one moment. */
export interface Health {
  state: State;
  /** When the state began, in ms since the epoch. */
  since: number;
  session: Session | null;
  server: Server | null;
  /** ms since the last thing was sent in this session that the server has answered; null without a session. */
  lastAnswered: number | null;
  /** Requests that wait for their replies. */
  inFlight: number;
  /** Calls that wait to be sent. */
  queued: number;
  /** Watches that are set. */
  watches: number;
}

export function healthOf(core: Core): Health {
  const { session, dispatcher, watches, persistent } = core;
  const { clock } = core.settings.environment;
  const { grant } = session;
  const now = clock.now();
  return {
    state: session.state,
    since: Math.round(clock.wallNow() - (now - session.since)),
    session: grant,
    server: serverOf(core),
    lastAnswered: grant === null ? null : Math.max(0, now - (grant.deadline - grant.timeout)),
    inFlight: dispatcher.inFlight,
    queued: dispatcher.queued,
    watches: watches.size + persistent.size,
  };
}

export function serverOf({ session }: Core): Server | null {
  const target = session.connection?.target;
  return target === undefined ? null : { host: target.host, address: target.address, port: target.port };
}
