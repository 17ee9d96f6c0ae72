import type { SocketTarget } from '@zookit/protocol';
import type { Dispatcher } from './calls/dispatcher.ts';
import type { SafeEmitter } from './emitter.ts';
import type { Settings } from './options.ts';
import type { Session } from './session/session.ts';
import type { WatchRegistry } from './watches/registry.ts';

/** What the parts of a client know of its persistent watches. */
export interface Coverage {
  /** Whether one-shot watches of that kind are served by what is there already, so that the server must not be asked for them. */
  covers(kind: 'data' | 'child', path: string): boolean;
  /** There is a new connection; the paths that have to be set again on it. `rearmed` follows, unless it breaks. */
  attach(server: SocketTarget): { plain: string[]; recursive: string[] };
  /** The server has confirmed those, but for the ones that it refused, and all one-shot watches. */
  rearmed(refused: ReadonlySet<string>): void;
}

/** A client as its own parts see it. */
export interface ClientParts {
  readonly settings: Settings;
  readonly events: Pick<SafeEmitter<Record<never, never>>, 'report'>;
  /** One-shot watches. */
  readonly watches: WatchRegistry;
  readonly persistent: Coverage;
  readonly dispatcher: Dispatcher;
  readonly session: Session;
  /** Aborts when no call can be made any more. */
  readonly over: AbortSignal;
}
