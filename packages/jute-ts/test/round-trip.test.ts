import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { JuteError, JuteReader, JuteWriter, parse, type RecordType } from '../src/index.ts';
import { bytes } from './bytes.ts';
import { randomFrom, recordSample } from './random.ts';
import * as sample from './sample.ts';

type Codec = [read: (r: JuteReader) => unknown, write: (w: JuteWriter, v: never) => void];

const codecs: Record<string, Codec> = {
  Everything: [sample.readEverything, sample.writeEverything],
  Point: [sample.readPoint, sample.writePoint],
  Empty: [sample.readEmpty, sample.writeEmpty],
  Deep: [sample.readDeep, sample.writeDeep],
  Tag: [sample.readTag, sample.writeTag],
};
const here = (name: string): URL => new URL(name, import.meta.url);
const schema = parse(readFileSync(here('sample.jute'), 'utf8'), {
  include: (path) => ({ file: path, source: readFileSync(here(path), 'utf8') }),
});

function recordNamed(name: string): RecordType {
  const record = schema.records.find((candidate) => candidate.name === name);
  if (!record) throw new Error(`no record ${name}`);
  return record;
}

function codecOf(name: string): Codec {
  const codec = codecs[name];
  if (!codec) throw new Error(`no code for ${name}`);
  return codec;
}

describe('generated code', () => {
  it('is there for every record', () => {
    expect(schema.records.map((record) => record.name).sort()).toEqual(Object.keys(codecs).sort());
  });

  it.each(Object.keys(codecs))('reads and writes any %s', (name) => {
    const [read, write] = codecOf(name);
    for (let seed = 1; seed <= 150; seed += 1) {
      const { value, encoded } = recordSample(recordNamed(name), randomFrom(seed));
      const r = new JuteReader(encoded);
      expect({ seed, value: read(r), left: r.remaining }).toEqual({ seed, value, left: 0 });
      const w = new JuteWriter(64);
      write(w, value as never);
      expect({ seed, same: w.bytes().equals(encoded) }).toEqual({ seed, same: true });
    }
  });

  it('reads nothing out of the random: only JuteError is thrown, and nothing is read beyond the end', () => {
    const [read] = codecOf('Everything');
    const random = randomFrom(7);
    let refused = 0;
    for (let round = 0; round < 1500; round += 1) {
      const { encoded } = recordSample(recordNamed('Everything'), random);
      for (let i = random() * 4; i >= 0; i -= 1) encoded[Math.floor(random() * encoded.length)] = random() * 256;
      const r = new JuteReader(encoded);
      try {
        read(r);
      } catch (error) {
        if (!(error instanceof JuteError)) throw error;
        refused += 1;
      }
      expect(r.offset).toBeLessThanOrEqual(encoded.length);
    }
    expect(refused).toBeGreaterThan(300);
  });

  it('says which record, field and byte when the end is missing, wherever it is cut', () => {
    const whole = bytes()
      .boolean(true)
      .raw(2)
      .int(3)
      .long(4n)
      .float(0.5)
      .double(0.25)
      .text('seven')
      .buffer([8])
      .int(9)
      .int(10)
      .text('key')
      .buffer(null)
      .int(1)
      .text('name')
      .int(1)
      .int(5)
      .int(-1)
      .int(1)
      .int(1)
      .int(2)
      .int(1)
      .int(1)
      .long(3n)
      .int(-1)
      .int(1)
      .text('k')
      .long(1n)
      .int(0)
      .int(0)
      .done();
    const starts: [string, number][] = [
      ['Everything.flag', 0],
      ['Everything.small', 1],
      ['Everything.number', 2],
      ['Everything.big', 6],
      ['Everything.real', 14],
      ['Everything.precise', 18],
      ['Everything.text', 26],
      ['Everything.data', 35],
      ['Point.x', 40],
      ['Point.y', 44],
      ['Tag.key', 48],
      ['Tag.value', 55],
      ['Everything.names', 59],
      ['Everything.numbers', 71],
      ['Everything.chunks', 79],
      ['Everything.points', 83],
      ['Everything.table', 95],
      ['Everything.lists', 111],
      ['Everything.counts', 115],
      ['Everything.deep', 132],
      ['Everything.nested', 136],
    ];
    expect(sample.readEverything(new JuteReader(whole)).counts).toEqual(new Map([['k', 1n]]));
    for (let cut = 0; cut < whole.length; cut += 1) {
      let error: unknown;
      try {
        sample.readEverything(new JuteReader(whole, 0, cut));
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(JuteError);
      const { record, field, offset } = error as JuteError;
      const [name, start] = starts.findLast(([, at]) => at <= cut) as [string, number];
      expect({ cut, name: `${record}.${field}`, early: offset < start, late: offset > cut }).toEqual({
        cut,
        name,
        early: false,
        late: false,
      });
    }
  });
});
