import type { Core, Grant } from '@zookit/client/internal';

/** A znode of ours in a line, made in a session that was ours at that time. */
export interface Place {
  readonly path: string;
  readonly name: string;
  readonly czxid: bigint;
  /** The session that owns it. */
  readonly grant: Grant;
}

/** Whether a hold may begin through that place: its session is good at this very moment. A round trip ends a doubt. */
export function canHold({ session, settings }: Core, { grant }: Place): boolean {
  // Notices a sleep of the machine.
  session.wake();
  if (session.state !== 'connected' || session.grant !== grant || grant.doubtful) return false;
  return settings.environment.clock.now() < grant.lostAt;
}
