import type { Host } from '../connect-string.ts';
import { backoff } from './backoff.ts';
import { rebalance, sameHost } from './balance.ts';

/** One try at one host, and how it stands among the others. */
export interface Attempt {
  host: Host;
  /** ms to wait first. */
  delay: number;
  /** Hosts of this round that have not been tried, this one included. */
  untried: number;
}

/**
 * The servers of the ensemble in the order in which they are tried: shuffled once, then round and round.
 *
 * Those that the user named are never forgotten: a configuration that the servers publish may hold addresses that are no good here.
 */
export class HostList {
  #hosts: readonly Host[];
  /** What the user named and the present list lacks; tried when all of that list has failed. */
  #spares: readonly Host[] = [];
  #named: readonly Host[];
  /** Where a round begins. */
  #start = 0;
  #tries = 0;
  #last: Host | null = null;
  readonly #shuffle: boolean;
  readonly #random: () => number;

  constructor(hosts: readonly Host[], shuffle: boolean, random: () => number) {
    this.#shuffle = shuffle;
    this.#random = random;
    this.#named = hosts;
    this.#hosts = this.#arranged(hosts);
  }

  get hosts(): readonly Host[] {
    return this.#hosts;
  }

  /** The next host to try. */
  next(): Attempt {
    const count = this.#hosts.length;
    const size = count + this.#spares.length;
    const place = this.#tries % size;
    const host = (place < count ? this.#hosts[(this.#start + place) % count] : this.#spares[place - count]) as Host;
    const attempt: Attempt = {
      host,
      delay: backoff(Math.floor(this.#tries / size), this.#tries === 0, this.#random),
      untried: size - place,
    };
    this.#last = host;
    this.#tries += 1;
    return attempt;
  }

  /** The host that was tried last is well: the next loss starts a new count, with the host after it. */
  succeeded(): void {
    this.#tries = 0;
    if (this.#last !== null) this.#start = (this.#hosts.indexOf(this.#last) + 1) % this.#hosts.length;
  }

  /** This host comes next. */
  prefer(host: Host): void {
    const index = this.#hosts.indexOf(host);
    if (index >= 0) this.#start = index;
  }

  /** Replaces the list by what the user names. True when the client should leave the server that it is connected to. */
  update(hosts: readonly Host[], current: Host | null): boolean {
    this.#named = hosts;
    return this.#replace(hosts, current);
  }

  /** Replaces the list by what the servers publish. True as for `update`. */
  follow(hosts: readonly Host[], current: Host | null): boolean {
    // A client that came back to a host of its own, because those of the list were no good, stays there.
    const isKnown =
      hosts.length === this.#hosts.length && hosts.every((host) => this.#hosts.some((known) => sameHost(known, host)));
    return isKnown ? false : this.#replace(hosts, current);
  }

  #replace(hosts: readonly Host[], current: Host | null): boolean {
    const { move, order } = rebalance(this.#hosts, this.#arranged(hosts), current, this.#random);
    this.#hosts = order;
    this.#spares = this.#named.filter((named) => !order.some((host) => sameHost(host, named)));
    this.#start = 0;
    this.#last = null;
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
