import type { Field, FieldType, RecordType } from '../src/index.ts';
import { bytes } from './bytes.ts';

/** Numbers from 0 to 1 that a seed determines (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Sample {
  value: unknown;
  encoded: Buffer;
}

const words = ['', 'a', 'zk', 'item-0000001234', 'ünï', '北京', '😀', '\0', `${'/path'.repeat(8)}`, 'x'.repeat(300)];
const longs = [0n, -1n, 1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 31n, -(2n ** 32n), 0x1234567890abcdefn];
const ints = [0, -1, 1, 2 ** 31 - 1, -(2 ** 31), 255, 65536];

/** A value of the type and what it must be on the wire, made side by side. */
export function sampleOf(type: FieldType, random: () => number): Sample {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const out = bytes();
  switch (type.kind) {
    case 'boolean': {
      const value = random() < 0.5;
      return { value, encoded: out.boolean(value).done() };
    }
    case 'byte': {
      const value = Math.floor(random() * 256) - 128;
      return { value, encoded: out.raw(value).done() };
    }
    case 'int': {
      const value = random() < 0.5 ? pick(ints) : Math.floor(random() * 2 ** 32) | 0;
      return { value, encoded: out.int(value).done() };
    }
    case 'long': {
      const value = random() < 0.5 ? pick(longs) : BigInt.asIntN(64, BigInt(Math.floor(random() * 2 ** 52)) * 4099n);
      return { value, encoded: out.long(value).done() };
    }
    case 'float': {
      const value = Math.fround(random() * 1000 - 500);
      return { value, encoded: out.float(value).done() };
    }
    case 'double': {
      const value = random() * 1e300;
      return { value, encoded: out.double(value).done() };
    }
    case 'ustring': {
      const value = random() < 0.1 ? null : pick(words);
      return { value, encoded: out.text(value).done() };
    }
    case 'buffer': {
      const value = random() < 0.1 ? null : Array.from({ length: random() * 40 }, () => Math.floor(random() * 256));
      return { value: value && Buffer.from(value), encoded: out.buffer(value).done() };
    }
    case 'vector': {
      if (random() < 0.1) return { value: null, encoded: out.int(-1).done() };
      const items = Array.from({ length: random() * (random() < 0.1 ? 30 : 5) }, () => sampleOf(type.of, random));
      return {
        value: items.map((item) => item.value),
        encoded: Buffer.concat([out.int(items.length).done(), ...items.map((item) => item.encoded)]),
      };
    }
    case 'map': {
      if (random() < 0.1) return { value: null, encoded: out.int(-1).done() };
      const entries = new Map<unknown, [Sample, Sample]>();
      for (let i = random() * 4; i > 0; i -= 1) {
        const key = sampleOf(type.key, random);
        if (!entries.has(key.value)) entries.set(key.value, [key, sampleOf(type.value, random)]);
      }
      const parts = [...entries.values()].flatMap(([key, value]) => [key.encoded, value.encoded]);
      return {
        value: new Map([...entries].map(([key, [, value]]) => [key, value.value])),
        encoded: Buffer.concat([out.int(entries.size).done(), ...parts]),
      };
    }
    case 'record':
      return recordSample(type.record, random);
  }
}

export function recordSample(record: RecordType, random: () => number): Sample {
  const fields = record.fields.map((field: Field) => [field.name, sampleOf(field.type, random)] as const);
  return {
    value: Object.fromEntries(fields.map(([name, sample]) => [name, sample.value])),
    encoded: Buffer.concat(fields.map(([, sample]) => sample.encoded)),
  };
}
