import { describe, expect, it } from '@jest/globals';
import { JuteWriter } from '../src/index.ts';
import { type Bytes, bytes } from './bytes.ts';

function written(write: (w: JuteWriter) => void): Buffer {
  const w = new JuteWriter();
  write(w);
  return w.bytes();
}

describe('primitives', () => {
  const cases: [string, (w: JuteWriter) => void, number[]][] = [
    ['true', (w) => w.writeBoolean(true), [1]],
    ['false', (w) => w.writeBoolean(false), [0]],
    ['byte -1', (w) => w.writeByte(-1), [0xff]],
    ['int 0x12345678', (w) => w.writeInt(0x12345678), [0x12, 0x34, 0x56, 0x78]],
    ['int -2', (w) => w.writeInt(-2), [0xff, 0xff, 0xff, 0xfe]],
    ['int 2^31-1', (w) => w.writeInt(2147483647), [0x7f, 0xff, 0xff, 0xff]],
    ['int -2^31', (w) => w.writeInt(-2147483648), [0x80, 0, 0, 0]],
    ['long 2^32+2', (w) => w.writeLong(0x100000002n), [0, 0, 0, 1, 0, 0, 0, 2]],
    ['long 2^63-1', (w) => w.writeLong(2n ** 63n - 1n), [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['long -2^63', (w) => w.writeLong(-(2n ** 63n)), [0x80, 0, 0, 0, 0, 0, 0, 0]],
    ['long -2', (w) => w.writeLong(-2n), [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]],
    ['float 1', (w) => w.writeFloat(1), [0x3f, 0x80, 0, 0]],
    ['double -pi', (w) => w.writeDouble(-Math.PI), [0xc0, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18]],
    ['null string', (w) => w.writeUstring(null), [0xff, 0xff, 0xff, 0xff]],
    ['empty string', (w) => w.writeUstring(''), [0, 0, 0, 0]],
    ['string', (w) => w.writeUstring('/é'), [0, 0, 0, 3, 0x2f, 0xc3, 0xa9]],
    ['null buffer', (w) => w.writeBuffer(null), [0xff, 0xff, 0xff, 0xff]],
    ['empty buffer', (w) => w.writeBuffer(new Uint8Array()), [0, 0, 0, 0]],
    ['buffer', (w) => w.writeBuffer(new Uint8Array([9, 8])), [0, 0, 0, 2, 9, 8]],
    ['null vector', (w) => w.writeVector<number>(null, (to, v) => to.writeInt(v)), [0xff, 0xff, 0xff, 0xff]],
    ['empty vector', (w) => w.writeVector<number>([], (to, v) => to.writeInt(v)), [0, 0, 0, 0]],
    ['vector', (w) => w.writeVector([1, 2], (to, v) => to.writeByte(v)), [0, 0, 0, 2, 1, 2]],
    ['null vector of strings', (w) => w.writeUstringVector(null), [0xff, 0xff, 0xff, 0xff]],
    ['vector of strings', (w) => w.writeUstringVector(['a', null]), [0, 0, 0, 2, 0, 0, 0, 1, 97, 255, 255, 255, 255]],
    ['null map', (w) => w.writeMap<number, number>(null, byte, byte), [0xff, 0xff, 0xff, 0xff]],
    ['map', (w) => w.writeMap(new Map([[1, 2]]), byte, byte), [0, 0, 0, 1, 1, 2]],
  ];
  it.each(cases)('writes %s', (_name, write, raw) => {
    expect(written(write)).toEqual(Buffer.from(raw));
  });
});

function byte(w: JuteWriter, v: number): void {
  w.writeByte(v);
}

describe('strings', () => {
  // On both sides of the lengths where another way of encoding takes over.
  it.each([1, 23, 24, 25, 26, 341, 342, 1023, 1024, 1025, 1500, 70_000])('writes %i characters', (length) => {
    for (const letter of ['a', 'é', '北', '😀']) {
      const ascii = 'x'.repeat(length - 1);
      for (const text of [letter.repeat(length), ascii + letter, letter + ascii]) {
        const raw = new TextEncoder().encode(text);
        const expected = Buffer.concat([bytes().int(raw.length).done(), raw, bytes().int(7).done()]);
        const w = new JuteWriter(64);
        w.writeUstring(text);
        w.writeInt(7);
        expect(w.bytes().equals(expected)).toBe(true);
      }
    }
  });

  it('writes half a surrogate pair as U+FFFD', () => {
    expect(written((w) => w.writeUstring('a\ud800'))).toEqual(bytes().buffer([97, 0xef, 0xbf, 0xbd]).done());
  });
});

describe('growing', () => {
  it('keeps what is written', () => {
    const w = new JuteWriter(1);
    let expected: Bytes = bytes();
    for (let i = 0; i < 2000; i += 1) {
      w.writeInt(i);
      w.writeUstring(`n${i}`);
      expected = expected.int(i).text(`n${i}`);
    }
    expect(w.length).toBe(expected.done().length);
    expect(w.bytes().equals(expected.done())).toBe(true);
  });

  it('takes a buffer far larger than itself', () => {
    const data = Buffer.alloc(300_000, 5);
    expect(
      written((w) => w.writeBuffer(data))
        .subarray(4)
        .equals(data),
    ).toBe(true);
  });
});

describe('frames', () => {
  it('are filled in, and taken back', () => {
    const w = new JuteWriter();
    w.writeInt(0);
    w.writeUstring('ab');
    w.patchInt(0, w.length - 4);
    const whole = w.length;
    w.writeInt(0);
    w.writeUstring('never sent');
    w.truncate(whole);
    expect(w.take()).toEqual(bytes().int(6).text('ab').done());
  });

  it('cannot be filled in or cut where nothing is written', () => {
    const w = new JuteWriter();
    w.writeInt(1);
    for (const offset of [-1, 1, 4, Number.NaN]) expect(() => w.patchInt(offset, 1)).toThrow(RangeError);
    for (const length of [-1, 5, Number.NaN]) expect(() => w.truncate(length)).toThrow(RangeError);
    expect(w.take()).toEqual(bytes().int(1).done());
  });
});

describe('take', () => {
  // Small ones are copied, large ones handed over: neither may change afterwards.
  it.each([0, 1, 100, 4095, 4096, 4097, 10_000, 40_000, 200_000])('hands over %i bytes for good', (size) => {
    const w = new JuteWriter();
    const taken: Buffer[] = [];
    for (let round = 1; round <= 4; round += 1) {
      for (let i = 0; i < size; i += 1) w.writeByte(round);
      taken.push(w.take());
      expect(w.length).toBe(0);
    }
    for (const [at, buffer] of taken.entries()) {
      expect(buffer.length).toBe(size);
      expect(buffer.every((value) => value === at + 1)).toBe(true);
    }
  });

  it('does not keep the room that one large frame needed', () => {
    const w = new JuteWriter();
    w.writeBuffer(Buffer.alloc(1_000_000));
    w.truncate(4);
    w.take();
    w.writeInt(1);
    expect(w.bytes().buffer.byteLength).toBeLessThanOrEqual(32 * 1024);
  });
});
