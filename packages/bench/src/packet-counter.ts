import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Opcodes that keep a session going, and say nothing of what is done in it: ping, auth, the closing of the session. */
const UPKEEP: ReadonlySet<number> = new Set([11, 100, -11]);

/** Passes everything on to a server, and counts the requests of its clients. */
export class PacketCounter {
  requests = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(host: string, port: number): Promise<PacketCounter> {
    const server = createServer((client) => counter.#pass(client, connect({ host, port, noDelay: true })));
    const counter = new PacketCounter(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return counter;
  }

  get connectString(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #pass(client: Socket, server: Socket): void {
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.on('error', () => {});
      from.pipe(to);
    }
    let rest: Buffer = Buffer.alloc(0);
    let isFirst = true;
    client.on('data', (chunk: Buffer) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
        const frame = rest.subarray(4, 4 + rest.readInt32BE(0));
        rest = rest.subarray(4 + frame.length);
        // The first is the handshake; the others begin with the request's number and its opcode.
        if (!isFirst && !UPKEEP.has(frame.readInt32BE(4))) this.requests += 1;
        isFirst = false;
      }
    });
  }
}
