import { Duplex } from 'node:stream';
import { Connection, type ConnectionOptions, type Request, type ZooKeeperError } from '../../src/index.ts';
import { connectResponse, framesOf, type Grant, requestOf, type SentRequest } from './bytes.ts';
import { ManualClock, turn } from './manual-clock.ts';

/** A socket whose other end is the test: what was written to it, chunk by chunk, and what it delivers. */
export class Wire {
  readonly socket: Duplex;
  /** One item a write. */
  readonly writes: Buffer[] = [];

  constructor() {
    this.socket = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => {
        this.writes.push(Buffer.from(chunk));
        done();
      },
    });
  }

  deliver(chunk: Buffer): void {
    this.socket.push(chunk);
  }

  end(): void {
    this.socket.push(null);
  }

  /** All frames that were written, the ConnectRequest first. */
  get frames(): Buffer[] {
    return framesOf(Buffer.concat(this.writes));
  }

  /** The requests behind the ConnectRequest. */
  get requests(): SentRequest[] {
    return this.frames.slice(1).map(requestOf);
  }
}

/** What a connection told its owner, in order. */
export interface Told {
  events: { type: number; path: string | null; zxid: bigint }[];
  closed: ZooKeeperError[];
  log: string[];
}

export interface Opened {
  connection: Connection;
  wire: Wire;
  clock: ManualClock;
  told: Told;
}

export function optionsFor(
  wire: Wire,
  clock: ManualClock,
  told: Told,
  overrides: Partial<ConnectionOptions> = {},
): ConnectionOptions {
  return {
    target: { host: 'zk.example', address: '192.0.2.1', port: 2181, tls: null },
    open: () => {
      process.nextTick(() => wire.socket.emit('connect'));
      return wire.socket;
    },
    clock,
    handshake: {
      lastZxidSeen: 0n,
      sessionTimeout: 30_000,
      sessionId: 0n,
      password: Buffer.alloc(16),
      readOnly: false,
    },
    handshakeTimeout: 10_000,
    signal: new AbortController().signal,
    maxRequestBytes: 1_048_575,
    maxResponseBytes: 64 * 1024 * 1024,
    firstXid: 1,
    pingInterval: (sessionTimeout) => Math.min(sessionTimeout / 3, 10_000),
    requestTimeout: null,
    unref: false,
    handlers: {
      onWake: () => {},
      onInputRead: () => {},
      onNotification: ({ type, path }, zxid) => {
        told.events.push({ type, path, zxid });
        told.log.push(`event ${type} ${path}`);
      },
      onDrain: () => told.log.push('drain'),
      onClosed: (cause) => {
        told.closed.push(cause);
        told.log.push('closed');
        return cause;
      },
    },
    ...overrides,
  };
}

/** A connection that has shaken hands and was started. `behind`: bytes in the same chunk as the ConnectResponse. */
export async function opened(
  overrides: Partial<ConnectionOptions> = {},
  grant: Grant = {},
  behind: Buffer = Buffer.alloc(0),
): Promise<Opened> {
  const wire = new Wire();
  const clock = new ManualClock();
  const told: Told = { events: [], closed: [], log: [] };
  const opening = Connection.open(optionsFor(wire, clock, told, overrides));
  while (wire.writes.length === 0) await turn();
  wire.deliver(Buffer.concat([connectResponse(grant), behind]));
  const connection = await opening;
  connection.start();
  await turn();
  return { connection, wire, clock, told };
}

export interface Answer {
  errno: number;
  body: Buffer;
}

/** A request that remembers what became of it. */
export class Probe implements Request {
  readonly opcode: number;
  xid = 0;
  sentAt = 0;
  answer: Answer | null = null;
  failure: ZooKeeperError | null = null;
  /** What the failure said of it. */
  wasSent: boolean | null = null;
  /** Settles with the answer, or rejects with the failure. */
  readonly done: Promise<Answer>;
  readonly #content: Buffer;
  #resolve!: (answer: Answer) => void;
  #reject!: (error: ZooKeeperError) => void;

  constructor(opcode = 4, content: Buffer = Buffer.alloc(0)) {
    this.opcode = opcode;
    this.#content = content;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => {});
  }

  write(writer: Parameters<Request['write']>[0]): void {
    for (const byte of this.#content) writer.writeByte(byte);
  }

  onReply(errno: number, reader: Parameters<Request['onReply']>[1]): void {
    const body: number[] = [];
    while (reader.remaining > 0) body.push(reader.readByte('body') & 0xff);
    this.answer = { errno, body: Buffer.from(body) };
    this.#resolve(this.answer);
  }

  onFailure(error: ZooKeeperError, wasSent: boolean): void {
    this.failure = error;
    this.wasSent = wasSent;
    this.#reject(error);
  }

  get settled(): boolean {
    return this.answer !== null || this.failure !== null;
  }
}
