import type { ZooKeeperError } from '@zookit/protocol';
import type { Host } from '../connect-string.ts';
import type { WatchListener } from '../watches/event.ts';
import { clientAddresses } from './config.ts';

export interface ConfigTrackerHooks {
  /** The text of the ensemble's configuration; `onChange` is called at its next change. */
  read(onChange: WatchListener): Promise<string>;
  update(hosts: readonly Host[]): void;
  warn(message: string): void;
}

/** Follows the ensemble's configuration, so that a client finds servers that were not there when it was configured. */
export class ConfigTracker {
  readonly #hooks: ConfigTrackerHooks;
  #reading = false;
  // One function for all reads: on one path that is one watch.
  readonly #onChange: WatchListener = ({ type }) => {
    if (type === 'changed') this.read();
  };

  constructor(hooks: ConfigTrackerHooks) {
    this.#hooks = hooks;
  }

  /** Reads the configuration, and again whenever it changes. */
  read(): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#hooks
      .read(this.#onChange)
      .then((config) => this.#apply(config))
      .catch((error: ZooKeeperError) =>
        this.#hooks.warn(`the ensemble's configuration could not be followed: ${error.message}`),
      )
      .finally(() => {
        this.#reading = false;
      });
  }

  #apply(config: string): void {
    const hosts = clientAddresses(config);
    if (hosts === null)
      this.#hooks.warn("the ensemble's configuration names no usable client addresses; the list stays as it is");
    else this.#hooks.update(hosts);
  }
}
