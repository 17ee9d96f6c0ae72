/** A running server, and what its keeper can do with it. */
export interface ContractServer {
  readonly host: string;
  readonly port: number;
  /** 'host:port'. */
  readonly connectString: string;
  /** ms; sessions may last from 2 to 20 of it, and end by it. Emptied containers are looked for as often. */
  readonly tickTime: number;
  /** The watches that the server keeps. */
  watches?(): Promise<ServerWatches>;
  /** The ids of the sessions that the server knows. */
  sessions?(): Promise<bigint[]>;
  /** Kills the server, and starts it again with its data on its port. */
  restart?(): Promise<void>;
  stop(): Promise<void>;
}

export interface ServerWatches {
  /** Data, exist, persistent and recursive watches, which a server keeps in one table. */
  data: { path: string; sessionId: bigint }[];
  /** How many child watches, with the half of persistent ones that stands there; a real server says no more of them. */
  child: number;
}
