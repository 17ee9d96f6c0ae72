import { describe, expect, it } from '@jest/globals';
import { FrameDecoder } from '../src/framing.ts';
import { frame, int } from './support/bytes.ts';

interface Seen {
  kind: 'frame' | 'oversized';
  body: Buffer;
}

function drain(decoder: FrameDecoder): Seen[] {
  const seen: Seen[] = [];
  for (;;) {
    const kind = decoder.next();
    if (kind === 'more') return seen;
    seen.push({ kind, body: Buffer.from(decoder.buffer.subarray(decoder.start, decoder.end)) });
  }
}

function decode(chunks: Buffer[], maxLength = 1_000): Seen[] {
  const decoder = new FrameDecoder(maxLength);
  return chunks.flatMap((chunk) => {
    decoder.push(chunk);
    return drain(decoder);
  });
}

const body = (length: number, seed = 0): Buffer => Buffer.from(Array.from({ length }, (_, i) => (i * 7 + seed) & 0xff));

const frames = (...bodies: Buffer[]): Seen[] => bodies.map((each) => ({ kind: 'frame', body: each }));

describe('FrameDecoder', () => {
  const stream = Buffer.concat([frame(body(5)), frame(body(1, 3)), frame(body(40, 9))]);
  const whole = frames(body(5), body(1, 3), body(40, 9));

  it('cuts many frames out of one chunk', () => {
    expect(decode([stream])).toEqual(whole);
    const many = Array.from({ length: 500 }, (_, i) => body(1 + (i % 17), i));
    expect(decode([Buffer.concat(many.map((each) => frame(each)))])).toEqual(frames(...many));
  });

  it('joins a stream that is split in two at any byte', () => {
    for (let at = 0; at <= stream.length; at += 1) {
      expect(decode([stream.subarray(0, at), stream.subarray(at)])).toEqual(whole);
    }
  });

  it('joins a stream that is split in three at any two bytes', () => {
    for (let first = 0; first <= stream.length; first += 1) {
      for (let second = first; second <= stream.length; second += 3) {
        const chunks = [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)];
        expect(decode(chunks)).toEqual(whole);
      }
    }
  });

  it('joins a stream that comes byte by byte, empty chunks between', () => {
    const chunks = [...stream].flatMap((byte) => [Buffer.from([byte]), Buffer.alloc(0)]);
    expect(decode(chunks)).toEqual(whole);
  });

  it('hands a frame out in place when it lies in one chunk', () => {
    const decoder = new FrameDecoder(1_000);
    decoder.push(stream);
    for (const offset of [4, 13, 18]) {
      expect(decoder.next()).toBe('frame');
      expect(decoder.buffer).toBe(stream);
      expect(decoder.start).toBe(offset);
    }
    expect(decoder.next()).toBe('more');
  });

  it('copies a frame that straddles chunks, once, and the next one is in place again', () => {
    const decoder = new FrameDecoder(1_000);
    const first = stream.subarray(0, 6);
    const rest = Buffer.from(stream.subarray(6));
    decoder.push(first);
    expect(drain(decoder)).toEqual([]);
    decoder.push(rest);
    expect(decoder.next()).toBe('frame');
    const { buffer } = decoder;
    expect(buffer.subarray(decoder.start, decoder.end)).toEqual(body(5));
    expect(decoder.end - decoder.start).toBe(5);
    expect(buffer.buffer).not.toBe(first.buffer);
    expect(decoder.next()).toBe('frame');
    expect(decoder.buffer).toBe(rest);
    // What was copied is not touched when the chunk is.
    rest.fill(0);
    expect(buffer.subarray(0, 5)).toEqual(body(5));
  });

  it('keeps no chunk alive that has been read', () => {
    const decoder = new FrameDecoder(1_000);
    decoder.push(stream);
    drain(decoder);
    decoder.push(frame(body(2)).subarray(0, 5));
    expect(decoder.next()).toBe('more');
    // The half frame is kept as a copy; the chunk itself is not asked again.
    decoder.push(Buffer.from([7]));
    expect(drain(decoder)).toEqual(frames(body(2)));
  });

  it.each([0, -1, -2, -2147483648])('refuses a frame of length %i', (length) => {
    const wrong = int(length);
    for (let at = 0; at <= wrong.length; at += 1) {
      expect(() => decode([wrong.subarray(0, at), wrong.subarray(at)])).toThrow(
        expect.objectContaining({ code: 'PROTOCOL', message: expect.stringContaining(`length ${length}`) }),
      );
    }
  });

  it('takes a frame of exactly the limit', () => {
    expect(decode([frame(body(64))], 64)).toEqual(frames(body(64)));
  });

  it('skips a frame over the limit after its first 16 bytes, split at any byte', () => {
    const oversized = Buffer.concat([frame(body(3)), frame(body(65, 1)), frame(body(4, 2))]);
    const seen: Seen[] = [
      { kind: 'frame', body: body(3) },
      { kind: 'oversized', body: body(65, 1).subarray(0, 16) },
      { kind: 'frame', body: body(4, 2) },
    ];
    expect(decode([oversized], 64)).toEqual(seen);
    for (let at = 0; at <= oversized.length; at += 1) {
      expect(decode([oversized.subarray(0, at), oversized.subarray(at)], 64)).toEqual(seen);
    }
    expect(
      decode(
        Array.from(oversized, (byte) => Buffer.from([byte])),
        64,
      ),
    ).toEqual(seen);
  });

  it('tells of an oversized frame as soon as its head is there, and buffers none of the rest', () => {
    const decoder = new FrameDecoder(1_000);
    decoder.push(Buffer.concat([int(0x7fffffff), body(16)]));
    expect(decoder.next()).toBe('oversized');
    expect(decoder.buffer.buffer.byteLength).toBeLessThanOrEqual(Buffer.poolSize);
    for (let i = 0; i < 10; i += 1) {
      decoder.push(Buffer.alloc(1 << 16));
      expect(decoder.next()).toBe('more');
    }
  });

  it('hands out what there is of an oversized frame that is shorter than its head', () => {
    expect(decode([Buffer.concat([frame(body(12)), frame(body(3))])], 8)).toEqual([
      { kind: 'oversized', body: body(12) },
      { kind: 'frame', body: body(3) },
    ]);
  });
});
