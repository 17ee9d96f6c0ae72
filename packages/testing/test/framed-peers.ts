import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

// Bytes by hand, not by our own codec: the proxy is judged by what is on the wire.

export function frame(...parts: (Buffer | number | string)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'number') return int(part);
      return typeof part === 'string' ? Buffer.from(part) : part;
    }),
  );
  return Buffer.concat([int(body.length), body]);
}

export function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export const connectRequest: Buffer = frame(Buffer.alloc(8), 0, 6_000, Buffer.alloc(8), int(16), Buffer.alloc(17));

/** A reply: xid, zxid, err, body. */
export function reply(xid: number, body = ''): Buffer {
  return frame(xid, Buffer.alloc(8), 0, body);
}

export function splitFrames(bytes: Buffer): { frames: Buffer[]; rest: Buffer } {
  const frames: Buffer[] = [];
  let rest = bytes;
  while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
    frames.push(rest.subarray(4, 4 + rest.readInt32BE(0)));
    rest = rest.subarray(4 + rest.readInt32BE(0));
  }
  return { frames, rest };
}

/** Looks every millisecond until it is right; fails with the last value seen. */
export async function until<T>(look: () => T, isRight: (value: T) => boolean, what = 'condition'): Promise<T> {
  const deadline = performance.now() + 5_000;
  for (;;) {
    const value = look();
    if (isRight(value)) return value;
    if (performance.now() > deadline) throw new Error(`${what} not reached; last seen: ${String(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** One socket that collects what it gets. */
export class Peer {
  readonly socket: Socket;
  received: Buffer = Buffer.alloc(0);
  isEnded = false;
  isClosed = false;
  errorCode: string | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      this.received = Buffer.concat([this.received, bytes]);
    });
    socket.on('end', () => {
      this.isEnded = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.errorCode = error.code;
    });
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  static async to(port: number): Promise<Peer> {
    const socket = connect(port, '127.0.0.1');
    const peer = new Peer(socket);
    await once(socket, 'connect');
    return peer;
  }

  get frames(): Buffer[] {
    return splitFrames(this.received).frames;
  }

  /** First ints of the frames received: the xids of replies. */
  get xids(): number[] {
    return this.frames.slice(1).map((body) => body.readInt32BE(0));
  }

  async closed(): Promise<void> {
    await until(
      () => this.isClosed,
      (isClosed) => isClosed,
      'close',
    );
  }
}

/** A server that keeps what it gets and, unless told otherwise, answers every frame with a reply of the same xid. */
export class FramedServer {
  readonly peers: Peer[] = [];
  readonly #server: Server;
  answers = true;
  isReading = true;
  /** How a reply leaves: as it is, or in pieces. */
  send: (socket: Socket, bytes: Buffer) => void = (socket, bytes) => socket.write(bytes);

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<FramedServer> {
    const server = createServer();
    const framed = new FramedServer(server);
    server.on('connection', (socket) => framed.#serve(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return framed;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The only connection there is. */
  get peer(): Peer {
    return this.peers[0]!;
  }

  /** What came on the first connection: 'xid:type' of each request after the handshake. */
  get requests(): string[] {
    const frames = this.peers[0]?.frames ?? [];
    return frames.slice(1).map((body) => `${body.readInt32BE(0)}:${body.readInt32BE(4)}`);
  }

  async stop(): Promise<void> {
    for (const { socket } of this.peers) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    const peer = new Peer(socket);
    this.peers.push(peer);
    if (!this.isReading) socket.pause();
    let answered = 0;
    socket.on('data', () => {
      if (!this.answers) return;
      const replies: Buffer[] = [];
      for (const body of peer.frames.slice(answered)) {
        replies.push(answered === 0 ? frame('a ConnectResponse') : reply(body.readInt32BE(0), 'done'));
        answered += 1;
      }
      if (replies.length > 0) this.send(socket, Buffer.concat(replies));
    });
  }
}
