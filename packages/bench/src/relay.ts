import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { FrameDecoder } from '@zookit/protocol/internal';

/** Opcodes that keep a session going, and say nothing of what is done in it: ping, auth, the closing of the session. */
const UPKEEP: ReadonlySet<number> = new Set([11, 100, -11]);
/** setWatches and setWatches2. */
const SET_WATCHES: ReadonlySet<number> = new Set([101, 105]);

/** How a client came back after a cut, in ms. */
export interface Return {
  /** From the cut to the client's next handshake. */
  waited: number;
  /** From that handshake until the server had confirmed the last of the watches. */
  rearmed: number;
}

/** Of a frame, in bytes: nothing that the benchmark sends or gets is near it. */
const LONGEST = 1 << 26;
/** In ms. */
const PATIENCE = 60_000;

interface Awaited {
  watches: number;
  cutAt: number;
  backAt: number;
  resolve(back: Return): void;
}

/** Passes everything on between clients and a server, and looks on: counts requests, cuts connections, and sees clients come back. */
export class Relay {
  requests = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #awaited: Awaited | null = null;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(host: string, port: number): Promise<Relay> {
    const server = createServer({ noDelay: true }, (client) =>
      relay.#pass(client, connect({ host, port, noDelay: true })),
    );
    const relay = new Relay(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get connectString(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Cuts all connections; resolves when a client is back and has set so many watches again, rejects when that takes over a minute. */
  async cut(watches: number): Promise<Return> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, reject) => {
        const awaited = { watches, cutAt: performance.now(), backAt: 0, resolve };
        this.#awaited = awaited;
        const giveUp = (): void =>
          reject(new Error(`${awaited.watches} of ${watches} watches have not been set again`));
        timer = setTimeout(giveUp, PATIENCE);
        for (const socket of this.#sockets) socket.destroy();
      });
    } finally {
      clearTimeout(timer);
    }
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #pass(client: Socket, server: Socket): void {
    this.#join(client, server);
    this.#join(server, client);
    const asked = new FrameDecoder(LONGEST);
    const answered = new FrameDecoder(LONGEST);
    /** Watches in each setWatches that has not been answered, by its number: most clients use the reserved one for all. */
    const pending = new Map<number, number[]>();
    let isFirst = true;
    client.on('data', (chunk: Buffer) => {
      for (const frame of framesOf(asked, chunk)) {
        if (isFirst) this.#onHandshake();
        else {
          const xid = frame.readInt32BE(0);
          const opcode = frame.readInt32BE(4);
          if (!UPKEEP.has(opcode)) this.requests += 1;
          if (SET_WATCHES.has(opcode)) pending.set(xid, [...(pending.get(xid) ?? []), watchesIn(frame)]);
        }
        isFirst = false;
      }
    });
    let greeted = false;
    server.on('data', (chunk: Buffer) => {
      for (const frame of framesOf(answered, chunk)) {
        if (greeted) this.#onRearmed(pending.get(frame.readInt32BE(0))?.shift() ?? 0);
        greeted = true;
      }
    });
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    from.on('error', () => {});
    from.pipe(to);
  }

  #onHandshake(): void {
    if (this.#awaited !== null && this.#awaited.backAt === 0) this.#awaited.backAt = performance.now();
  }

  #onRearmed(watches: number): void {
    const awaited = this.#awaited;
    if (awaited === null || watches === 0) return;
    awaited.watches -= watches;
    if (awaited.watches > 0) return;
    this.#awaited = null;
    const { cutAt, backAt } = awaited;
    awaited.resolve({ waited: backAt - cutAt, rearmed: performance.now() - backAt });
  }
}

/** The frames that a chunk completes. */
function* framesOf(decoder: FrameDecoder, chunk: Buffer): Iterable<Buffer> {
  decoder.push(chunk);
  while (decoder.next() === 'frame') yield decoder.buffer.subarray(decoder.start, decoder.end);
}

/** The lengths of the lists in a setWatches: behind its header and a zxid, vectors of paths up to its end. */
function watchesIn(frame: Buffer): number {
  let found = 0;
  for (let at = 16; at < frame.length; ) {
    const length = Math.max(0, frame.readInt32BE(at));
    at += 4;
    found += length;
    for (let i = 0; i < length; i += 1) at += 4 + frame.readInt32BE(at);
  }
  return found;
}
