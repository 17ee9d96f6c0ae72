import type { Host } from '../connect-string.ts';
import { backoff } from './backoff.ts';
import { rebalance } from './balance.ts';

/** One try at one host, and how it stands among the others. */
export interface Attempt {
  host: Host;
  /** ms to wait first. */
  delay: number;
  /** Hosts of this round that have not been tried, this one included. */
  untried: number;
}

/** The servers of the ensemble in the order in which they are tried: shuffled once, then round and round. */
export class HostList {
  #hosts: readonly Host[];
  #next = 0;
  #tries = 0;
  readonly #shuffle: boolean;
  readonly #random: () => number;

  constructor(hosts: readonly Host[], shuffle: boolean, random: () => number) {
    this.#shuffle = shuffle;
    this.#random = random;
    this.#hosts = this.#arranged(hosts);
  }

  get hosts(): readonly Host[] {
    return this.#hosts;
  }

  /** The next host to try. */
  next(): Attempt {
    const size = this.#hosts.length;
    const host = this.#hosts[this.#next % size] as Host;
    const round = Math.floor(this.#tries / size);
    const attempt: Attempt = {
      host,
      delay: backoff(round, this.#tries === 0, this.#random),
      untried: size - (this.#tries % size),
    };
    this.#next = (this.#next + 1) % size;
    this.#tries += 1;
    return attempt;
  }

  /** A handshake was finished: the next loss starts a new count, with the host after this one. */
  succeeded(): void {
    this.#tries = 0;
  }

  /** This host comes next. */
  prefer(host: Host): void {
    const index = this.#hosts.indexOf(host);
    if (index >= 0) this.#next = index;
  }

  /** Replaces the list. True when the client should leave the server that it is connected to. */
  update(hosts: readonly Host[], current: Host | null): boolean {
    const { move, order } = rebalance(this.#hosts, this.#arranged(hosts), current, this.#random);
    this.#hosts = order;
    this.#next = 0;
    return move;
  }

  #arranged(hosts: readonly Host[]): readonly Host[] {
    return this.#shuffle ? shuffled(hosts, this.#random) : hosts;
  }
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}
