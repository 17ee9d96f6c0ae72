/** Where a client stands. What each state obliges to is in docs/internals/connection-lifecycle.md. */
export type State = 'connecting' | 'connected' | 'readonly' | 'suspended' | 'lost' | 'auth-failed' | 'closed';

/** What may happen to a session. */
export type Input =
  /** A handshake gave the client its first session, or took over the one it was asked to. */
  | 'first-session'
  /** A handshake gave a new session after a lost one. */
  | 'next-session'
  /** A handshake resumed the session. */
  | 'resumed'
  /** A handshake with a read-only server. */
  | 'granted-read-only'
  | 'socket-lost'
  /** The session is over, by the clock or by a server's word. */
  | 'session-over'
  | 'renew'
  | 'auth-refused'
  | 'close';

export type StateEvent =
  | 'connected'
  | 'suspended'
  | 'reconnected'
  | 'lost'
  | 'renewed'
  | 'readonly'
  | 'auth-failed'
  | 'closed';

/** What the session has to do on the way. */
export type Effect =
  /** Send auth, watches and waiting calls on the new connection. */
  | 'serve'
  /** Look for a server. */
  | 'connect'
  /** Tell the session's signal and watches that it is over, and fail its writes. */
  | 'end-session'
  /** Fail every call, drop the connection. */
  | 'stop';

export interface Edge {
  next: State;
  event?: StateEvent;
  effects: readonly Effect[];
  why: string;
}

const closing: Edge = {
  next: 'closed',
  event: 'closed',
  effects: ['stop'],
  why: 'close() was called, or connectTimeout ran out',
};
const refused: Edge = {
  next: 'auth-failed',
  event: 'auth-failed',
  effects: ['stop'],
  why: 'a server refused the credentials; trying again would not help',
};

/** THE state machine: state x input -> edge. An input that a state doesn't list is a defect, and throws. */
export const machine: Readonly<Record<State, Readonly<Partial<Record<Input, Edge>>>>> = {
  connecting: {
    'first-session': {
      next: 'connected',
      event: 'connected',
      effects: ['serve'],
      why: 'a server granted the first session',
    },
    'next-session': {
      next: 'connected',
      event: 'renewed',
      effects: ['serve'],
      why: 'a server granted a new session after a lost one',
    },
    'granted-read-only': {
      next: 'readonly',
      event: 'readonly',
      effects: ['serve'],
      why: 'only a read-only server answered, and that is allowed',
    },
    'session-over': {
      next: 'lost',
      event: 'lost',
      effects: ['end-session'],
      why: 'the session to take over is gone, or the password is wrong',
    },
    'auth-refused': refused,
    close: closing,
  },
  connected: {
    'socket-lost': {
      next: 'suspended',
      event: 'suspended',
      effects: ['connect'],
      why: 'the socket is gone; the session may live on',
    },
    'session-over': {
      next: 'lost',
      event: 'lost',
      effects: ['end-session'],
      why: 'the lease ran out, or a server said so',
    },
    'auth-refused': refused,
    close: closing,
  },
  readonly: {
    'socket-lost': {
      next: 'suspended',
      event: 'suspended',
      effects: ['connect'],
      why: 'the socket is gone, or was given up for a writable server',
    },
    'session-over': {
      next: 'lost',
      event: 'lost',
      effects: ['end-session'],
      why: 'the lease ran out, or a server said so',
    },
    'auth-refused': refused,
    close: closing,
  },
  suspended: {
    resumed: { next: 'connected', event: 'reconnected', effects: ['serve'], why: 'a server resumed the session' },
    'first-session': {
      next: 'connected',
      event: 'connected',
      effects: ['serve'],
      why: 'a writable server replaced the session of a read-only one, which was never real',
    },
    'next-session': {
      next: 'connected',
      event: 'renewed',
      effects: ['serve'],
      why: 'the same, after a real session was lost',
    },
    'granted-read-only': {
      next: 'readonly',
      event: 'readonly',
      effects: ['serve'],
      why: 'a read-only server carries the session on',
    },
    'session-over': {
      next: 'lost',
      event: 'lost',
      effects: ['end-session'],
      why: 'the lease ran out, or a server refused or replaced the session',
    },
    'auth-refused': refused,
    close: closing,
  },
  lost: {
    renew: { next: 'connecting', effects: ['connect'], why: 'renewSession: a new session follows a lost one' },
    close: closing,
  },
  'auth-failed': { close: { next: 'closed', event: 'closed', effects: [], why: 'close() was called' } },
  closed: {},
};

/** The edge for an input. Throws on one that the table doesn't have. */
export function step(state: State, input: Input): Edge {
  const edge = machine[state][input];
  if (edge === undefined) throw new Error(`zookit: no edge from ${state} on ${input}`);
  return edge;
}
