import { zooKeeperError } from './errors.ts';

/** What the decoder has at its cursor: a whole frame, the head of one that is too large to keep, or nothing yet. */
export type Decoded = 'frame' | 'oversized' | 'more';

const PREFIX = 4;
const NOTHING: Buffer = Buffer.alloc(0);
/** Enough of an oversized frame to say whose reply it is. */
const HEAD = 16;

/**
 * Cuts the byte stream of one socket into frames.
 *
 * A frame that lies in one chunk is handed out in place; only one that straddles chunks is copied, once. A frame over
 * `maxLength` is never buffered: its first 16 bytes are handed out and the rest is skipped as it arrives.
 */
export class FrameDecoder {
  /** The bytes of the present frame are `buffer[start..end)`. */
  buffer: Buffer = NOTHING;
  start = 0;
  end = 0;

  readonly #maxLength: number;
  #chunk: Buffer = NOTHING;
  #at = 0;
  readonly #prefix: Buffer = Buffer.alloc(PREFIX);
  #prefixLength = 0;
  #assembly: Buffer | null = null;
  #assembled = 0;
  #toSkip = 0;

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** Takes the next chunk. All frames of the chunk before must have been taken with `next()`. */
  push(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** Moves to the next frame. Throws a ProtocolError on a length that no ZooKeeper server sends. */
  next(): Decoded {
    if (this.#toSkip > 0) this.#skip();
    if (this.#assembly !== null) return this.#assemble();
    const chunk = this.#chunk;
    const left = chunk.length - this.#at;
    if (this.#prefixLength === 0 && left >= PREFIX) {
      const length = this.#checked(chunk.readInt32BE(this.#at));
      if (length <= this.#maxLength && length <= left - PREFIX) {
        this.buffer = chunk;
        this.start = this.#at + PREFIX;
        this.end = this.start + length;
        this.#at = this.end;
        return 'frame';
      }
      this.#at += PREFIX;
      return this.#begin(length);
    }
    const taken = chunk.copy(this.#prefix, this.#prefixLength, this.#at, this.#at + PREFIX - this.#prefixLength);
    this.#prefixLength += taken;
    this.#at += taken;
    if (this.#prefixLength < PREFIX) return this.#starve();
    this.#prefixLength = 0;
    return this.#begin(this.#checked(this.#prefix.readInt32BE(0)));
  }

  #checked(length: number): number {
    if (length <= 0) throw zooKeeperError('PROTOCOL', { message: `the server sent a frame of length ${length}` });
    return length;
  }

  #begin(length: number): Decoded {
    const kept = length > this.#maxLength ? Math.min(HEAD, length) : length;
    this.#assembly = Buffer.allocUnsafe(kept);
    this.#assembled = 0;
    this.#oversize = length > this.#maxLength ? length - kept : -1;
    return this.#assemble();
  }

  /** What is to be skipped behind the head of an oversized frame; -1 for a frame that is kept whole. */
  #oversize = -1;

  #assemble(): Decoded {
    const assembly = this.#assembly as Buffer;
    const taken = this.#chunk.copy(assembly, this.#assembled, this.#at);
    this.#assembled += taken;
    this.#at += taken;
    if (this.#assembled < assembly.length) return this.#starve();
    this.#assembly = null;
    this.buffer = assembly;
    this.start = 0;
    this.end = assembly.length;
    if (this.#oversize < 0) return 'frame';
    this.#toSkip = this.#oversize;
    return 'oversized';
  }

  #skip(): void {
    const taken = Math.min(this.#toSkip, this.#chunk.length - this.#at);
    this.#toSkip -= taken;
    this.#at += taken;
  }

  #starve(): Decoded {
    // What has been read is not kept alive.
    this.#chunk = NOTHING;
    this.#at = 0;
    return 'more';
  }
}
