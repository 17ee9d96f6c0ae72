import type { WatchEvent, WatchListener } from '@zookit/client';

/** A listener that writes down what it hears. */
export class WatchLog {
  readonly events: WatchEvent[] = [];
  readonly listener: WatchListener;

  constructor() {
    this.listener = (event) => {
      this.events.push(event);
    };
  }

  /** The types of the events, in order. */
  get types(): WatchEvent['type'][] {
    return this.events.map(({ type }) => type);
  }
}
