import type { ZooKeeperError } from '@zookit/protocol';
import type { Settings } from '../options.ts';
import type { SessionHooks } from './hooks.ts';
import { type Effect, type Input, type State, step } from './machine.ts';

export interface CourseHooks extends Pick<SessionHooks, 'leave' | 'onState'> {
  /** A state without a session has begun: its signal goes. */
  endGrant(cause: ZooKeeperError | null): void;
  perform(effect: Effect, cause: ZooKeeperError | null): void;
}

/** Where a client stands, and the order in which a change of that reaches everybody. */
export class Course {
  readonly #settings: Settings;
  readonly #hooks: CourseHooks;
  #state: State = 'connecting';
  #since: number;
  /** Changes of state that listeners have not heard of yet. */
  readonly #untold: (() => void)[] = [];

  constructor(settings: Settings, hooks: CourseHooks) {
    this.#settings = settings;
    this.#hooks = hooks;
    this.#since = settings.environment.clock.now();
  }

  get state(): State {
    return this.#state;
  }

  /** When the present state began, in `performance.now()` ms. */
  get since(): number {
    return this.#since;
  }

  /** Takes the edge for an input: state, the session's signal, the listeners, then the effects. */
  take(input: Input, cause: ZooKeeperError | null): void {
    const previous = this.#state;
    const edge = step(previous, input);
    this.#state = edge.next;
    this.#since = this.#settings.environment.clock.now();
    this.#settings.logger.info(
      `${previous} -> ${edge.next}: ${edge.why}${cause === null ? '' : ` (${cause.message})`}`,
    );
    const isOutermost = this.#untold.length === 0;
    this.#untold.push(() => this.#hooks.onState(edge.next, previous, edge.event));
    if (edge.next !== 'connected' && edge.next !== 'readonly') this.#hooks.leave(edge.next, cause);
    // The session's signal goes before any listener: whoever holds something must stop first.
    if (edge.next === 'lost' || edge.next === 'closed' || edge.next === 'auth-failed') this.#hooks.endGrant(cause);
    if (isOutermost) this.#tell();
    for (const effect of edge.effects) {
      // A listener may have closed the client meanwhile.
      if (this.#state !== edge.next) return;
      this.#hooks.perform(effect, cause);
    }
  }

  /** A listener that brings the next change about has it told after its own: everybody hears of all of them in order. */
  #tell(): void {
    for (let [next] = this.#untold; next !== undefined; [next] = this.#untold) {
      next();
      this.#untold.shift();
    }
  }
}
