// The least that a Node.js client can spend: a raw socket that sends requests encoded beforehand, with the same window as the
// others, and only counts the replies by their length prefix.
import { connect, type Socket } from 'node:net';
import { BATCH, type Driver, pump, serve } from '../driver.ts';

const data = Buffer.alloc(100, 1);

const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value, 0);
  return bytes;
};
const buffer = (content: Buffer): Buffer => Buffer.concat([int(content.length), content]);
const text = (content: string): Buffer => buffer(Buffer.from(content));
const bool = (value: boolean): Buffer => Buffer.from([value ? 1 : 0]);
const anyone = Buffer.concat([int(1), int(31), text('world'), text('anyone')]);
const frame = (...body: Buffer[]): Buffer => buffer(Buffer.concat(body));
const request = (opcode: number, ...body: Buffer[]): Buffer => frame(int(1), int(opcode), ...body);

class Floor {
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  #onFrames: (count: number) => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#onFrames(this.#count(chunk as Buffer)));
  }

  #count(chunk: Buffer): number {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    let frames = 0;
    while (bytes.length - at >= 4) {
      const length =
        ((bytes[at] as number) << 24) |
        ((bytes[at + 1] as number) << 16) |
        ((bytes[at + 2] as number) << 8) |
        (bytes[at + 3] as number);
      if (bytes.length - at - 4 < length) break;
      at += 4 + length;
      frames += 1;
    }
    this.#rest = bytes.subarray(at);
    return frames;
  }

  /** Sends one request over and over; `frames` are the requests, and so the replies, of one operation. */
  repeat(bytes: Buffer, frames: number, count: number, window: number): Promise<void> {
    if (window === 1) {
      return pump(count, 1, (_, done) => {
        this.#onFrames = () => done();
        this.#socket.write(bytes);
      });
    }
    return new Promise((resolve) => {
      let sent = 0;
      let answered = 0;
      const send = (wanted: number): void => {
        const now = Math.min(wanted, count - sent);
        if (now <= 0) return;
        sent += now;
        const batch = Buffer.allocUnsafe(now * bytes.length);
        for (let i = 0; i < now; i += 1) batch.set(bytes, i * bytes.length);
        this.#socket.write(batch);
      };
      this.#onFrames = (replies) => {
        answered += replies;
        const operations = Math.floor(answered / frames);
        if (operations >= count) resolve();
        else send(window - (sent - operations));
      };
      send(window);
    });
  }

  /** Resolves when so many frames have come. */
  await(count: number): Promise<void> {
    return new Promise((resolve) => {
      let left = count;
      this.#onFrames = (frames) => {
        left -= frames;
        if (left <= 0) resolve();
      };
    });
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.destroy();
  }
}

async function driver(connectString: string): Promise<Driver> {
  const [host = '', port] = connectString.split(':');
  const socket = connect({ host, port: Number(port), noDelay: true });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const floor = new Floor(socket);
  const hello = frame(int(0), int(0), int(0), int(30_000), int(0), int(0), buffer(Buffer.alloc(16)), bool(false));
  const greeted = floor.await(1);
  floor.write(hello);
  await greeted;
  const ping = Buffer.concat([int(8), int(-2), int(11)]);
  // In pauses only: a pong would be counted.
  let idle = true;
  const pings = setInterval(() => {
    if (idle) floor.write(ping);
  }, 2_500);
  const alone = async (work: Promise<void>): Promise<void> => {
    idle = false;
    await work;
    idle = true;
  };
  const get = (path: string, watch: boolean): Buffer => request(4, text(path), bool(watch));
  return {
    workloads: {
      get: (path, count, window) => alone(floor.repeat(get(path, false), 1, count, window)),
      set: (path, count, window) =>
        alone(floor.repeat(request(5, text(path), buffer(data), int(-1)), 1, count, window)),
      'create-delete': (path, count, window) => {
        const child = text(`${path}/n`);
        const pair = [request(1, child, buffer(data), anyone, int(0)), request(2, child, int(-1))];
        return alone(floor.repeat(Buffer.concat(pair), 2, count, window));
      },
      multi: (path, count, window) => {
        const create = [int(1), bool(false), int(-1), text(`${path}/n`), buffer(data), anyone, int(2)];
        const creates = Array.from({ length: BATCH }, () => create).flat();
        return alone(floor.repeat(request(14, ...creates, int(-1), bool(true), int(-1)), 1, count, window));
      },
      children: (path, count, window) => alone(floor.repeat(request(12, text(path), bool(false)), 1, count, window)),
    },
    watch: async (path, count, _window, armed) => {
      idle = false;
      let replies = floor.await(count);
      floor.write(Buffer.concat(Array.from({ length: count }, (_, index) => get(`${path}/n${index}`, true))));
      await replies;
      replies = floor.await(count);
      armed();
      await replies;
      idle = true;
    },
    close: () => {
      clearInterval(pings);
      floor.close();
    },
  };
}

await serve(driver);
