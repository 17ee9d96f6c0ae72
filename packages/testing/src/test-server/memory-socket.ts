import { Duplex } from 'node:stream';

/** One end of a connection within this process. Destroying it is seen at the other end, as it is with sockets. */
class MemorySocket extends Duplex {
  peer: MemorySocket | null = null;
  #resume: (() => void) | null = null;

  constructor() {
    super({ allowHalfOpen: false });
  }

  override _read(): void {
    const resume = this.#resume;
    this.#resume = null;
    resume?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.peer?.receive(chunk, callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.peer?.receive(null, callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const { peer } = this;
    this.peer = null;
    this.#resume?.();
    callback(error);
    process.nextTick(() => peer?.receive(null, () => {}));
  }

  // The writer goes on once there is room here, so that neither end buffers without bound.
  receive(chunk: Buffer | null, taken: () => void): void {
    if (this.destroyed || this.readableEnded || this.push(chunk) || chunk === null) taken();
    else this.#resume = taken;
  }
}

/** The two ends of a connection without a network: one for `TestServer.accept()`, the other for a client. */
export function memorySocketPair(): [Duplex, Duplex] {
  const [near, far] = [new MemorySocket(), new MemorySocket()];
  near.peer = far;
  far.peer = near;
  return [near, far];
}
