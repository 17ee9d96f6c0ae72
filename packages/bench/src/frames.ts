/** Cuts a stream into frames by their length prefix: all that are complete, at each chunk. */
export class FrameDecoder {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Buffer[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Buffer[] = [];
    let at = 0;
    while (bytes.length - at >= 4) {
      const end = at + 4 + bytes.readInt32BE(at);
      if (bytes.length < end) break;
      frames.push(bytes.subarray(at + 4, end));
      at = end;
    }
    this.#rest = bytes.subarray(at);
    return frames;
  }
}
