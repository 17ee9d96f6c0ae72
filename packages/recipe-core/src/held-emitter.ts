import { SafeEmitter } from '@zookit/client/internal';
import type { HeldEvents } from './held.ts';

// Typed for users by the interface; eventemitter3's own generics can't be overridden as they are.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Name = any;
// biome-ignore lint/suspicious/noExplicitAny: see above
type Listener = any;

/**
 * The events of a hold. Knows whether anybody listens for `revoke`: hearing of one costs a watch, which is set only
 * then.
 */
export abstract class HeldEmitter extends SafeEmitter<HeldEvents> {
  #wanted = false;

  /** Called when the first listener for `revoke` has come, or the last has gone. */
  protected abstract onRevokeWanted(wanted: boolean): void;

  override on(event: Name, listener: Listener): this {
    super.on(event, listener);
    return this.#count();
  }

  override addListener(event: Name, listener: Listener): this {
    return this.on(event, listener);
  }

  override once(event: Name, listener: Listener): this {
    super.once(event, listener);
    return this.#count();
  }

  override removeListener(event: Name, listener?: Listener, context?: unknown, once?: boolean): this {
    super.removeListener(event, listener, context, once);
    return this.#count();
  }

  override off(event: Name, listener?: Listener, context?: unknown, once?: boolean): this {
    return this.removeListener(event, listener, context, once);
  }

  override removeAllListeners(event?: Name): this {
    super.removeAllListeners(event);
    return this.#count();
  }

  #count(): this {
    const wanted = this.listenerCount('revoke') > 0;
    if (wanted !== this.#wanted) {
      this.#wanted = wanted;
      this.onRevokeWanted(wanted);
    }
    return this;
  }
}
