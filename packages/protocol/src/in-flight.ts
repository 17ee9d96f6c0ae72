import type { JuteReader, JuteWriter } from 'jute-ts';
import type { ZooKeeperError } from './errors.ts';

/** One request as a connection carries it. The object itself is what waits for the reply; nothing is allocated around it. */
export interface Request {
  readonly opcode: number;
  /** Set when it is written. */
  xid: number;
  /** The clock's time when it was written, in ms. */
  sentAt: number;
  write(writer: JuteWriter): void;
  /** The reply. `errno` 0: the reader stands at the body. Called in the order of the requests. May throw on a body that can't be read. */
  onReply(errno: number, reader: JuteReader): void;
  /** No reply will come on this connection; `wasSent`: the server may have heard of it. */
  onFailure(error: ZooKeeperError, wasSent: boolean): void;
}

/** Requests between written and answered, in order. */
export class InFlight {
  #ring: (Request | undefined)[] = new Array(16);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(request: Request): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = request;
    this.#length += 1;
  }

  first(): Request | undefined {
    return this.#length === 0 ? undefined : this.#ring[this.#head];
  }

  shift(): Request | undefined {
    if (this.#length === 0) return undefined;
    const request = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#length -= 1;
    return request;
  }

  /** The one way in which requests end without a reply. The last `unsent` of them had not left yet. */
  failAll(error: ZooKeeperError, unsent = 0): void {
    for (let left = this.#length; left > 0; left -= 1) this.shift()?.onFailure(error, left > unsent);
  }

  #grow(): void {
    const grown: (Request | undefined)[] = new Array(this.#ring.length * 2);
    for (let i = 0; i < this.#length; i += 1) grown[i] = this.#ring[(this.#head + i) & (this.#ring.length - 1)];
    this.#ring = grown;
    this.#head = 0;
  }
}

/** What a server has been asked on one connection, and has not answered yet. */
export class Unanswered {
  /** Answered in their order. */
  readonly requests: InFlight = new InFlight();
  /** Answered in their own order, between the others. */
  readonly auths: InFlight = new InFlight();
  /** When each ping was sent. */
  readonly pings: number[] = [];
}
