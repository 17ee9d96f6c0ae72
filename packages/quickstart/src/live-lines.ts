import { duration, milliseconds, seconds } from './clock.ts';
import type { Paint } from './paint.ts';

export type LiveEvent = { service: string; at: bigint } & (
  | { what: 'queued' | 'reconnected' | 'lost' | 'renewed' | 'dead' }
  | { what: 'granted' | 'killed'; token: bigint }
  | { what: 'ended'; token: bigint; why: 'released' | 'lost' }
  | { what: 'suspended'; holdsFor: number | null }
);

export interface LiveTerms {
  services: readonly string[];
  /** Zero of the times shown. */
  start: bigint;
  /** Milliseconds, as negotiated. */
  sessionTimeout: number;
  write: (text: string) => void;
  paint: Paint;
}

/** What is told in one line for all services that it happens to at about the same time. */
const TOGETHER = {
  suspended: 'connection lost:',
  reconnected: 'connected again, same session:',
  lost: 'session lost:',
  renewed: 'connected again, new session:',
} as const;
type Shared = keyof typeof TOGETHER;

/**
 * The lines while it runs. A hold's line is begun when it is granted and finished when it ends.
 *
 * The services' messages come by different ways, so they are put in order first: `flush` tells those older than a moment.
 */
export class LiveLines {
  readonly #terms: LiveTerms;
  readonly #names: number;
  #waiting: Set<string> = new Set();
  #events: LiveEvent[] = [];
  #hold: { token: bigint; from: bigint } | null = null;
  /** How long the line is that is not finished yet. */
  #open: number | null = null;
  #kill: { service: string; at: bigint } | null = null;

  constructor(terms: LiveTerms) {
    this.#terms = terms;
    this.#names = Math.max(...terms.services.map((name) => name.length));
  }

  add(event: LiveEvent): void {
    // At once: who waits is told as it is when the line is written, the service that has just let go included.
    if (event.what === 'queued') this.#waiting.add(event.service);
    if (event.what === 'granted' || event.what === 'dead') this.#waiting.delete(event.service);
    this.#events.push(event);
  }

  /** Writes what happened before this moment. */
  flush(before: bigint): void {
    const due = this.#events.filter(({ at }) => at < before).sort((a, b) => (a.at < b.at ? -1 : 1));
    this.#events = this.#events.filter(({ at }) => at >= before);
    for (const [i, event] of due.entries()) {
      if (event.what === 'granted') this.#granted(event.service, event.at, event.token);
      if (event.what === 'ended') this.#ended(event);
      if (event.what === 'killed') this.#killed(event.service, event.at, event.token);
      if (event.what in TOGETHER) {
        const what = event.what as Shared;
        if (due.findIndex((each) => each.what === what) !== i) continue;
        this.#together(
          what,
          event.at,
          due.filter((each) => each.what === what),
        );
      }
    }
  }

  /** Finishes a line that is begun. */
  close(): void {
    this.#breakLine('');
  }

  #granted(service: string, at: bigint, token: bigint): void {
    if (this.#kill !== null && at > this.#kill.at && service !== this.#kill.service) {
      const after = duration(at - this.#kill.at);
      this.#line(
        at,
        'green',
        `${service} takes over ${after} after the kill (session timeout ${seconds(this.#terms.sessionTimeout)})`,
      );
      this.#kill = null;
    }
    this.#breakLine('');
    const { paint } = this.#terms;
    const name = service.padEnd(this.#names);
    const text = `${this.#time(at)}  ${name} holds 0x${token.toString(16)}`.padEnd(this.#waitersColumn);
    const waiters = this.#listed([...this.#waiting]);
    this.#hold = { token, from: at };
    this.#open = text.length + waiters.length;
    this.#terms.write(text.replace(name, paint('cyan', name)) + paint('dim', waiters));
  }

  #ended({ service, at, token, why }: LiveEvent & { what: 'ended' }): void {
    const after = this.#hold?.token === token ? duration(at - this.#hold.from) : 'all';
    if (why === 'lost')
      this.#line(at, 'yellow', `${service} has lost the lock after ${after}, and has stopped working`);
    else if (this.#open !== null && this.#hold?.token === token) this.#breakLine(after);
    else this.#line(at, 'dim', `${service} has let go after ${after}`);
  }

  #killed(service: string, at: bigint, token: bigint): void {
    this.#line(at, 'red', `kill -9 ${service}, which holds 0x${token.toString(16)}`);
    this.#kill = { service, at };
  }

  #together(what: Shared, at: bigint, events: readonly LiveEvent[]): void {
    const names = this.#terms.services.filter((name) => events.some(({ service }) => service === name));
    const holders = events.flatMap((event) => {
      if (event.what !== 'suspended' || event.holdsFor === null) return [];
      return [`; ${event.service} keeps the lock, for ${(event.holdsFor / 1_000).toFixed(1)} s at most`];
    });
    this.#line(at, 'yellow', `${TOGETHER[what]} ${names.join(', ')}${holders.join('')}`);
  }

  #line(at: bigint, style: 'red' | 'green' | 'yellow' | 'dim', text: string): void {
    this.#breakLine('');
    const painted = this.#terms.paint(style, text);
    const strong = style === 'red' || style === 'green' ? this.#terms.paint('bold', painted) : painted;
    this.#terms.write(`${this.#time(at)}  ${strong}\n`);
  }

  #breakLine(end: string): void {
    if (this.#open === null) return;
    // Behind the longest list of waiters.
    const column = this.#waitersColumn + this.#listed(this.#terms.services.slice(1)).length + 10;
    const text = end === '' ? '' : `  ${end}`.padStart(column - this.#open);
    this.#terms.write(`${this.#terms.paint('bold', text)}\n`);
    this.#open = null;
  }

  #listed(names: readonly string[]): string {
    if (names.length === 0) return '';
    const waiters = names.length > 4 ? String(names.length) : names.join(', ');
    return `${waiters} ${names.length === 1 ? 'waits' : 'wait'}`;
  }

  /** Behind the longest token of the usual ones: an epoch of two digits. */
  get #waitersColumn(): number {
    return '   0.00 s   holds 0x1000000000  '.length + this.#names;
  }

  #time(at: bigint): string {
    return `${(milliseconds(at - this.#terms.start) / 1_000).toFixed(2).padStart(7)} s`;
  }
}
