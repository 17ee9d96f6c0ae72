import type { Connection, ZooKeeperError } from '@zookit/protocol';
import type { HostList } from '../ensemble/hosts.ts';
import { Credit } from './credit.ts';

/** The connection that carries the session, and what it leaves behind when it is gone. */
export class Link {
  readonly #hosts: HostList;
  readonly #now: () => number;
  readonly #credit = new Credit();
  #connection: Connection | null = null;
  #since = 0;
  #lostAt = 0;
  #zxid = 0n;

  constructor(hosts: HostList, now: () => number) {
    this.#hosts = hosts;
    this.#now = now;
  }

  get connection(): Connection | null {
    return this.#connection;
  }

  /** The zxid of the last reply that was processed in this session. */
  get lastZxid(): bigint {
    const present = this.#connection?.lastZxid ?? 0n;
    return present > this.#zxid ? present : this.#zxid;
  }

  /** When the session was last connected. */
  get lastThere(): number {
    return this.#connection === null ? this.#lostAt : this.#now();
  }

  carry(connection: Connection): void {
    this.#connection = connection;
    this.#since = this.#now();
  }

  /** The socket is gone. */
  lost(connection: Connection): void {
    this.#zxid = this.lastZxid;
    this.#lostAt = this.#now();
    this.#connection = null;
    if (this.#credit.covers(this.#since, this.#lostAt, connection.hasReplied)) this.#hosts.succeeded();
  }

  /** Whoever gives the connection up hears no more of it. */
  drop(cause: ZooKeeperError): void {
    const connection = this.#connection;
    this.#connection = null;
    connection?.destroy(cause);
  }

  /** The next connection carries another session, which has seen nothing yet. */
  forget(): void {
    this.#zxid = 0n;
  }
}
