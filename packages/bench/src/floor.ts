import { connect, type Socket } from 'node:net';

/**
 * The least that a Node client can spend: a raw socket that sends one pre-encoded request over and over, with a window, and only counts the
 * replies by their length prefix.
 */
export class Floor {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async connect(host: string, port: number): Promise<Floor> {
    const socket = connect({ host, port, noDelay: true });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const handshake = Buffer.alloc(49);
    handshake.writeInt32BE(45, 0);
    handshake.writeInt32BE(30_000, 16);
    handshake.writeInt32BE(16, 28);
    socket.write(handshake);
    await new Promise((resolve) => socket.once('data', resolve));
    return new Floor(socket);
  }

  /** Sends `count` requests of a body (header included), `window` at a time; resolves when all are answered. */
  run(body: Buffer, count: number, window: number): Promise<void> {
    const frame = Buffer.alloc(4 + body.length);
    frame.writeInt32BE(body.length, 0);
    body.copy(frame, 4);
    return new Promise((resolve) => {
      let sent = 0;
      let answered = 0;
      let rest: Buffer = Buffer.alloc(0);
      const send = (wanted: number): void => {
        const now = Math.min(wanted, count - sent);
        if (now <= 0) return;
        sent += now;
        const batch = Buffer.allocUnsafe(now * frame.length);
        for (let i = 0; i < now; i += 1) frame.copy(batch, i * frame.length);
        this.#socket.write(batch);
      };
      const onData = (chunk: Buffer): void => {
        const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        let at = 0;
        let replies = 0;
        while (bytes.length - at >= 4 && bytes.length - at - 4 >= bytes.readInt32BE(at)) {
          at += 4 + bytes.readInt32BE(at);
          replies += 1;
        }
        rest = bytes.subarray(at);
        answered += replies;
        if (answered < count) send(replies);
        else {
          this.#socket.off('data', onData);
          resolve();
        }
      };
      this.#socket.on('data', onData);
      send(window);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

const utf8 = (text: string): Buffer => {
  const bytes = Buffer.alloc(4 + Buffer.byteLength(text));
  bytes.writeInt32BE(bytes.length - 4, 0);
  bytes.write(text, 4);
  return bytes;
};

function header(opcode: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeInt32BE(1, 0);
  bytes.writeInt32BE(opcode, 4);
  return bytes;
}

export function getBody(path: string): Buffer {
  return Buffer.concat([header(4), utf8(path), Buffer.from([0])]);
}

export function setBody(path: string, data: Buffer): Buffer {
  const version = Buffer.alloc(4);
  version.writeInt32BE(-1, 0);
  const length = Buffer.alloc(4);
  length.writeInt32BE(data.length, 0);
  return Buffer.concat([header(5), utf8(path), length, data, version]);
}

export function childrenBody(path: string): Buffer {
  return Buffer.concat([header(12), utf8(path), Buffer.from([0])]);
}
