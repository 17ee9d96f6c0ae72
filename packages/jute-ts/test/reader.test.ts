import { describe, expect, it } from '@jest/globals';
import { JuteError, JuteReader } from '../src/index.ts';
import { type Bytes, bytes } from './bytes.ts';

function reader(from: Bytes): JuteReader {
  return new JuteReader(from.done());
}

function failure(act: () => unknown): JuteError {
  try {
    act();
  } catch (error) {
    if (error instanceof JuteError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('primitives', () => {
  it('reads booleans: any byte but 0 is true', () => {
    const r = reader(bytes().raw(0, 1, 0xff));
    expect([r.readBoolean('f'), r.readBoolean('f'), r.readBoolean('f')]).toEqual([false, true, true]);
  });

  it('reads bytes with their sign', () => {
    const r = reader(bytes().raw(0, 0x7f, 0x80, 0xff));
    expect([1, 2, 3, 4].map(() => r.readByte('f'))).toEqual([0, 127, -128, -1]);
  });

  it.each([
    [[0, 0, 0, 0], 0],
    [[0, 0, 0, 1], 1],
    [[0x12, 0x34, 0x56, 0x78], 0x12345678],
    [[0x7f, 0xff, 0xff, 0xff], 2147483647],
    [[0x80, 0, 0, 0], -2147483648],
    [[0xff, 0xff, 0xff, 0xff], -1],
  ])('reads the int %j as %i', (raw, value) => {
    expect(reader(bytes().raw(...raw)).readInt('f')).toBe(value);
  });

  it.each([
    [[0, 0, 0, 0, 0, 0, 0, 0], 0n],
    [[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], 0xffffffffn],
    [[0, 0, 0, 1, 0, 0, 0, 2], 0x100000002n],
    [[0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0], 0x123456789abcdef0n],
    [[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 2n ** 63n - 1n],
    [[0x80, 0, 0, 0, 0, 0, 0, 0], -(2n ** 63n)],
    [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe], -2n],
  ])('reads the long %j', (raw, value) => {
    expect(reader(bytes().raw(...raw)).readLong('f')).toBe(value);
  });

  it('reads floats and doubles', () => {
    const r = reader(bytes().raw(0x3f, 0x80, 0, 0).raw(0xc0, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18));
    expect([r.readFloat('f'), r.readDouble('f')]).toEqual([1, -Math.PI]);
  });
});

describe('strings', () => {
  it('tells null from empty', () => {
    const r = reader(bytes().raw(0xff, 0xff, 0xff, 0xff).raw(0, 0, 0, 0));
    expect([r.readUstring('f'), r.readUstring('f')]).toEqual([null, '']);
  });

  // On both sides of the length where another way of decoding takes over.
  it.each([1, 3, 4, 5, 15, 16, 17, 18, 100, 5000])('reads %i characters', (length) => {
    for (const letter of ['a', 'é', '北', '😀']) {
      const ascii = 'x'.repeat(length - 1);
      for (const text of [letter.repeat(length), ascii + letter, letter + ascii]) {
        const r = reader(bytes().raw(7).text(text).raw(9));
        r.readByte('f');
        expect(r.readUstring('f')).toBe(text);
        expect(r.readByte('f')).toBe(9);
      }
    }
  });

  it.each([1, 4, 7, 16, 40])('replaces what is not UTF-8, anywhere in %i bytes', (length) => {
    for (let at = 0; at < length; at += 1) {
      const raw = new Array<number>(length).fill(0x61);
      raw[at] = 0xff;
      const text = `${'a'.repeat(at)}\ufffd${'a'.repeat(length - at - 1)}`;
      expect(reader(bytes().buffer(raw)).readUstring('f')).toBe(text);
      const list = bytes().int(3).buffer(raw).text('b').buffer(raw);
      expect(reader(list).readUstringVector('f')).toEqual([text, 'b', text]);
    }
  });
});

describe('buffers', () => {
  it('tells null from empty', () => {
    const r = reader(bytes().raw(0xff, 0xff, 0xff, 0xff).raw(0, 0, 0, 0));
    expect(r.readBuffer('f')).toBeNull();
    expect(r.readBuffer('f')).toEqual(Buffer.alloc(0));
  });

  it('gives a view, not a copy', () => {
    const source = bytes().buffer([1, 2, 3]).done();
    const view = new JuteReader(source).readBuffer('f');
    source[5] = 9;
    expect(view).toEqual(Buffer.from([1, 9, 3]));
  });
});

describe('vectors and maps', () => {
  const readInt = (r: JuteReader, field: string): number => r.readInt(field);

  it('tells null from empty', () => {
    const r = reader(bytes().int(-1).int(0).int(-1).int(0).int(-1).int(0));
    expect([r.readVector('f', readInt), r.readVector('f', readInt)]).toEqual([null, []]);
    expect([r.readUstringVector('f'), r.readUstringVector('f')]).toEqual([null, []]);
    expect([r.readMap('f', readInt, readInt), r.readMap('f', readInt, readInt)]).toEqual([null, new Map()]);
  });

  it('reads items in order', () => {
    const r = reader(bytes().int(3).int(7).int(-8).int(9));
    expect(r.readVector('f', readInt, 4)).toEqual([7, -8, 9]);
  });

  it('reads a map in order, a repeated key once, its last value', () => {
    const r = reader(bytes().int(3).int(1).text('one').int(2).text(null).int(1).text('uno'));
    const map = r.readMap('f', readInt, (from, field) => from.readUstring(field), 8);
    expect([...(map ?? [])]).toEqual([
      [1, 'uno'],
      [2, null],
    ]);
  });

  it.each([1, 2, 3, 10, 300, 3000])('reads %i strings', (count) => {
    const names = Array.from({ length: count }, (_, i) => `item-${String(i).padStart(10, '0')}`);
    const out = bytes().int(count);
    for (const name of names) out.text(name);
    const r = reader(out.int(77));
    expect(r.readUstringVector('f')).toEqual(names);
    expect(r.readInt('f')).toBe(77);
  });

  it('reads strings of every sort in one vector', () => {
    const sorts = [null, '', 'a', 'é', '北京', 'x'.repeat(127), 'x'.repeat(128), 'y'.repeat(5000), '😀'.repeat(2000)];
    const names = Array.from({ length: 400 }, (_, i) => sorts[(i * i) % sorts.length] as string | null);
    for (let first = 0; first < sorts.length; first += 1) {
      const list = [...names.slice(first), ...sorts];
      const out = bytes().int(list.length);
      for (const name of list) out.text(name);
      expect(reader(out).readUstringVector('f')).toEqual(list);
    }
  });
});

describe('a part of a buffer', () => {
  const frames = bytes().raw(1, 2, 3).int(5).text('ab').raw(4, 5, 6).done();

  it('stays inside it', () => {
    const r = new JuteReader(frames, 3, 13);
    expect(r.offset).toBe(3);
    expect(r.readInt('A.f')).toBe(5);
    expect([r.offset, r.remaining]).toEqual([7, 6]);
    expect(r.readUstring('A.f')).toBe('ab');
    expect(r.remaining).toBe(0);
    expect(() => r.readByte('A.f')).toThrow(JuteError);
  });

  it('does not see what is behind it', () => {
    expect(() => new JuteReader(frames, 3, 12).reset(frames, 7, 12).readUstring('A.f')).toThrow('1 bytes left');
    expect(() => new JuteReader(frames, 3, 6).readInt('A.f')).toThrow('4 bytes needed, 3 left');
  });

  it('is taken anew by reset', () => {
    const r = new JuteReader();
    expect(r.remaining).toBe(0);
    expect(r.reset(bytes().int(8).done()).readInt('f')).toBe(8);
    expect(r.reset(frames, 3).readInt('f')).toBe(5);
    expect(r.reset(frames, 0, 1).remaining).toBe(1);
  });

  it.each([
    [-1, 4],
    [5, 4],
    [0, 17],
    [Number.NaN, 4],
  ])('cannot be from %d to %d of 16 bytes', (from, to) => {
    expect(() => new JuteReader(frames, from, to)).toThrow(RangeError);
  });
});

describe('errors', () => {
  it('say record, field and where in the frame', () => {
    const r = new JuteReader(bytes().raw(0, 0, 0).int(1).raw(1, 2, 3).done(), 3);
    r.readInt('Stat.version');
    const error = failure(() => r.readLong('Stat.czxid'));
    expect(error).toMatchObject({ name: 'JuteError', record: 'Stat', field: 'czxid', offset: 4 });
    expect(error.message).toBe('Stat.czxid at byte 4: 8 bytes needed, 3 left');
  });

  it('need no record', () => {
    const error = failure(() => new JuteReader().readInt('xid'));
    expect(error).toMatchObject({ field: 'xid', offset: 0 });
    expect(error.record).toBeUndefined();
  });

  it('leave the reader where the field starts', () => {
    const r = reader(bytes().int(5).raw(1, 2));
    expect(failure(() => r.readBuffer('A.f')).offset).toBe(0);
    expect(r.offset).toBe(0);
    expect(failure(() => r.readLong('A.f')).offset).toBe(0);
    expect(r.readInt('A.f')).toBe(5);
  });
});

describe('lengths that cannot be true', () => {
  const lengths = [-2, -3, -(2 ** 31), 9, 1000, 2 ** 31 - 1];
  const reads: [string, (r: JuteReader) => unknown][] = [
    ['ustring', (r) => r.readUstring('A.f')],
    ['buffer', (r) => r.readBuffer('A.f')],
    ['vector', (r) => r.readVector('A.f', never)],
    ['vector of ustring', (r) => r.readUstringVector('A.f')],
    ['map', (r) => r.readMap('A.f', never, never)],
  ];

  it.each(reads)('are refused before anything is read or made: %s', (_name, read) => {
    for (const length of lengths) {
      const r = reader(bytes().int(length).raw(1, 2, 3, 4, 5, 6, 7, 8));
      const before = process.memoryUsage();
      const error = failure(() => read(r));
      const after = process.memoryUsage();
      expect(error).toMatchObject({ record: 'A', field: 'f', offset: 0 });
      expect(error.message).toContain(`length ${length}`);
      expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(4 * 2 ** 20);
    }
  });

  it('count the least that an item takes', () => {
    const three = bytes()
      .int(3)
      .raw(...new Array(23).fill(0));
    expect(() => reader(three).readVector('A.f', never, 8)).toThrow('length 3 of at least 8 bytes each, 23 bytes left');
    expect(() => reader(three).readMap('A.f', never, never, 8)).toThrow(JuteError);
    expect(() =>
      reader(
        bytes()
          .int(6)
          .raw(...new Array(23).fill(0)),
      ).readUstringVector('A.f'),
    ).toThrow('length 6 of at least 4 bytes each, 23 bytes left');
    expect(reader(three.raw(0)).readVector('A.f', (r, field) => r.readLong(field), 8)).toEqual([0n, 0n, 0n]);
  });

  it('are refused whatever the caller says of the items', () => {
    const many = bytes()
      .int(2 ** 31 - 1)
      .raw(1, 2, 3);
    expect(() => reader(many).readVector('A.f', never, 0)).toThrow(JuteError);
    expect(() => reader(many).readMap('A.f', never, never, -1)).toThrow(JuteError);
  });

  it('are found inside a vector of strings, wherever they stand', () => {
    for (const at of [0, 1, 2, 500, 999]) {
      for (const length of [-2, 2 ** 31 - 1]) {
        const out = bytes().int(1000);
        for (let i = 0; i < at; i += 1) out.text('item-0000000000');
        out.int(length);
        for (let i = at + 1; i < 1000; i += 1) out.text('item-0000000000');
        const error = failure(() => reader(out).readUstringVector('A.names'));
        expect(error).toMatchObject({ record: 'A', field: 'names', offset: 4 + at * 19 });
      }
    }
  });
});

function never(): never {
  throw new Error('an item was read');
}
