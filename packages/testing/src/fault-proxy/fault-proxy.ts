import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Link } from './link.ts';
import { type CaughtFrame, type FaultRule, RuleBook } from './rules.ts';
import { type FaultProxyTarget, parseTarget } from './target.ts';
import type { Weather } from './weather.ts';

const HOST = '127.0.0.1';
/** How long `restore` waits for its port, should another process have got hold of it in the meantime. */
const RELISTEN_MS = 5_000;

export interface FaultProxyOptions {
  /** Port to listen on; default: one the kernel picks. It stays the same for the proxy's whole life. */
  port?: number;
}

/**
 * A TCP proxy in front of one ZooKeeper server that breaks the link on purpose. It reads the protocol's frames, so it can
 * lose the reply of one particular request; TLS passes through, but frames can't be seen in it.
 *
 * The faults that change all connections act before their promise resolves; bytes that were handed to the kernel already
 * still arrive.
 */
export class FaultProxy {
  readonly #links = new Set<Link>();
  readonly #rules = new RuleBook();
  readonly #weather: Weather = { blackhole: 'off', delay: 0 };
  #server: Server | null = null;
  #target: { host: string; port: number };
  #port: number;
  #isRefusing = false;
  #stopping: Promise<void> | undefined;
  #onLastGone: () => void = () => {};

  private constructor(target: FaultProxyTarget, port: number) {
    this.#target = parseTarget(target);
    this.#port = port;
  }

  /** Listens on 127.0.0.1 and passes everything on to `target`. */
  static async start(target: FaultProxyTarget, { port = 0 }: FaultProxyOptions = {}): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, port);
    await proxy.#listen(0);
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  /** What a client connects to, for one server: '127.0.0.1:port'. */
  get connectString(): string {
    return `${HOST}:${this.#port}`;
  }

  /** Client connections that are open. A client that left during a blackhole counts as gone. */
  get connections(): number {
    return [...this.#links].filter((link) => link.isOpen).length;
  }

  /** Where new connections go, as 'host:port'; the ones that exist stay where they are. */
  get target(): string {
    const { host, port } = this.#target;
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  }

  set target(target: FaultProxyTarget) {
    this.#target = parseTarget(target);
  }

  /** Resets every connection, on both sides. With `stay`, new ones are refused until `restore`. */
  async cut({ stay = false }: { stay?: boolean } = {}): Promise<void> {
    if (stay) this.#close();
    for (const link of this.#links) link.cut();
  }

  /** Refuses new connections until `restore`; the ones that exist stay. */
  async refuse(): Promise<void> {
    this.#close();
  }

  /**
   * Packets vanish, both ways, and nothing closes: what either side sends, a FIN or a reset too, does not arrive. New
   * connections are accepted and mute, and the server does not hear of them. At `restore` a connection that lost something
   * is reset on both sides, the others go on.
   *
   * With `keep` nothing is lost: TCP would send it again, so what was sent meanwhile arrives at `restore`, in order. That is
   * a network partition that heals.
   */
  async blackhole({ keep = false }: { keep?: boolean } = {}): Promise<void> {
    this.#weather.blackhole = keep ? 'keep' : 'swallow';
    if (!keep) for (const link of this.#links) link.loseQueued();
  }

  /** From now on every byte takes `ms` longer, each way, in order; those under way too. `delay(0)` ends it. */
  async delay(ms: number): Promise<void> {
    this.#weather.delay = ms;
    for (const link of this.#links) link.pump();
  }

  /** Ends `refuse`, `cut({ stay: true })`, `blackhole` and `delay`. Rules given to `once` stand, held frames stay held. */
  async restore(): Promise<void> {
    this.#weather.blackhole = 'off';
    this.#weather.delay = 0;
    this.#isRefusing = false;
    for (const link of this.#links) link.resume();
    if (!this.#server && !this.#stopping) await this.#listen(RELISTEN_MS);
  }

  /**
   * Does `action` once, to the first whole frame of that kind that comes from now on and for which `match` says yes.
   *
   * The promise resolves when the frame was caught, not when the rule is in place: the rule stands as soon as `once`
   * returns. Keep the promise, make the request, then await it; to await it first is to wait for ever. A request that is cut never reaches the server; a reply that is cut has been applied by
   * the server, and the client never sees a byte of it. Several rules for one kind take one frame each, in order.
   *
   * @throws TypeError at once, for an opcode name that does not exist
   */
  once(rule: FaultRule): Promise<CaughtFrame> {
    if (this.#stopping) return Promise.reject(stopped());
    return this.#rules.add(rule);
  }

  /** Closes everything; rules that still wait reject. */
  stop(): Promise<void> {
    this.#stopping ??= this.#shutDown();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #shutDown(): Promise<void> {
    this.#close();
    this.#rules.failAll(stopped());
    for (const link of this.#links) link.cut();
    if (this.#links.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onLastGone = resolve;
    });
  }

  #close(): void {
    this.#isRefusing = true;
    // The listening socket is closed when this returns; the server waits for its connections, we don't.
    this.#server?.close();
    this.#server = null;
  }

  /** @param patience milliseconds to wait for a port that is taken */
  async #listen(patience: number): Promise<void> {
    const deadline = performance.now() + patience;
    for (;;) {
      const server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
      this.#server = server;
      try {
        this.#port = await listening(server, this.#port);
        // A refuse() or stop() that came while we waited found nothing to close.
        if (this.#isRefusing) server.close();
        return;
      } catch (error) {
        this.#server = null;
        const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
        if (!isTaken || performance.now() >= deadline) throw error;
        await sleep(50);
        if (this.#isRefusing) return;
      }
    }
  }

  #accept(client: Socket): void {
    const link: Link = new Link({
      client,
      openServer: () => connect({ ...this.#target, allowHalfOpen: true }),
      rules: this.#rules,
      weather: this.#weather,
      onGone: () => {
        this.#links.delete(link);
        if (this.#links.size === 0) this.#onLastGone();
      },
    });
    this.#links.add(link);
  }
}

/** @returns the port */
function listening(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function stopped(): Error {
  return new Error('The proxy is stopped');
}
