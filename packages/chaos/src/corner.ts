import { FaultProxy } from '@zookit/testing';
import { Contender, type ContenderEvents } from './contender.ts';
import type { ContenderTerms } from './messages.ts';

/** What the contender of a generation is started with. */
export type TermsOf = (generation: number, connectString: string) => ContenderTerms;

/** Where one contender after the other stands, with a network of its own: a proxy in front of each server. */
export class Corner {
  /** All that have been here. */
  readonly contenders: Contender[] = [];
  readonly #proxies: readonly FaultProxy[];
  readonly #terms: TermsOf;
  readonly #events: ContenderEvents;

  private constructor(proxies: readonly FaultProxy[], terms: TermsOf, events: ContenderEvents) {
    this.#proxies = proxies;
    this.#terms = terms;
    this.#events = events;
  }

  static async open(servers: readonly string[], terms: TermsOf, events: ContenderEvents): Promise<Corner> {
    const corner = new Corner(await Promise.all(servers.map((server) => FaultProxy.start(server))), terms, events);
    corner.send();
    return corner;
  }

  get contender(): Contender {
    return this.contenders.at(-1) as Contender;
  }

  /** The next one steps in. */
  send(): void {
    const connectString = this.#proxies.map((proxy) => proxy.connectString).join(',');
    this.contenders.push(new Contender(this.#terms(this.contenders.length, connectString), this.#events));
  }

  /** Resets its connections; with `stay`, new ones are refused until `heal`. */
  async cut(stay: boolean): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.cut({ stay })));
  }

  /** Its packets vanish until `heal`; with `keep` they arrive then. */
  async blackhole(keep: boolean): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.blackhole({ keep })));
  }

  async heal(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.restore()));
  }

  async close(): Promise<void> {
    await Promise.all(this.contenders.map((contender) => contender.kill()));
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()));
  }
}
