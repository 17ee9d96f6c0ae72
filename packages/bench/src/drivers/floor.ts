// The least that a Node.js client can spend: a raw socket that sends requests encoded beforehand, with the same window as the
// others, and only counts the replies by their length prefix.
import type { Socket } from 'node:net';
import { BATCH, type Driver, pump, serve } from '../driver.ts';
import { greet } from './handshake.ts';

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

  /** Sends one request over and over. */
  repeat(bytes: Buffer, count: number, window: number): Promise<void> {
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
        if (answered >= count) resolve();
        else send(replies);
      };
      send(window);
    });
  }

  /** Sends the first request of each lane, when that is answered its second, then its first again, until there were so many pairs. */
  alternate(lanes: readonly [first: Buffer, second: Buffer][], count: number): Promise<void> {
    return new Promise((resolve) => {
      /** What is on the wire, in the order in which it is answered: twice the lane, and 1 for a second request. */
      const awaited: number[] = [];
      let head = 0;
      let begun = 0;
      let ended = 0;
      const requests: Buffer[] = [];
      const ask = (lane: number, second: 0 | 1): void => {
        awaited.push(lane * 2 + second);
        requests.push((lanes[lane] as [Buffer, Buffer])[second]);
      };
      const begin = (lane: number): void => {
        if (begun === count) return;
        begun += 1;
        ask(lane, 0);
      };
      const send = (): void => {
        if (requests.length > 0)
          this.#socket.write(requests.length === 1 ? (requests[0] as Buffer) : Buffer.concat(requests));
        requests.length = 0;
      };
      this.#onFrames = (replies) => {
        for (let i = 0; i < replies; i += 1) {
          const which = awaited[head++] as number;
          if ((which & 1) === 0) ask(which >> 1, 1);
          else {
            ended += 1;
            begin(which >> 1);
          }
        }
        send();
        if (ended >= count) resolve();
      };
      for (const lane of lanes.keys()) begin(lane);
      send();
    });
  }

  /** Resolves when so many frames have come. */
  frames(count: number): Promise<void> {
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
  const floor = new Floor(await greet(connectString));
  const ping = Buffer.concat([int(8), int(-2), int(11)]);
  // In pauses only, and awaited before the next work begins: a pong would be counted.
  let idle = true;
  let pong: Promise<void> = Promise.resolve();
  const pings = setInterval(() => {
    if (!idle) return;
    pong = floor.frames(1);
    floor.write(ping);
  }, 2_500);
  const alone = async (work: () => Promise<void>): Promise<void> => {
    idle = false;
    await pong;
    await work();
    idle = true;
  };
  const get = (path: string, watch: boolean): Buffer => request(4, text(path), bool(watch));
  return {
    workloads: {
      get: (path, count, window) => alone(() => floor.repeat(get(path, false), count, window)),
      set: (path, count, window) =>
        alone(() => floor.repeat(request(5, text(path), buffer(data), int(-1)), count, window)),
      'create-delete': (path, count, window) => {
        const lanes = Array.from({ length: window }, (_, lane): [Buffer, Buffer] => {
          const child = text(`${path}/n${lane}`);
          return [request(1, child, buffer(data), anyone, int(0)), request(2, child, int(-1))];
        });
        return alone(() => floor.alternate(lanes, count));
      },
      multi: (path, count, window) => {
        const create = [int(1), bool(false), int(-1), text(`${path}/n`), buffer(data), anyone, int(2)];
        const creates = Array.from({ length: BATCH }, () => create).flat();
        return alone(() => floor.repeat(request(14, ...creates, int(-1), bool(true), int(-1)), count, window));
      },
      // No recipe: the least on the wire that takes a lock and gives it back, in two round trips. The name is known beforehand.
      lock: (path, count) =>
        alone(async () => {
          const node = text(`${path}/lock`);
          const ask = async (...requests: Buffer[]): Promise<void> => {
            const replies = floor.frames(requests.length);
            floor.write(Buffer.concat(requests));
            await replies;
          };
          const take = [request(1, node, buffer(data), anyone, int(1)), request(12, text(path), bool(false))];
          await ask(request(1, text(path), buffer(data), anyone, int(0)));
          for (let grant = 0; grant < count; grant += 1) {
            await ask(...take);
            await ask(request(2, node, int(-1)));
          }
        }),
      children: (path, count, window) => alone(() => floor.repeat(request(12, text(path), bool(false)), count, window)),
    },
    watch: (path, count, _window, armed) =>
      alone(async () => {
        let frames = floor.frames(count);
        floor.write(Buffer.concat(Array.from({ length: count }, (_, index) => get(`${path}/n${index}`, true))));
        await frames;
        frames = floor.frames(count);
        armed();
        await frames;
      }),
    close: () => {
      clearInterval(pings);
      floor.close();
    },
  };
}

await serve(driver);
