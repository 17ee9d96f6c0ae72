import type { StateEvent, ZooKeeper } from '@zookit/client';

const EVENTS: readonly StateEvent[] = [
  'connected',
  'suspended',
  'reconnected',
  'lost',
  'renewed',
  'readonly',
  'auth-failed',
  'closed',
];

/** Writes down every state event of a client, and the states it passes through. */
export class StateLog {
  readonly events: StateEvent[] = [];
  readonly states: string[] = [];

  constructor(zk: ZooKeeper) {
    for (const event of EVENTS) zk.on(event, () => this.events.push(event));
    zk.on('state', (state, previous) => this.states.push(`${previous} -> ${state}`));
  }
}

/** Resolves at the next event of that kind. */
export function nextEvent(zk: ZooKeeper, event: StateEvent): Promise<void> {
  return new Promise((resolve) => zk.once(event, resolve));
}
