import type { Host } from '../connect-string.ts';
import { backoff } from './backoff.ts';

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
  readonly #random: () => number;

  constructor(hosts: readonly Host[], shuffle: boolean, random: () => number) {
    this.#random = random;
    this.#hosts = shuffle ? shuffled(hosts, random) : hosts;
  }

  get size(): number {
    return this.#hosts.length;
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
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}
